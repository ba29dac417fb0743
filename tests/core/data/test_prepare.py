"""From a path to arrays, split and leak report, with whatever people put into folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.core.data_drawing import class_folders, encoded, scene, write
from tl_core.base.errors import (
    NoReadableImages,
    OneClass,
    OutputUnwritable,
    SplitClassMissing,
    TooFewPictures,
)
from tl_core.data import prepare as module
from tl_core.data.pixels.augment import training_entries
from tl_core.data.pixels.decode import read_image, resize_square
from tl_core.data.prepare import Prepared, prepare


def prepared(path: Path, **options) -> Prepared:
    options = {"image_px": 64, "seed": 42, "val_fraction": 0.2, "test_fraction": 0.2, **options}
    return prepare(path, **options)


def test_everything_is_in_the_order_of_the_pictures(tmp_path: Path):
    data = prepared(class_folders(tmp_path, {"a": 70, "b": 60}))
    assert data.images.shape == (130, 64, 64, 3)
    assert data.images.dtype == np.uint8
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == [picture.label for picture in data.dataset.pictures]
    for index in (0, 65, 129):
        expected = resize_square(read_image(data.dataset.pictures[index].path), 64)
        assert np.array_equal(data.images[index], expected)
    assert len(data.split.test) == 26


def test_unreadable_files_are_listed_and_the_rest_goes_on(tmp_path: Path):
    class_folders(tmp_path, {"a": 8, "b": 8})
    (tmp_path / "a" / "000.png").write_bytes(b"")
    (tmp_path / "a" / "broken.jpg").write_bytes(encoded(scene(1), "jpg")[:200])
    (tmp_path / "b" / "text.bmp").write_bytes(b"hello")
    data = prepared(tmp_path)
    reasons = {refused.name: refused.reason for refused in data.dataset.refused}
    assert reasons["a/000.png"] == "empty_file"
    assert set(reasons) == {"a/000.png", "a/broken.jpg", "b/text.bmp"}
    assert data.dataset.counts() == {"a": 7, "b": 8}
    assert len(data.images) == len(data.labels) == len(data.groups) == 15
    for index, picture in enumerate(data.dataset.pictures):
        assert np.array_equal(data.images[index], resize_square(read_image(picture.path), 64))


def test_nothing_readable_is_said_with_an_example(tmp_path: Path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(NoReadableImages, match=r"2 pictures.*a/1\.png: it is not a picture"):
        prepared(tmp_path)


def test_one_class_and_one_picture_in_a_class_are_named(tmp_path: Path):
    with pytest.raises(OneClass, match="cats"):
        prepared(class_folders(tmp_path / "one", {"cats": 9}))
    with pytest.raises(TooFewPictures, match=r"dogs.*1 usable"):
        prepared(class_folders(tmp_path / "two", {"cats": 9, "dogs": 1}))


def test_a_class_of_unreadable_pictures_is_named(tmp_path: Path):
    class_folders(tmp_path, {"cats": 9})
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs" / "1.png").write_bytes(b"no picture")
    with pytest.raises(TooFewPictures, match=r"dogs.*0 usable"):
        prepared(tmp_path)


def test_a_given_test_class_that_turns_out_unreadable_is_named(tmp_path: Path):
    class_folders(tmp_path / "train", {"a": 9, "b": 9})
    class_folders(tmp_path / "test", {"a": 2}, first_seed=50)
    (tmp_path / "test" / "b").mkdir()
    (tmp_path / "test" / "b" / "1.png").write_bytes(b"no picture")
    with pytest.raises(SplitClassMissing, match="test"):
        prepared(tmp_path)


def test_near_duplicates_stay_on_one_side(tmp_path: Path):
    for number in range(70):
        for name, offset in (("a", 0), ("b", 1000)):
            image = scene(number + offset)
            write(tmp_path / name / f"{number:03}.png", image)
            write(tmp_path / name / f"{number:03} copy.jpg", np.rot90(image).copy(), quality=70)
    data = prepared(tmp_path)
    side = {index: part for part in ("train", "val", "test") for index in getattr(data.split, part)}
    for index in range(0, len(data.labels), 2):  # "000 copy.jpg" stands before "000.png"
        assert data.groups[index] == data.groups[index + 1]
        assert side[index] == side[index + 1]
    assert data.leak.pairs == []


def test_the_split_comes_before_augmentation(tmp_path: Path):
    """No copy of a held-out picture, nor of its near-duplicate, is among the training entries."""
    data = prepared(class_folders(tmp_path, {"a": 70, "b": 60}))
    entries = training_entries(data.labels, data.split.train, 250, seed=42)
    held_out = set(data.split.val + data.split.test)
    assert not {index for index, _ in entries} & held_out
    assert not {data.groups[index] for index, _ in entries} & {data.groups[index] for index in held_out}


def test_copies_across_given_parts_are_reported_and_the_parts_respected(tmp_path: Path):
    class_folders(tmp_path / "train", {"a": 20, "b": 20})
    class_folders(tmp_path / "test", {"a": 5, "b": 5}, first_seed=100)
    image = scene(3)  # train/a/003.png
    write(tmp_path / "test" / "a" / "same pixels.bmp", image)
    write(tmp_path / "test" / "a" / "turned.jpg", np.rot90(image, 2).copy(), quality=80)
    data = prepared(tmp_path)
    names = [data.dataset.pictures[index].name for index in data.split.test]
    assert len(names) == 12
    assert all(name.startswith("test/") for name in names)
    assert (data.leak.exact, data.leak.near) == (1, 1)
    assert ("train/a/003.png", "test/a/same pixels.bmp") in data.leak.pairs
    assert ("train/a/003.png", "test/a/turned.jpg") in data.leak.pairs


def test_the_same_path_and_seed_give_the_same_result(tmp_path: Path):
    class_folders(tmp_path, {"a": 70, "b": 60})
    first, second = prepared(tmp_path), prepared(tmp_path)
    assert first.split == second.split
    assert np.array_equal(first.images, second.images)
    assert prepared(tmp_path, seed=1).split != first.split


def test_progress_reaches_the_end(tmp_path: Path):
    seen = []
    prepared(
        class_folders(tmp_path, {"a": 5, "b": 5}), on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(done, 10) for done in range(1, 11)]


def test_pictures_too_many_for_memory_go_to_a_file_and_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class_folders(tmp_path, {"a": 8, "b": 8})
    in_memory = prepared(tmp_path)
    free = psutil.virtual_memory()._replace(available=100_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    mapped = prepared(tmp_path)
    assert isinstance(mapped.images, np.memmap)
    assert np.array_equal(mapped.images, in_memory.images)
    assert mapped.split == in_memory.split
    usage = module.shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputUnwritable):
        prepared(tmp_path)
