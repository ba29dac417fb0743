"""tl_core.models.build: two libraries behind one interface; freezing that freezes."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from torch import nn

from tl_core.base.errors import ConfigError, HeadError
from tl_core.models import backbone
from tl_core.models.build import build, original, skeleton
from tl_core.models.families.registry import ARCHITECTURES
from tl_core.models.head import head_counts
from tl_core.models.parts import part_shapes, part_state_hash
from tl_core.models.weights import state_dicts
from tl_core.models.weights.sources import WeightsRecord

RANDOM = WeightsRecord(
    source="random", requested="random", path=None, sha256="", why="asked", is_pretrained=False
)
LIBRARIES = ("timm", "torchvision")
PART_NAMES = tuple(name for name, _ in ARCHITECTURES["efficientnet_b0"].parts)


@pytest.fixture(scope="module")
def file_choice(tmp_path_factory) -> WeightsRecord:
    """A file of random weights whose BatchNorm statistics are not the defaults."""
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(3)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = original_net()
    state = net.state_dict()
    for key, tensor in state.items():
        if key.endswith("running_mean"):
            tensor.normal_(0, 0.1, generator=generator)
        if key.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
    path = tmp_path_factory.mktemp("weights") / "b0.safetensors"
    save_file(state, path)
    return WeightsRecord(
        source=f"file:{path}", requested=f"file:{path}", path=path, sha256=state_dicts.file_sha256(path),
        why="asked", is_pretrained=True, num_classes=1000, has_head=True,
    )  # fmt: skip


def original_net() -> nn.Module:
    import timm

    return timm.create_model("efficientnet_b0", pretrained=False)


def pictures(count: int = 2, px: int = 64) -> torch.Tensor:
    return torch.randn(count, 3, px, px, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=LIBRARIES)
def net(request) -> backbone.TransferModel:
    return build(request.param, 2, 0.3, RANDOM, seed=0)


def test_parts_cover_every_parameter_and_buffer_once(net):
    def tensors(module: nn.Module) -> list[int]:
        return [id(t) for t in (*module.parameters(), *module.buffers())]

    seen = [t for part in PART_NAMES for module in net.part_modules(part) for t in tensors(module)]
    assert sorted(seen) == sorted(tensors(net))
    assert sum(total for total, _ in net.parameter_counts().values()) == sum(
        p.numel() for p in net.parameters()
    )


def test_state_dict_names_each_tensor_once_and_reads_into_the_library(net):
    from torchvision import models

    if net.library == "torchvision":
        models.efficientnet_b0(num_classes=2).load_state_dict(net.state_dict())
    else:
        keys = {k.removeprefix("backbone.") for k in net.state_dict() if k.startswith("backbone.")}
        assert keys == {k for k in original_net().state_dict() if not k.startswith("classifier.")}
        assert set(net.state_dict()) >= {"classifier.1.weight", "classifier.1.bias"}


@pytest.mark.parametrize("library", LIBRARIES)
def test_shapes_at_224_px_are_those_of_the_docstring(library):
    net = skeleton(library, 2, 0.3)
    assert part_shapes(net, 224) == {
        "pixels": (3, 224, 224), "stem": (32, 112, 112), "blocks.0": (16, 112, 112),
        "blocks.1": (24, 56, 56), "blocks.2": (40, 28, 28), "blocks.3": (80, 14, 14),
        "blocks.4": (112, 14, 14), "blocks.5": (192, 7, 7), "blocks.6": (320, 7, 7),
        "head_conv": (1280, 7, 7), "pooled": (1280,), "classifier": (2,),
    }  # fmt: skip
    net.unfreeze_last(3)
    with torch.no_grad():
        assert net.forward_until(torch.zeros(1, 3, 224, 224), net.boundary_for(3)).shape == (1, 80, 14, 14)


def test_forward_equals_the_librarys_own(file_choice):
    from torchvision import models

    x = pictures()
    ours = build("timm", 1000, 0.0, file_choice, seed=0).eval()
    theirs = original(file_choice, "timm")
    ours.classifier[1].load_state_dict(theirs.classifier.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))
        torch.testing.assert_close(ours.forward_features(x), theirs.forward_features(x))
    ours = build("torchvision", 2, 0.0, file_choice, seed=0).eval()
    theirs = models.efficientnet_b0(num_classes=2)
    theirs.load_state_dict(ours.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs.eval()(x))


def test_same_weights_give_the_same_logits_in_both_libraries(file_choice):
    x = pictures(px=96)
    with torch.no_grad():
        timm_logits = original(file_choice, "timm")(x)
        torchvision_logits = original(file_choice, "torchvision")(x)
    assert timm_logits.abs().max() > 0.01
    torch.testing.assert_close(timm_logits, torchvision_logits, atol=1e-4, rtol=1e-4)


def test_weights_saved_by_torchvision_give_the_same_logits_in_timm(tmp_path, file_choice):
    net = original(file_choice, "torchvision")
    path = tmp_path / "tv.pth"
    torch.save(net.state_dict(), path)
    choice = dataclasses.replace(file_choice, path=path, sha256=state_dicts.file_sha256(path))
    with torch.no_grad():
        torch.testing.assert_close(
            original(choice, "timm")(pictures()), net(pictures()), atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("part", ["pixels", *PART_NAMES, "pooled"])
def test_stopping_at_a_part_and_going_on_gives_the_same_logits(part):
    for library in LIBRARIES:
        net = build(library, 3, 0.3, RANDOM, seed=0).eval()
        with torch.no_grad():
            assert torch.equal(net.forward_from(net.forward_until(pictures(), part), part), net(pictures()))


def test_unknown_part_is_refused(net):
    with pytest.raises(ValueError, match="blocks.9"):
        net.forward_until(pictures(), "blocks.9")


def test_new_head_is_plain_linear_within_one_over_root_of_its_width(net):
    linear = net.classifier[1]
    bound = 1 / linear.in_features**0.5
    assert linear.in_features == net.feature_dim == 1280
    for tensor in (linear.weight, linear.bias):
        assert tensor.abs().max() <= bound
    assert linear.weight.abs().max() > 0.95 * bound
    assert linear.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_head_is_replaced_not_added(net):
    counts = head_counts(nn.Linear(1280, 1000), net)
    assert (counts.num_removed, counts.num_added) == (1_281_000, 2_562)
    assert (counts.classes_before, counts.classes_after, counts.feature_dim) == (1000, 2, 1280)
    before = sum(p.numel() for p in net.parameters())
    net.replace_head(5, 0.5)
    assert net.num_classes == 5 and net.classifier[0].p == 0.5
    assert sum(p.numel() for p in net.parameters()) - before == 3 * 1281
    assert net(pictures()).shape == (2, 5)


def test_replacing_the_head_keeps_mode_and_dtype(net):
    net.eval().to(torch.float64)
    net.replace_head(2, 0.1)
    assert not net.classifier.training and net.classifier[1].weight.dtype == torch.float64


@pytest.mark.parametrize(("classes", "dropout"), [(1, 0.3), (0, 0.3), (2, 1.0), (2, -0.1)])
def test_impossible_heads_are_refused(net, classes, dropout):
    with pytest.raises(HeadError):
        net.replace_head(classes, dropout)


def test_a_network_without_a_linear_layer_is_refused():
    with pytest.raises(HeadError):
        head_counts(nn.Conv2d(3, 8, 1), nn.Linear(4, 2))


def test_the_seed_alone_decides_the_head(file_choice):
    torch.manual_seed(99)
    first = build("timm", 2, 0.3, RANDOM, seed=7)
    state = torch.get_rng_state()
    second = build("torchvision", 2, 0.3, file_choice, seed=7)
    other = build("timm", 2, 0.3, RANDOM, seed=8)
    assert torch.equal(torch.get_rng_state(), state), "the global generator was touched"
    assert torch.equal(first.classifier[1].weight, second.classifier[1].weight)
    assert not torch.equal(first.classifier[1].weight, other.classifier[1].weight)


@pytest.mark.parametrize("library", LIBRARIES)
def test_build_puts_the_files_tensors_into_the_backbone(library, file_choice):
    net = build(library, 2, 0.3, file_choice, seed=0)
    state = state_dicts.read(file_choice.path, "file")
    mine = dict(net.state_dict())
    names = state_dicts.timm_to_torchvision()
    for key, tensor in state.items():
        if not key.startswith("classifier."):
            assert torch.equal(mine[f"backbone.{key}" if library == "timm" else names[key]], tensor), key


FREEZING = [
    (0, "head_conv", ["classifier"]),
    (1, "blocks.5", ["blocks.6", "head_conv", "classifier"]),
    (3, "blocks.3", ["blocks.4", "blocks.5", "blocks.6", "head_conv", "classifier"]),
    (6, "blocks.0", list(PART_NAMES[2:])),
    (7, "pixels", list(PART_NAMES)),
]


@pytest.mark.parametrize(("num_blocks", "boundary", "trainable"), FREEZING)
def test_unfreezing_the_last_blocks_trains_those_parts_and_no_other(net, num_blocks, boundary, trainable):
    net.unfreeze_last(num_blocks)
    assert (net.frozen_parts() or ["pixels"])[-1] == boundary
    assert net.trainable_parts() == trainable
    assert net.frozen_parts() + net.trainable_parts() == list(PART_NAMES)
    for part, (total, num_trainable) in net.parameter_counts().items():
        assert num_trainable == (total if part in trainable else 0), part


@pytest.mark.parametrize("num_blocks", [-1, 8])
def test_other_numbers_of_blocks_are_refused(net, num_blocks):
    with pytest.raises(ConfigError):
        net.unfreeze_last(num_blocks)


def training_steps(net: backbone.TransferModel, count: int = 2) -> None:
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 1e-2, weight_decay=1e-4)
    for _ in range(count):
        net.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(pictures(4)), torch.tensor([0, 1, 0, 1])).backward()
        optimizer.step()


@pytest.mark.parametrize("num_blocks", [0, 3, 7])
def test_training_leaves_frozen_parts_bit_identical_and_reaches_every_trainable_parameter(net, num_blocks):
    if net.library == "torchvision":  # a branch dropped by chance would get no gradient in so few steps
        switch_off_stochastic_depth(net)
    net.unfreeze_last(num_blocks)
    before = {part: part_state_hash(net, part) for part in PART_NAMES}
    training_steps(net)
    after = {part: part_state_hash(net, part) for part in PART_NAMES}
    for part in net.frozen_parts():
        assert after[part] == before[part], f"{part} changed, BatchNorm statistics or weights"
    for part in net.trainable_parts():
        assert after[part] != before[part], f"{part} did not learn"
    for name, parameter in net.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
        if parameter.requires_grad:
            assert parameter.grad.abs().sum() > 0, name


def switch_off_stochastic_depth(net: nn.Module) -> None:
    from torchvision.ops import StochasticDepth

    for module in net.modules():
        if isinstance(module, StochasticDepth):
            module.p = 0.0


def test_a_frozen_batchnorm_left_in_training_mode_would_have_drifted(net):
    """The trap itself, so that the test above is known to see it."""
    net.freeze_backbone()
    before = part_state_hash(net, "blocks.0")
    nn.Module.train(net, True)
    net(pictures(4))
    assert part_state_hash(net, "blocks.0") != before


def test_frozen_parts_stay_in_eval_mode_whoever_calls_train(net):
    net.unfreeze_last(3)
    for call in (net.train, lambda: net.train(True), lambda: copy.deepcopy(net).train()):
        current = call()
        for part in current.frozen_parts():
            assert not any(m.training for top in current.part_modules(part) for m in top.modules()), part
        for part in current.trainable_parts():
            assert all(m.training for top in current.part_modules(part) for m in top.modules()), part
    net.eval()
    assert not any(m.training for m in net.modules())
    net.unfreeze_last(7)
    assert not net.training, "unfreezing must not switch an evaluating model to training"


def test_stochastic_depth_is_off_in_frozen_parts_and_on_in_trained_ones():
    net = build("torchvision", 2, 0.0, RANDOM, seed=0)
    net.unfreeze_last(3)
    net.train()
    x = pictures(8)
    with torch.no_grad():
        frozen = [net.forward_until(x, net.boundary_for(3)) for _ in range(2)]
        trained = [net.forward_from(frozen[0], net.boundary_for(3)) for _ in range(2)]
    assert torch.equal(*frozen)
    assert not torch.equal(*trained)


def test_state_hash_sees_a_single_changed_bit_and_a_buffer(net):
    before = part_state_hash(net, "stem")
    assert part_state_hash(copy.deepcopy(net), "stem") == before
    norm = next(m for top in net.part_modules("stem") for m in top.modules() if isinstance(m, nn.BatchNorm2d))
    norm.num_batches_tracked += 1
    assert part_state_hash(net, "stem") != before


def test_unknown_library_is_refused():
    with pytest.raises(ConfigError):
        skeleton("keras", 2, 0.3)


def test_original_without_a_head_is_refused():
    with pytest.raises(HeadError):
        original(RANDOM)
