"""Every backbone that is offered, through the same interface: tiny pictures, random weights."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save as to_safetensors
from safetensors.torch import save_file
from timm.models import group_parameters

from tests.core.drawn import write_classes
from tests.core.hub_stand_in import serve
from tl_core.base.config import preset
from tl_core.base.errors import ConfigError, WeightsMismatch, WeightsUnavailable
from tl_core.models.backbone import TransferModel
from tl_core.models.build import build, original
from tl_core.models.families import registry
from tl_core.models.families.registry import ARCHITECTURES, architecture
from tl_core.models.gradcam import gradcam
from tl_core.models.head import final_linear
from tl_core.models.parts import describe, part_shapes, part_state_hash
from tl_core.models.weights.record import IMAGENET_MEAN
from tl_core.models.weights.sources import Limits, choose

OTHERS = ("resnet26", "tf_efficientnet_b1", "vit_tiny_patch16_224")
"""Of the families, but not offered: they go by timm's name alone."""
LARGE = ("resnet50", "tf_efficientnet_b7", "vit_base_patch16_224")
TRAINED = [
    "tf_efficientnet_lite0", "resnet18", "vit_tiny_patch16_224",
    *(pytest.param(name, marks=[pytest.mark.slow, pytest.mark.timeout(1200)]) for name in LARGE),
]  # fmt: skip
"""One of each family, then the large ones that are offered."""
LAST = {"efficientnet": (3, "blocks.4"), "resnet": (1, "layer4"), "vit": (3, "blocks.9")}
"""The default of each family, and where its trained part begins."""


