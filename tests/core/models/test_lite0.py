"""EfficientNet-Lite0 out of its package: the right tensors in the right places, fed as they ask."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from tl_core.base.errors import WeightsMismatch, WeightsUnavailable
from tl_core.data.pixels.decode import resize_square
from tl_core.data.pixels.normalise import normalise
from tl_core.models.build import build, original, skeleton
from tl_core.models.weights import locate, state_dicts
from tl_core.models.weights.record import IMAGENET_MEAN, IMAGENET_STD, WeightsRecord
from tl_core.models.weights.sources import choose, class_names, load_state


@pytest.fixture(scope="module")
def lite0() -> WeightsRecord:
    return choose("imagenet-lite0")


def named(choice: WeightsRecord, picture: str, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    """The first of the 1,000 classes for one of scikit-learn's two photographs, cut as its authors cut."""
    image = load_sample_image(picture)
    side = int(min(image.shape[:2]) * choice.crop_pct)
    top, left = ((length - side) // 2 for length in image.shape[:2])
    square = resize_square(image[top : top + side, left : left + side], choice.image_px)
    with torch.inference_mode():
        logits = original(choice)(normalise(torch.from_numpy(square[None]), mean, std))
    names = class_names(choice)
    assert names is not None
    return names[int(logits.argmax())]


def test_a_palace_and_a_daisy_are_recognised(lite0):
    assert named(lite0, "china.jpg", lite0.mean, lite0.std).startswith("palace")
    assert named(lite0, "flower.jpg", lite0.mean, lite0.std).startswith("daisy")


def test_fed_as_other_weights_ask_the_flower_becomes_a_lampshade(lite0):
    assert "lampshade" in named(lite0, "flower.jpg", IMAGENET_MEAN, IMAGENET_STD)


def test_the_record_says_network_normalisation_and_size(lite0):
    assert (lite0.backbone, lite0.image_px) == ("tf_efficientnet_lite0", 224)
    assert lite0.mean == lite0.std == (0.5, 0.5, 0.5)
    assert (lite0.sha256, lite0.num_classes, lite0.is_pretrained) == (locate.LITE0_SHA256, 1000, True)


def test_every_tensor_arrives_under_the_name_that_timm_has_for_its_place(lite0):
    theirs = state_dicts._open(lite0.path, lite0.source)
    ours = load_state(lite0, "timm")
    assert len(theirs) == len(ours) == 296
    # the two lists happen to be in the same order; the mapping must not need that
    for key, (name, tensor) in zip(theirs, ours.items(), strict=True):
        assert torch.equal(theirs[key], tensor), (key, name)
    shuffled = dict(sorted(theirs.items()))
    again = state_dicts.fit(state_dicts.to_timm(shuffled, lite0.backbone), "imagenet-lite0", lite0.backbone)
    assert all(torch.equal(ours[key], again[key]) for key in ours)


def test_a_tensor_of_another_name_or_shape_is_refused(lite0):
    theirs = state_dicts._open(lite0.path, lite0.source)
    for wrong, words in (
        ({"_blocks.3._shortcut.weight": torch.zeros(3)}, "_blocks.3._shortcut.weight"),
        ({"_conv_stem.weight": torch.zeros(40, 3, 3, 3)}, r"conv_stem.weight \(40, 3, 3, 3\)"),
    ):
        state = state_dicts.to_timm({**theirs, **wrong}, lite0.backbone)
        with pytest.raises(WeightsMismatch, match=words):
            state_dicts.fit(state, "imagenet-lite0", lite0.backbone)


def test_an_altered_file_is_refused(lite0, tmp_path, monkeypatch):
    copy = tmp_path / "lite0.pth"
    content = bytearray(lite0.path.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    monkeypatch.setattr(locate, "lite0_path", lambda: copy)
    with pytest.raises(WeightsUnavailable) as caught:
        choose("imagenet-lite0")
    assert caught.value.values["reason"] == "file_damaged"
    assert choose("auto").source != "imagenet-lite0"


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_the_network_belongs_to_the_weights(lite0, library):
    model = build(library, 2, 0.3, lite0, seed=0)
    assert (model.library, model.name, model.feature_dim) == ("timm", "tf_efficientnet_lite0", 1280)
    assert sum(p.numel() for p in model.parameters()) == 4_652_008 - 1_281_000 + 2 * 1281
    assert len(model.part_names) == 10
    again = skeleton(library, 2, 0.3, lite0.backbone)
    again.load_state_dict(model.state_dict())
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype(np.float32))
    with torch.inference_mode():
        assert torch.equal(again.eval()(x), model.eval()(x))
