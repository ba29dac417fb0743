"""Data sets that the server can offer, found by id and never by path."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from tests.ui.conftest import draw_pictures
from tl_core.base.errors import BadArchive, NoReadableImages, OneClass, RegisterDamaged
from tl_core.base.files.paths import datasets_dir
from tl_core.synthetic.practice import casting
from tl_ui.stores.sets import datasets


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


def upload(two_classes) -> datasets.DataChoice:
    return datasets.add_zip("pets.zip", zip_of(two_classes))


def test_sets_are_listed_the_latest_first_and_carry_their_own_name(two_classes):
    first, second = datasets.add_folder(two_classes), upload(two_classes)
    assert datasets.own() == [second, first]
    assert second.path.name == "pets", "runs and reports call the pictures by their folder"
    assert datasets.at(second.path) == second and datasets.at(two_classes) == first
    datasets.rename(second.id, "  My   pets ")
    datasets.rename(second.id, " ")
    assert datasets.find(second.id).label == "My pets" and datasets.find(second.id).path == second.path


def test_a_deleted_upload_can_be_had_back_for_a_time_and_a_folder_is_never_touched(two_classes, monkeypatch):
    typed, sent = datasets.add_folder(two_classes), upload(two_classes)
    for choice in (typed, sent):
        datasets.delete(choice.id)
        assert datasets.find(choice.id) is None
    assert datasets.own() == [] and {choice.id for choice in datasets.deleted()} == {typed.id, sent.id}
    datasets.restore(sent.id)
    assert datasets.find(sent.id) == sent and len(list(sent.path.rglob("*.png"))) == 32
    datasets.delete(sent.id)
    later = datasets.time.time() + (datasets.KEPT_DAYS + 1) * 86_400
    monkeypatch.setattr(datasets.time, "time", lambda: later)
    assert datasets.deleted() == []
    assert not sent.path.exists() and two_classes.is_dir()


def test_an_upload_grows_by_pictures_it_does_not_have_yet(two_classes, tmp_path):
    choice = upload(two_classes)
    more = draw_pictures(tmp_path / "more", {"cats": 3}, seed=9) / "cats"
    known = two_classes / "cats" / "cats_05.png"
    files = [("cats_00.png", io.BytesIO((more / "cats_00.png").read_bytes()))]
    files += [("c:\\x\\cats_01.png", io.BytesIO((more / "cats_01.png").read_bytes()))]
    files += [("again.png", io.BytesIO(known.read_bytes()))]
    assert datasets.enlarge(choice, "cats", files) == 2
    cats = next(path for path in choice.path.rglob("cats") if path.is_dir())
    assert len(list(cats.glob("*.png"))) == 22
    assert datasets.enlarge(choice, "../../birds", [("b.png", io.BytesIO(known.read_bytes()))]) == 1
    assert [path.parent.parent for path in choice.path.rglob("b.png")] == [cats.parent]


def test_pictures_are_added_to_the_training_part_of_a_set_that_is_split_already(tmp_path):
    root = draw_pictures(tmp_path / "cast", {"train/a": 6, "train/b": 6, "test/a": 4, "test/b": 4})
    choice = datasets.add_zip("cast.zip", zip_of(root))
    extra = draw_pictures(tmp_path / "extra", {"a": 1}, seed=5) / "a" / "a_00.png"
    assert datasets.enlarge(choice, "a", [("new.png", io.BytesIO(extra.read_bytes()))]) == 1
    (added,) = choice.path.rglob("new.png")
    assert added.parent.parent.name == "train"


def test_what_is_no_picture_is_refused(two_classes):
    with pytest.raises(NoReadableImages):
        datasets.enlarge(upload(two_classes), "cats", [("a.txt", io.BytesIO(b"no"))])
