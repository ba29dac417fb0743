"""Copies, blurred, dark, bright and odd-sized pictures are found, and the rest is left alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.core.data_drawing import class_folders, scene, write
from tl_core.data.pixels.decode import read_image, upright_size
from tl_core.data.prepare import prepare
from tl_core.data.quality import Flag, flags


def found(root: Path) -> dict[str, list[Flag]]:
    prepared = prepare(root, image_px=64, seed=0, val_fraction=0.2, test_fraction=0.2, decisions=())
    by_file: dict[str, list[Flag]] = {}
    for flag in flags(prepared):
        by_file.setdefault(flag.file, []).append(flag)
    return by_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "data", {"a": 30, "b": 30})


def test_an_even_set_has_nothing_to_look_at(root: Path):
    assert found(root) == {}


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("blurred", lambda image: cv2.GaussianBlur(image, (0, 0), 6)),
        ("dark", lambda image: (image * 0.15).astype(np.uint8)),
        ("bright", lambda image: 255 - ((255 - image) * 0.15).astype(np.uint8)),
        ("small", lambda image: cv2.resize(image, (30, 30))),
        ("shape", lambda image: cv2.resize(image, (96, 200))),
    ],
)
def test_a_spoilt_picture_is_named_with_its_reason(root: Path, kind, spoil):
    write(root / "a" / "spoilt.png", spoil(scene(777)))
    named = found(root)
    assert kind in [flag.kind for flag in named["a/spoilt.png"]]
    assert set(named) == {"a/spoilt.png"}


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_that_is_judged_is_the_one_that_is_read(tmp_path: Path, ending: str, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(tmp_path / f"turned.{ending}", scene(1)[:60], exif=exif)
    with Image.open(path) as picture:
        width, height = upright_size(picture)
    assert read_image(path).shape == (height, width, 3)


def test_a_portrait_turned_by_its_flag_has_no_odd_shape(tmp_path: Path):
    on_its_side = Image.Exif()
    on_its_side[0x0112] = 6
    for number in range(40):
        portrait = cv2.resize(scene(number), (48, 96))
        path = tmp_path / "ab"[number % 2] / f"{number:03}.jpg"
        if number == 7:
            write(path, np.rot90(portrait).copy(), exif=on_its_side)
        else:
            write(path, portrait)
    assert "shape" not in [flag.kind for one in found(tmp_path).values() for flag in one]


def test_a_copy_in_another_class_cannot_be_right_twice(root: Path):
    write(root / "b" / "twin.png", scene(3))
    named = found(root)
    assert set(named) == {"a/003.png", "b/twin.png"}
    assert named["b/twin.png"][0].kind == "twin_class"
    assert named["b/twin.png"][0].values["twin"] == "a/003.png"
    assert named["b/twin.png"][0].values["class"] == "a"


def test_of_copies_in_one_class_the_first_may_stay(root: Path):
    write(root / "a" / "zz.png", scene(3))
    assert {file: one[0].kind for file, one in found(root).items()} == {"a/zz.png": "twin"}


def test_a_copy_across_given_parts_is_a_leak(tmp_path: Path):
    class_folders(tmp_path / "train", {"a": 20, "b": 20})
    class_folders(tmp_path / "test", {"a": 12, "b": 12}, first_seed=500)
    write(tmp_path / "test" / "a" / "leak.png", scene(2))
    [flag] = found(tmp_path)["test/a/leak.png"]
    assert flag.kind == "twin_leak"
    assert flag.values["twin"] == "train/a/002.png"