def pictures(num: int = 2, px: int = 64) -> torch.Tensor:
    return torch.randn(num, 3, px, px, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module", params=[*ARCHITECTURES, *OTHERS])
def net(request) -> TransferModel:
    return build("timm", 3, 0.2, choose("random", backbone=request.param), seed=0)


def test_logits_through_the_parts_are_timms_own_to_the_bit(net):
    theirs, x = net.backbone, pictures()
    net.eval()
    with torch.inference_mode():
        features = theirs.forward_features(x)
        assert torch.equal(net.forward_features(x), features)
        pooled = theirs.forward_head(features, pre_logits=True)
        assert torch.equal(net.forward_until(x, "pooled"), pooled)
        assert torch.equal(net(x), net.classifier(pooled))
        assert net(x).shape == (2, 3) and net.feature_dim == pooled.shape[1]
        middle = net.part_names[len(net.part_names) // 2]
        assert torch.equal(net.forward_from(net.forward_until(x, middle), middle), net(x))


def test_every_tensor_belongs_to_one_part_and_the_registry_knows_them(net):
    held = [id(tensor) for part in net.part_names for tensor in net.part_state(part)]
    assert sorted(held) == sorted(map(id, net.state_dict(keep_vars=True).values()))
    known = architecture(net.name)
    assert net.part_names == tuple(name for name, _ in known.parts) and net.num_units == known.num_units
    facts = describe(net, 64)
    assert [(one.name, one.unit) for one in facts] == list(known.parts)
    assert sum(one.num_parameters for one in facts) == sum(p.numel() for p in net.parameters())
    assert facts[-1].shape == (3,) and facts[-1].num_layers == 1


def test_unfreezing_follows_timms_own_table_of_groups(net):
    theirs = net.backbone
    groups = group_parameters(theirs, theirs.group_matcher(coarse=True), reverse=True)
    num = max(groups.values())
    for count in range(num + 1):
        net.unfreeze_last(count)
        trained = {name for name, p in theirs.named_parameters() if p.requires_grad}
        assert trained == {name for name, group in groups.items() if group > num - count or count == num}
        assert all(p.requires_grad for p in net.classifier.parameters())
    with pytest.raises(ConfigError, match=f"0..{num}"):
        net.unfreeze_last(num + 1)


def test_the_default_of_the_family_ends_where_it_should(net):
    family = net.architecture.family
    count, first = LAST[net.architecture.family_name]
    assert count == family.default_unfreeze
    if net.num_units in (4, 7, 12):
        net.unfreeze_last(count)
        assert net.trainable_parts()[0] == first
        assert net.boundary_for(count) == net.frozen_parts()[-1]


def test_grad_cam_gives_a_map_of_places_and_leaves_no_gradients(net):
    net.eval()
    for row, weight in enumerate((1.0, 0.0, -1.0)):  # whatever the features are, one of these speaks for it
        final_linear(net.classifier).weight.data[row] = weight
    heat = np.stack([gradcam(net, pictures(), target) for target in range(3)])
    side = {"efficientnet": 2, "resnet": 2, "vit": 4}[net.architecture.family_name]
    assert heat.shape == (3, 2, side, side) and np.isfinite(heat).all() and heat.min() >= 0
    assert heat.max() > 0 and heat.std() > 0
    assert all(p.grad is None for p in net.parameters())


def test_a_vit_looks_at_fourteen_by_fourteen_tokens():
    net = build("timm", 2, 0.0, choose("random", backbone="vit_tiny_patch16_224"), seed=0).eval()
    assert net.cam_station == "blocks.10"  # behind blocks.11 only the class token is read
    assert gradcam(net, pictures(1, 224), 0).shape == (1, 14, 14)
    assert part_shapes(net, 224)["blocks.3"] == (197, 192)


@pytest.mark.parametrize("name", TRAINED)
def test_training_the_head_leaves_the_backbone_as_it_was_to_the_bit(name):
    net = build("timm", 2, 0.2, choose("random", backbone=name), seed=0)
    for unfreeze in (0, net.architecture.family.default_unfreeze):
        net.unfreeze_last(unfreeze)
        before = {part: part_state_hash(net, part) for part in net.part_names}
        optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=1e-2)
        net.train()
        for _ in range(2):
            optimizer.zero_grad()
            net(pictures(4)).square().sum().backward()
            optimizer.step()
        after = {part: part_state_hash(net, part) for part in net.part_names}
        changed = [part for part in net.part_names if before[part] != after[part]]
        assert changed == net.trainable_parts()


def test_names_and_tags_of_the_registry_are_timms_own():
    for one in ARCHITECTURES.values():
        config = timm.get_pretrained_cfg(one.name)
        assert (config.tag, config.hf_hub_id) == (one.tag, one.hub_repo)
        assert one.image_px == config.input_size[-1]
        with torch.device("meta"):
            net = timm.create_model(one.name)
        assert type(net).__name__ == one.family.timm_class


def test_what_a_network_cannot_do_is_refused_in_a_sentence():
    for name in ("resnet_nonsense", "convnext_tiny", "mobilenetv3_small_100"):
        with pytest.raises(ConfigError, match="backbone"):
            architecture(name)
    with pytest.raises(ConfigError, match=r"0\.\.4 \(ResNet-18\)"):
        registry.refuse("resnet18", 5, 224)
    with pytest.raises(ConfigError, match="image_px"):
        registry.refuse("vit_base_patch16_224", 3, 100)
    for source, name in (("formula", "resnet18"), ("imagenet-lite0", "efficientnet_b0")):
        with pytest.raises(ConfigError, match=f"weights: {source}"):
            choose(source, backbone=name)


@pytest.mark.parametrize("name", TRAINED)
def test_a_run_trains_stops_resumes_predicts_and_leaves_for_onnx(tmp_path, monkeypatch, name):
    from tl_core.inference import stage_models
    from tl_core.inference.predictor import Predictor
    from tl_core.models.onnx import cached, graph
    from tl_core.runs.execution import workflow

    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    data = write_classes(tmp_path / "data", {"dots": 12, "stripes": 12})
    config = preset(
        "expression", weights="random", backbone=name, image_px=64, views=1, target_per_class=0,
        unfreeze_blocks=1, batch_size=8, head={"epochs": 1}, finetune={"epochs": 2},
        early_stopping_patience=0, val_fraction=0.25, test_fraction=0.25, precision="fp32",
    )  # fmt: skip
    whole = workflow.create_run(data, tmp_path / "whole", config)
    assert workflow.execute(whole) == "finished"
    cut, ended = workflow.create_run(data, tmp_path / "cut", config), []
    stop = workflow.execute(cut, on_event=ended.append, should_stop=lambda: ended[-1].kind == "epoch_end")
    assert stop == "stopped" and workflow.execute(cut) == "finished"
    same = [(run.models / "final.safetensors").read_bytes() for run in (whole, cut)]
    assert same[0] == same[1]

    recorded = whole.read_config()
    assert recorded["weights_used"]["backbone"] == whole.read_summary()["backbone"] == name
    started = next(event for event in ended if event.kind == "stage_started")
    assert list(started.units) == list(started.parameters) == [p for p, _ in architecture(name).parts]

    answers = Predictor.load(whole)
    images = [np.full((50, 80, 3), shade, np.uint8) for shade in (10, 120, 250)]
    squares = answers._squares(images)
    torch_says, features = answers._with_torch(squares)
    assert features.shape == (3, answers.model.feature_dim)
    model = copy.deepcopy(answers.model).for_size(squares.shape[1])
    network = graph.whole_network(model, answers.mean, answers.std, with_features=True)
    content = graph.graph_of(network, squares.shape[1], (graph.PROBABILITIES, graph.FEATURES))
    fast = cached.FastModel(cached.open_session(content.SerializeToString()))
    assert np.abs(fast.predict_with_features(squares)[0] - torch_says).max() < cached.TOLERANCE
    assert stage_models.load(whole, "before").predict(images).shape == (3, 2)


def test_a_file_of_twins_is_asked_for_and_timms_config_beside_it_decides(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(timm.create_model("tf_efficientnet_b0", pretrained=False).state_dict(), path)
    source = f"file:{path}"
    with pytest.raises(WeightsUnavailable) as caught:
        choose(source)
    assert caught.value.values["reason"] == "which_network"
    assert caught.value.values["detail"] == "efficientnet_b0, tf_efficientnet_b0"
    asked = choose(source, backbone="tf_efficientnet_b0")
    assert (asked.backbone, asked.mean) == ("tf_efficientnet_b0", IMAGENET_MEAN)

    card = {"architecture": "tf_efficientnet_b0", "pretrained_cfg": {
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "input_size": [3, 240, 240], "crop_pct": 0.9,
    }}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(card), encoding="utf-8")
    told = choose(source)
    assert (told.backbone, told.mean, told.image_px) == ("tf_efficientnet_b0", (0.5, 0.5, 0.5), 240)
    assert build("timm", 2, 0.0, told, seed=0).name == "tf_efficientnet_b0"
    with pytest.raises(ConfigError, match="tf_efficientnet_b0"):
        choose(source, backbone="efficientnet_b0")


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224"])
def test_a_file_of_a_named_network_is_read_with_its_head(tmp_path, name):
    theirs = timm.create_model(name, pretrained=False, num_classes=5).eval()
    save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    choice = choose(f"file:{tmp_path / 'w.safetensors'}", backbone=name)
    assert (choice.backbone, choice.num_classes) == (name, 5)
    x = pictures(1, 224)
    with torch.inference_mode():
        assert torch.equal(original(choice)(x), theirs(x))
        ours = build("timm", 2, 0.0, choice, seed=0).eval()
        assert torch.equal(ours.forward_features(x), theirs.forward_features(x))
    with pytest.raises(WeightsMismatch):
        choose(f"file:{tmp_path / 'w.safetensors'}", backbone="resnet50")


def test_the_hub_has_each_networks_own_weights(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "*")
    state = timm.create_model("resnet18", pretrained=False).state_dict()
    with serve(to_safetensors(state)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        choice = choose("auto", backbone="resnet18", limits=Limits(probe_seconds=30, answer_seconds=30))
        assert "HEAD /timm/resnet18.a1_in1k/resolve/main/model.safetensors" in server.asked
    assert (choice.source, choice.why, choice.backbone) == ("imagenet", "auto_downloaded", "resnet18")
    assert "resnet18.a1_in1k" in choice.label and choice.has_head
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert choose("auto", backbone="resnet18").why == "auto_cached"
    with pytest.raises(WeightsUnavailable):  # nothing of its own is here, and nothing else will do
        choose("auto", backbone="resnet50")
