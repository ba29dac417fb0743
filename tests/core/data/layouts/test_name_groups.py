"""What names tell about pictures that belong together, and the table that says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.data_drawing import class_folders, write
from tl_core.base.errors import BadGroups
from tl_core.data.layouts import name_groups
from tl_core.data.prepare import prepare

RF = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("kind", "names", "num_groups"),
    [
        ("roboflow", [f"train/a/x_jpg.rf.{RF}.jpg", f"test/a/x_jpg.rf.{RF[::-1]}.jpg"], 1),
        ("roboflow", [f"a/clip_mp4-{i}_jpg.rf.{RF}.jpg" for i in (12, 13)], 1),
        ("burst", ["c/IMG_20240101_120000_BURST001.jpg", "c/IMG_20240101_120000_BURST002_COVER.jpg"], 1),
        ("burst", ["c/20240101_120000_001.jpg", "c/20240101_120000_002.jpg"], 1),
        ("burst", [f"c/0000{i}PORTRAIT_0000{i}_BURST20190101120000123_COVER.jpg" for i in (0, 1)], 1),
        ("burst", ["c/G0010001.JPG", "c/G0010002.JPG", "c/G0020003.JPG", "c/G0020004.JPG"], 2),
        ("video", ["c/walk_frame_0001.jpg", "c/walk-frame-0002.jpg"], 1),
        ("video", ["c/a.mp4_000012.png", "d/a.mp4_000900.png"], 1),
        ("video", ["c/v1/frame_000001.PNG", "c/v1/frame_000002.PNG"], 1),
        ("person", ["happy/subject01.happy.png", "sad/subject01.sad.png"], 1),
        ("person", ["n/person1_virus_6.jpeg", "n/person1_virus_7.jpeg", "n/person12_virus_8.jpeg"], 1),
        ("person", ["x/S005_001_00000011.png", "y/S005_002_00000010.png"], 1),
        ("person", ["a/CNV-1016042-1.jpeg", "a/CNV-1016042-2.jpeg"], 1),
    ],
)
def test_names_of_the_field_are_known_for_what_they_are(kind, names, num_groups):
    (proposal,) = name_groups.proposals(names)
    assert (proposal.kind, proposal.num_groups) == (kind, num_groups)


@pytest.mark.parametrize(
    "names",
    [
        [f"c/{i}.jpg" for i in range(9)],
        [f"c/IMG_000{i}.jpg" for i in range(9)],
        [f"c/DSC0000{i}.JPG" for i in range(9)],
        [f"c/2024010{i}_120000.jpg" for i in range(9)],
        [f"c/image ({i}).png" for i in range(9)],
        [f"c/cast_def_0_{i}.jpeg" for i in range(9)],
    ],
)
def test_counted_names_are_no_groups(names):
    assert name_groups.proposals(names) == []


def test_a_table_beside_the_pictures_keeps_its_groups_on_one_side(tmp_path: Path):
    class_folders(tmp_path, {"a": 12, "b": 12})
    names = [f"{c}/{i:03}.png" for c in "ab" for i in range(12)]
    groups = {name: name[:3] + str(int(name[2:5]) // 3) for name in names}
    name_groups.write(tmp_path / name_groups.FILE, groups)
    options = {"image_px": 48, "seed": 1, "val_fraction": 0.2, "test_fraction": 0.2}
    prepared = prepare(tmp_path, **options)
    assert len(set(prepared.groups.tolist())) == 8 and len(prepared.split.folds) == 3
    for fold in prepared.split.folds:
        inside = {groups[prepared.dataset.pictures[i].name] for i in fold}
        outside = {groups[one.name] for i, one in enumerate(prepared.dataset.pictures) if i not in fold}
        assert not inside & outside
    assert len(set(prepare(tmp_path, **options, groups={}).groups.tolist())) == 24
    assert name_groups.in_force("none", tmp_path, names) == {}
    assert name_groups.in_force(str(tmp_path / name_groups.FILE), tmp_path, names) == groups


def test_sisters_across_given_splits_are_leaks_once_their_names_are_taken(tmp_path: Path):
    for part, seed in (("train", 0), ("test", 50)):
        for c in "ab":
            for i in range(6):
                name = f"{c}{i}_jpg.rf.{RF if part == 'train' else RF[::-1]}.png"
                write(tmp_path / part / c / name, seed + i + (20 if c == "b" else 0))
    options = {"image_px": 48, "seed": 1, "val_fraction": 0.2, "test_fraction": 0.2}
    assert not prepare(tmp_path, **options).leak.pairs
    names = [one.name for one in prepare(tmp_path, **options).dataset.pictures]
    taken = prepare(tmp_path, **options, groups=name_groups.proposed(names))
    assert taken.leak.near >= 12


@pytest.mark.parametrize("content", ["picture,burst\na,1\n", None])
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, content: str | None):
    path = tmp_path / "groups.csv"
    if content:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BadGroups, match="groups.csv"):
        name_groups.read(path)
