"""Decisions beside the pictures: followed, undone, and never touching a picture or the split."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.core.data_drawing import class_folders, scene, write
from tl_core.base.errors import BadDecisions, DecisionsLeaveNone, OutputUnwritable
from tl_core.data import curation
from tl_core.data.folders import fingerprint, scan
from tl_core.data.prepare import Prepared, prepare


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "사진", {"cats": 64, "dogs": 62})


def ready(root: Path, **options) -> Prepared:
    return prepare(root, image_px=32, seed=1, val_fraction=0.2, test_fraction=0.2, **options)


def names(prepared: Prepared, part: str) -> set[str]:
    return {prepared.dataset.pictures[i].name for i in getattr(prepared.split, part)}


def contents(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*.png") if curation.CORRECTIONS not in path.parts]
    return {path.name + path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def used_fingerprint(prepared: Prepared) -> str:
    found = prepared.found or prepared.dataset
    return curation.fingerprint(found, prepared.dataset, fingerprint(found))


def test_an_excluded_picture_is_left_out_and_a_relabelled_one_takes_the_other_class(root: Path):
    curation.decide(root, "cats/000.png", "exclude", why="blurred")
    curation.decide(root, "cats/001.png", "relabel", "dogs", "label")
    curation.decide(root, "cats/002.png", "keep")
    prepared = ready(root)
    labels = {p.name: prepared.dataset.classes[p.label] for p in prepared.dataset.pictures}
    assert "cats/000.png" not in labels and len(labels) == 125
    assert labels["cats/001.png"] == "dogs" and labels["cats/002.png"] == "cats"
    assert prepared.labels.tolist() == [p.label for p in prepared.dataset.pictures]
    assert prepared.decision_counts == {"excluded": 1, "relabelled": 1, "added": 0}
    for index, picture in enumerate(prepared.dataset.pictures):
        alone = ready(root, decisions=())
        place = next(i for i, p in enumerate(alone.dataset.pictures) if p.name == picture.name)
        np.testing.assert_array_equal(prepared.images[index], alone.images[place])
        if index > 2:
            break


def test_decisions_move_no_picture_to_another_part(root: Path):
    before = ready(root)
    test = sorted(names(before, "test"))
    curation.decide(root, test[0], "exclude")
    curation.decide(root, test[1], "relabel", "dogs" if test[1].startswith("cats") else "cats")
    curation.decide(root, sorted(names(before, "train"))[0], "exclude")
    after = ready(root)
    assert names(after, "test") == names(before, "test") - {test[0]}
    assert names(after, "val") == names(before, "val")


def test_the_fingerprint_follows_the_decisions_and_comes_back_when_they_are_undone(root: Path):
    before = used_fingerprint(ready(root))
    assert before == fingerprint(scan(root))
    curation.decide(root, "cats/000.png", "keep")
    assert used_fingerprint(ready(root)) == before, "to keep a picture changes nothing"
    curation.decide(root, "cats/000.png", "relabel", "dogs")
    relabelled = used_fingerprint(ready(root))
    curation.decide(root, "cats/000.png", "exclude")
    excluded = used_fingerprint(ready(root))
    assert len({before, relabelled, excluded}) == 3
    curation.undo(root, "cats/000.png")
    assert not (root / curation.FILE).exists()
    assert used_fingerprint(ready(root)) == before


def test_deleting_the_file_restores_everything_and_no_picture_was_touched(root: Path):
    before = contents(root)
    curation.decide(root, "cats/000.png", "exclude")
    curation.decide(root, "dogs/000.png", "relabel", "cats")
    curation.add_correction(root, "new.jpg", scene(900), "dogs")
    ready(root)
    assert contents(root) == before
    curation.undo_all(root)
    assert curation.decided(root) == []
    assert ready(root).decision_counts == {"excluded": 0, "relabelled": 0, "added": 1}


def test_a_later_decision_on_a_picture_replaces_the_earlier_one(root: Path):
    curation.decide(root, "cats/000.png", "exclude", why="한글, 쉼표")
    curation.decide(root, "cats/000.png", "relabel", "dogs", "label")
    [row] = curation.decided(root)
    assert (row.decision, row.label, row.why) == ("relabel", "dogs", "label") and row.when


def test_of_two_rows_on_one_picture_the_last_stands(root: Path):
    text = "file,decision,class\ncats/000.png,exclude,\ncats/001.png,keep,\ncats/000.png,relabel,dogs\n"
    (root / curation.FILE).write_text(text, encoding="utf-8")
    assert [(row.file, row.decision) for row in curation.decided(root)] == [
        ("cats/001.png", "keep"),
        ("cats/000.png", "relabel"),
    ]
    found = scan(root)
    assert len(curation.followed(found).pictures) == len(found.pictures)


def test_corrections_are_trained_on_and_judge_nothing(root: Path):
    plain = ready(root)
    path = curation.add_correction(root, "../../a b.jpg", scene(901, 200), "dogs")
    assert path.parent == root / curation.CORRECTIONS / "dogs"
    assert curation.add_correction(root, "../../a b.jpg", scene(901, 200), "dogs") == path, "kept once"
    prepared = ready(root)
    [index] = prepared.added
    assert prepared.dataset.pictures[index].path == path
    assert prepared.dataset.classes[prepared.labels[index]] == "dogs"
    assert index in prepared.split.train
    assert names(prepared, "test") == names(plain, "test") and names(prepared, "val") == names(plain, "val")
    assert used_fingerprint(prepared) != used_fingerprint(plain)
    assert "headswap-corrections" not in scan(root).classes


def test_a_correction_that_is_a_copy_of_a_test_picture_is_not_trained_on(root: Path):
    plain = ready(root)
    tested = plain.dataset.pictures[plain.split.test[0]]
    trained = plain.dataset.pictures[plain.split.train[0]]
    for picture in (tested, trained):
        number = int(picture.path.stem) + (64 if picture.name.startswith("dogs") else 0)
        curation.add_correction(root, picture.path.name, scene(number), "cats")
    prepared = ready(root)
    assert prepared.decision_counts["added"] == 1
    assert [one.reason for one in prepared.dataset.refused] == ["copy_of_held_out"]
    assert prepared.leak.pairs == plain.leak.pairs


def test_corrections_are_in_no_fold_of_a_cross_validation(tmp_path: Path):
    from tl_core.base.config import RunConfig
    from tl_core.training.cross_validation import without

    root = class_folders(tmp_path / "few", {"a": 10, "b": 10})
    curation.add_correction(root, "x.png", scene(902), "a")
    prepared = ready(root)
    assert prepared.split.folds
    [index] = prepared.added
    for held_out in prepared.split.folds:
        part = without(prepared, held_out, RunConfig()).split
        assert index in part.train and index not in part.val + part.test + held_out


def test_an_evaluation_follows_labels_and_omissions_but_judges_no_correction(root: Path):
    curation.decide(root, "cats/000.png", "exclude")
    curation.decide(root, "cats/001.png", "relabel", "dogs")
    curation.add_correction(root, "x.png", scene(904), "dogs")
    used = curation.followed(scan(root))
    assert used.counts() == {"cats": 62, "dogs": 63}


def test_what_does_not_exist_any_more_is_passed_over(root: Path):
    curation.decide(root, "cats/gone.png", "exclude")
    assert ready(root).decision_counts == {"excluded": 0, "relabelled": 0, "added": 0}


def test_a_row_that_cannot_be_followed_is_named_with_its_mend(root: Path):
    (root / curation.FILE).write_text(
        "file,decision,class,why,when\ncats/000.png,delete,,,\n", encoding="utf-8"
    )
    with pytest.raises(BadDecisions) as error:
        ready(root)
    assert "delete" in str(error.value) and "line 2" in str(error.value)
    curation.undo_all(root)
    curation.decide(root, "cats/000.png", "relabel", "birds")
    with pytest.raises(BadDecisions, match="birds"):
        ready(root)


def test_leaving_out_a_whole_class_is_refused_in_words(root: Path):
    rows = [curation.CurationEdit(f"cats/{n:03}.png", "exclude") for n in range(64)]
    curation.write(root / curation.FILE, rows)
    with pytest.raises(DecisionsLeaveNone, match="cats"):
        ready(root)


def test_a_table_from_a_spreadsheet_is_read(root: Path):
    curation.decide(root, "cats/000.png", "exclude", why="흐림")
    assert (root / curation.FILE).read_bytes().startswith(b"\xef\xbb\xbf"), "Excel reads Korean by this mark"
    text = (root / curation.FILE).read_text(encoding="utf-8-sig")
    (root / curation.FILE).write_text(text.replace("\n", "\r\n"), encoding="utf-8")
    assert curation.decided(root)[0].why == "흐림"


def test_a_place_that_cannot_be_written_says_so(root: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_args, **_options):
        raise OutputUnwritable(path=root / curation.FILE, reason="permission", detail="")

    monkeypatch.setattr(curation, "write_atomic", refuse)
    with pytest.raises(OutputUnwritable):
        curation.decide(root, "cats/000.png", "exclude")
    assert not (root / curation.FILE).exists()


def test_corrections_with_decomposed_names_are_trained_on_and_removed(tmp_path: Path):
    decomposed = partial(unicodedata.normalize, "NFD")
    root = class_folders(tmp_path, {decomposed("불량"): 20, "정상": 20})
    path = write(root / curation.CORRECTIONS / decomposed("불량") / decomposed("사진.png"), 900)
    prepared = ready(root)
    [index] = prepared.added
    picture = prepared.dataset.pictures[index]
    assert (picture.name, picture.path) == ("headswap-corrections/불량/사진.png", path)
    assert prepared.dataset.classes[picture.label] == "불량"
    curation.remove_correction(root, picture.name)
    assert not path.exists()


def test_a_table_with_decomposed_names_is_followed(tmp_path: Path):
    root = class_folders(tmp_path, {"불량": 20, "정상": 20})
    row = curation.CurationEdit("불량/000.png", "relabel", "정상")
    curation.write(root / curation.FILE, [row])
    text = (root / curation.FILE).read_text(encoding="utf-8")
    (root / curation.FILE).write_text(unicodedata.normalize("NFD", text), encoding="utf-8")
    assert curation.decided(root) == [row]
    assert ready(root).decision_counts["relabelled"] == 1


def test_only_own_corrections_are_ever_deleted(root: Path):
    path = curation.add_correction(root, "x.png", scene(903), "cats")
    curation.remove_correction(root, "cats/000.png")
    curation.remove_correction(root, "../outside.png")
    assert (root / "cats/000.png").exists() and path.exists()
    curation.remove_correction(root, path.relative_to(root).as_posix())
    assert not path.exists()


def test_a_zip_or_folder_with_the_table_still_has_only_its_own_classes(root: Path):
    write(root / curation.CORRECTIONS / "cats" / "x.png", 5)
    assert scan(root).classes == ["cats", "dogs"]


def test_blanks_around_a_name_belong_to_it(tmp_path: Path):
    root = class_folders(tmp_path, {"cat": 2, " cat": 2, "dog ": 2})
    curation.decide(root, " cat/000.png", "exclude")
    curation.decide(root, "cat/001.png", "relabel", "dog ")
    before, after = scan(root), curation.followed(scan(root))
    assert {one.name for one in before.pictures} - {one.name for one in after.pictures} == {" cat/000.png"}
    (moved,) = (one for one in after.pictures if one.name == "cat/001.png")
    assert after.classes[moved.label] == "dog "
