"""Copies are found, look-alikes are not, and a chain of look-alikes swallows nobody."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.core.data_drawing import scene
from tl_core.data import duplicates, folders
from tl_core.data.duplicates import near_duplicate_groups
from tl_core.data.pixels.decode import read_image, resize_square

PX = 224


def same_group(first: np.ndarray, second: np.ndarray) -> bool:
    groups = near_duplicate_groups([first, second, *(scene(n, PX) for n in range(50, 70))])
    return bool(groups[0] == groups[1])


def through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((PX / 2, PX / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (PX, PX), borderMode=cv2.BORDER_REFLECT)


COPIES = {
    "identical": lambda image: image.copy(),
    "saved again": lambda image: through_jpeg(image, 40),
    "half the size": lambda image: cv2.resize(cv2.resize(image, (112, 112)), (PX, PX)),
    "darker": lambda image: (image * 0.7).astype(np.uint8),
    "noisy": lambda image: cv2.add(image, np.random.default_rng(0).integers(0, 9, image.shape, np.uint8)),
    "slightly turned": lambda image: turned(image, 0.5),
    "a quarter turned": lambda image: np.rot90(image),
    "upside down": lambda image: np.rot90(image, 2),
    "mirrored": lambda image: image[:, ::-1],
    "mirrored, turned and saved again": lambda image: through_jpeg(np.rot90(image[:, ::-1]).copy(), 50),
}


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_copy_joins_its_original(kind: str, seed: int):
    image = scene(seed, PX)
    assert same_group(image, np.ascontiguousarray(COPIES[kind](image)))


def test_different_pictures_stay_apart():
    assert len(np.unique(near_duplicate_groups(scene(n, PX) for n in range(60)))) == 60


def test_discs_that_only_look_alike_stay_apart():
    """One bright ring on grey, as all castings are; what differs is the light on it and a mark."""

    def disc(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:PX, :PX] - PX / 2
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        light = sum(rng.normal(0, 20) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in range(1, 6))
        grey = np.where(radius < 40, 30, np.where(radius < 95, 180 + light, 120 + 0.3 * light))
        grey = cv2.GaussianBlur(
            grey.astype(np.float32) + cv2.resize(rng.normal(0, 6, (28, 28)), (PX, PX)), (0, 0), 1
        )
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)

    groups = near_duplicate_groups(disc(seed) for seed in range(80))
    assert np.bincount(groups).max() <= 2
    assert len(np.unique(groups)) >= 76


def chain(steps: int) -> list[np.ndarray]:
    """Each picture resembles the one before; the ends have nothing in common."""
    return [turned(scene(1, PX), 0.5 * step) for step in range(steps)]


@pytest.mark.parametrize("num_strangers", [0, 10, 200])
def test_a_burst_is_one_group_however_large_its_share_is(num_strangers: int):
    strangers = [scene(n, PX) for n in range(100, 100 + num_strangers)]
    groups = near_duplicate_groups([*chain(40), *strangers])
    assert len(np.unique(groups[:40])) == 1 and len(np.unique(groups)) == 1 + num_strangers


def test_names_that_belong_together_join_their_groups():
    names = ["a", None, "b", "a", None, "b"]
    assert duplicates.joined(np.array([0, 1, 2, 3, 3, 4]), names).tolist() == [0, 1, 2, 0, 0, 2]
    assert duplicates.joined(np.array([5, 6]), [None, None]).tolist() == [5, 6]


def test_identical_pictures_are_one_group_however_many():
    groups = near_duplicate_groups([np.full((PX, PX, 3), 255, np.uint8)] * 300 + [scene(1, PX)])
    assert len(np.unique(groups[:300])) == 1
    assert groups[300] != groups[0]


def test_groups_do_not_depend_on_the_block_size(monkeypatch: pytest.MonkeyPatch):
    images = [*chain(5), *(scene(n, PX) for n in range(30)), *chain(3)]
    whole = near_duplicate_groups(images)
    monkeypatch.setattr(duplicates, "_BLOCK", 7)
    assert np.array_equal(near_duplicate_groups(images), whole)


def test_no_pictures_make_no_groups():
    assert near_duplicate_groups([]).shape == (0,)
    assert near_duplicate_groups([scene(1)]).tolist() == [0]


@pytest.mark.skipif("HEADSWAP_TEST_DATA" not in os.environ, reason="real pictures are not here")
def test_real_castings_have_copies_and_real_faces_have_none():
    def groups_of(name: str) -> np.ndarray:
        pictures = folders.scan(Path(os.environ["HEADSWAP_TEST_DATA"]) / name).pictures
        return near_duplicate_groups(resize_square(read_image(one.path), PX) for one in pictures)

    castings = np.bincount(groups_of("casting_small"))
    assert 480 <= len(castings) <= 560
    assert castings.max() <= 30
    assert np.bincount(groups_of("face_happy_neutral_small")).max() == 1
