"""Data sets that the server can offer, found by id and never by path."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from tests.ui.conftest import draw_pictures
from tl_core.base.errors import BadArchive, OneClass, RegisterDamaged
from tl_core.base.paths import datasets_dir
from tl_core.synthetic.practice import casting
from tl_ui.stores import datasets


def zip_of(root) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(root.rglob("*.png")):
            archive.write(path, path.relative_to(root.parent).as_posix())
    file.seek(0)
    return file


def test_the_practice_sets_are_always_there():
    assert datasets.find("casting").kind == "sample"
    assert datasets.find("expression").kind == "sample"


@pytest.mark.parametrize("data_id", ["", "../../etc", "/etc", "casting/..", "nobody"])
def test_an_id_that_was_never_given_out_finds_nothing(data_id):
    assert datasets.find(data_id) is None


def test_a_typed_folder_keeps_its_id(two_classes):
    first = datasets.add_folder(two_classes)
    assert datasets.add_folder(two_classes) == first
    assert datasets.find(first.id) == first
    assert datasets.folder_of(first) == two_classes


def test_a_zip_is_unpacked_under_an_id_nobody_can_guess(two_classes):
    file = zip_of(two_classes)
    first, second = datasets.add_zip("pets.zip", file), datasets.add_zip("pets.zip", file)
    assert first.id != second.id
    assert first.label == "pets"
    assert len(list(datasets.find(first.id).path.rglob("*.png"))) == 32


def test_a_folder_upload_is_named_after_the_folder(two_classes):
    files = [
        (path.relative_to(two_classes.parent).as_posix(), io.BytesIO(path.read_bytes()))
        for path in sorted(two_classes.rglob("*.png"))
    ]
    choice = datasets.add_folder_upload(files)
    assert choice.label == "pets"
    assert len(list(choice.path.rglob("*.png"))) == 32


def test_a_broken_zip_is_refused_and_not_remembered():
    with pytest.raises(BadArchive):
        datasets.add_zip("broken.zip", io.BytesIO(b"no zip"))


def uploads() -> list[str]:
    return [path.name for path in datasets_dir().glob("u*")]


def test_a_zip_that_nothing_can_be_learnt_from_leaves_nothing_behind_and_is_named(tmp_path):
    before = uploads()
    with pytest.raises(OneClass) as refusal:
        datasets.add_zip("pets.zip", zip_of(draw_pictures(tmp_path / "pets", {"cats": 4})))
    assert refusal.value.values == {"path": "pets.zip", "name": "cats"}
    assert uploads() == before
    assert str(datasets_dir()) not in str(refusal.value)


def test_a_folder_upload_that_nothing_can_be_learnt_from_leaves_nothing_behind_and_is_named(tmp_path):
    before = uploads()
    picture = draw_pictures(tmp_path / "pets", {"cats": 1}) / "cats" / "cats_00.png"
    with pytest.raises(OneClass) as refusal:
        datasets.add_folder_upload([("pets/cats/a.png", io.BytesIO(picture.read_bytes()))])
    assert refusal.value.values["path"] == "pets"
    assert uploads() == before


def test_korean_names_survive(tmp_path):
    root = draw_pictures(tmp_path / "내 사진", {"고양이": 4, "강아지": 4})
    choice = datasets.add_zip("내 사진.zip", zip_of(root))
    assert choice.label == "내 사진"
    assert {path.parent.name for path in choice.path.rglob("*.png")} == {"고양이", "강아지"}


def test_the_drawing_of_a_practice_set_tells_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    shots = casting.shots(0)[:3]
    monkeypatch.setattr(casting, "shots", lambda seed: shots)
    told = []
    datasets.folder_of(datasets.find("casting"), lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("content", [b'{"f1": {"kind": "fol', b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_register_that_cannot_be_read_is_kept_and_said(two_classes, content):
    register = datasets_dir() / "register.json"
    register.parent.mkdir(parents=True, exist_ok=True)
    before = register.read_bytes() if register.exists() else None
    register.write_bytes(content)
    try:
        assert datasets.find("f1") is None
        assert datasets.find("casting") is not None
        with pytest.raises(RegisterDamaged, match="register.json"):
            datasets.add_folder(two_classes)
        assert register.read_bytes() == content
    finally:
        register.unlink() if before is None else register.write_bytes(before)


def test_one_bad_entry_of_the_register_hides_no_other(two_classes):
    choice = datasets.add_folder(two_classes)
    register = datasets_dir() / "register.json"
    entries = json.loads(register.read_text(encoding="utf-8"))
    register.write_text(json.dumps(entries | {"f1": {"kind": 3}, "f2": None}), encoding="utf-8")
    assert datasets.find(choice.id) == choice
    assert datasets.find("f1") is None and datasets.find("f2") is None
