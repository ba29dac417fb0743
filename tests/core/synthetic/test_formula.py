"""The formula pictures: the classes are those the built-in weights know, and a seed is the whole picture."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tl_core.base.errors import ConfigError
from tl_core.data.pixels.normalise import normalise
from tl_core.models import build
from tl_core.models.weights import sources
from tl_core.synthetic import formula

ROOT = Path(__file__).resolve().parents[3]
CARD = json.loads(
    (ROOT / "tl_core" / "models" / "pretrained" / "formula_b0.json").read_text(encoding="utf-8")
)

# Of the parameters in the order of their fields, compared bit by bit with those of the training pictures.
PARAMETERS_SHA256 = "e9edae3e9d8fb77198584c20db53ffd120abd4750fd3869f5ae395c3f76fb10a"

FIRST_OF_FAMILY = np.cumsum([0, *(family.num_classes for family in formula.FAMILIES[:-1])]).tolist()


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, tuple | list):
        for item in value:
            yield from numbers_in(item)
    else:
        yield float(value)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two pictures of one size."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def halved(picture: np.ndarray) -> np.ndarray:
    px = len(picture) // 2
    return picture.reshape(px, 2, px, 2, 3).mean(axis=(1, 3))


def test_names_and_families_are_those_of_the_built_in_head():
    assert list(formula.class_names()) == CARD["classes"]
    assert {family.name: family.num_classes for family in formula.FAMILIES} == CARD["families"]
    assert list(CARD["families"]) == [family.name for family in formula.FAMILIES]


def test_every_class_stands_at_the_place_of_its_output():
    members = formula.classes()
    assert [member.index for member in members] == list(range(1000))
    assert [member.name for member in members] == CARD["classes"]
    assert all(member.name.startswith(member.family.name) for member in members)


def test_parameters_are_those_the_built_in_weights_were_trained_with():
    numbers = [n for member in formula.classes() for n in numbers_in(dataclasses.astuple(member.parameters))]
    digest = hashlib.sha256(np.array(numbers, "<f4").tobytes()).hexdigest()
    assert digest == PARAMETERS_SHA256


def test_parameters_are_kept_in_single_precision():
    numbers = [n for member in formula.classes() for n in numbers_in(dataclasses.astuple(member.parameters))]
    assert numbers == np.array(numbers, np.float32).tolist()


@pytest.mark.parametrize("class_index", FIRST_OF_FAMILY)
def test_a_picture_does_not_depend_on_what_was_drawn_before(class_index):
    first = formula.draw(class_index, 7, 48)
    formula.draw(class_index, 8, 48)
    formula.draw(999 - class_index, 7, 32)
    np.random.seed(3)
    assert np.array_equal(first, formula.draw(class_index, 7, 48))


def test_a_batch_holds_the_single_pictures_in_order():
    chosen, seeds = [5, 900, 400, 5], [1, 2, 3, 4]
    batch = formula.draw_batch(chosen, seeds, 40)
    assert batch.shape == (4, 40, 40, 3) and batch.dtype == np.uint8
    for picture, class_index, seed in zip(batch, chosen, seeds, strict=True):
        assert np.array_equal(picture, formula.draw(class_index, seed, 40))
    assert formula.draw_batch([], [], 40).shape == (0, 40, 40, 3)


def test_another_process_draws_the_same_picture():
    code = "from tl_core.synthetic import formula; print(formula.draw(310, 5, 64).tobytes().hex())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == formula.draw(310, 5, 64).tobytes().hex()


@pytest.mark.parametrize("class_index", FIRST_OF_FAMILY)
def test_seeds_and_classes_draw_different_pictures(class_index):
    pictures = [formula.draw(class_index, seed, 48) for seed in range(8)]
    pictures.append(formula.draw(class_index + 1, 0, 48))
    assert len({picture.tobytes() for picture in pictures}) == 9


@pytest.mark.parametrize("image_px", [8, 31, 64, 225])
@pytest.mark.parametrize("class_index", FIRST_OF_FAMILY)
def test_any_size_can_be_drawn(class_index, image_px):
    picture = formula.draw(class_index, 1, image_px)
    assert picture.shape == (image_px, image_px, 3) and picture.dtype == np.uint8


@pytest.mark.parametrize("first", FIRST_OF_FAMILY)
def test_another_size_shows_the_same_scene(first):
    chosen, seeds = [first + n for n in range(12)], list(range(12))
    small, large = (formula.draw_batch(chosen, seeds, px) for px in (64, 128))
    same = [likeness(a, halved(b)) for a, b in zip(small, large, strict=True)]
    others = [likeness(a, halved(b)) for a, b in zip(small, np.roll(large, 1, axis=0), strict=True)]
    assert np.median(same) > 0.8
    assert np.median(others) < 0.4


@pytest.mark.parametrize("first", FIRST_OF_FAMILY)
def test_every_family_draws_something(first):
    for class_index in (first, first + 30, first + 60):
        pictures = formula.draw_batch([class_index] * 8, range(8), 64).astype(float)
        spreads = pictures.std(axis=(1, 2, 3))
        assert np.median(spreads) > 12, formula.class_names()[class_index]
        assert spreads.min() > 1


def test_half_the_pictures_are_grey():
    pictures = formula.draw_batch(range(0, 1000, 5), range(200), 16)
    is_grey = (pictures == pictures[..., :1]).all(axis=(1, 2, 3))
    assert 60 < is_grey.sum() < 120


@torch.inference_mode()
def test_the_built_in_head_recognises_fresh_instances():
    """By chance 0.2 of 40 are among its first five; 89 % of 2,000 were, at the size it knows best."""
    choice = sources.choose("formula")
    network = build.original(choice).eval()
    chosen = list(range(12, 1000, 25))
    pictures = torch.from_numpy(formula.draw_batch(chosen, range(40), 128))
    logits = network(normalise(pictures, choice.mean, choice.std))
    hits = (logits.topk(5).indices == torch.tensor(chosen)[:, None]).any(dim=1).sum().item()
    assert hits >= 28


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ((1000, 0, 64), "class_index"),
        ((-1, 0, 64), "class_index"),
        ((0, -1, 64), "seed"),
        ((0, 0, 7), "image_px"),
    ],
)
def test_a_number_outside_its_range_is_refused_by_name(numbers, name):
    with pytest.raises(ConfigError) as refusal:
        formula.draw(*numbers)
    assert refusal.value.values["name"] == name
    class_index, seed, image_px = numbers
    with pytest.raises(ConfigError):
        formula.draw_batch([class_index], [seed], image_px)


def test_a_batch_needs_one_seed_per_class():
    with pytest.raises(ValueError, match="2 classes, but 1 seeds"):
        formula.draw_batch([1, 2], [3], 32)


def test_names_can_be_had_without_opencv():
    code = "import sys, tl_core.synthetic.formula as f; f.class_names(); print('cv2' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "False"
