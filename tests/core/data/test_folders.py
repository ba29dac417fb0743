"""Which folder layouts are understood, and what is said about the others."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.core.data_drawing import class_folders, write
from tl_core.base.errors import (
    DataNotFound,
    LabelsInFile,
    NoClassFolders,
    NotAFolder,
    NoTrainingPart,
    OneClass,
    SplitClassMissing,
    UnreadableImage,
)
from tl_core.data.folders import fingerprint, refuse_too_few, scan


def test_class_folders_are_numbered_alphabetically(tmp_path: Path):
    class_folders(tmp_path, {"ok_front": 2, "def_front": 3})
    data = scan(tmp_path)
    assert data.class_to_idx == {"def_front": 0, "ok_front": 1}
    assert data.counts() == {"def_front": 3, "ok_front": 2}
    assert data.given_splits == ()
    assert [picture.name for picture in data.pictures][:2] == ["def_front/000.png", "def_front/001.png"]
    assert {picture.given_split for picture in data.pictures} == {None}


def test_numbering_agrees_with_torchvision(tmp_path: Path):
    from torchvision.datasets import ImageFolder

    class_folders(tmp_path, {"b": 1, "A": 1, "가": 1, "a b": 1, "10": 1, "9": 1})
    assert scan(tmp_path).class_to_idx == ImageFolder(str(tmp_path)).class_to_idx


@pytest.mark.parametrize("val_name", ["val", "valid", "validation", "Val"])
def test_split_folders_are_kept_apart(tmp_path: Path, val_name: str):
    for split, seed in (("train", 0), (val_name, 10), ("test", 20)):
        class_folders(tmp_path / split, {"a": 2, "b": 1}, first_seed=seed)
    data = scan(tmp_path)
    assert data.given_splits == ("train", "val", "test")
    assert data.classes == ["a", "b"]
    assert [one.given_split for one in data.pictures].count("val") == 3
    assert data.pictures[0].name == "train/a/000.png"


def test_train_alone_is_a_split_and_not_a_wrapper(tmp_path: Path):
    class_folders(tmp_path / "train", {"a": 1, "b": 1})
    assert scan(tmp_path).given_splits == ("train",)


def test_a_class_may_be_called_train(tmp_path: Path):
    class_folders(tmp_path, {"train": 2, "car": 2})
    assert scan(tmp_path).classes == ["car", "train"]
    assert scan(tmp_path).given_splits == ()


def test_unlabelled_test_pictures_make_no_test_split(tmp_path: Path):
    class_folders(tmp_path / "train", {"a": 1, "b": 1})
    write(tmp_path / "test" / "1.png", 5)
    assert scan(tmp_path).given_splits == ("train",)


def test_wrapping_folders_are_entered(tmp_path: Path):
    class_folders(tmp_path / "casting_data" / "casting_data", {"a": 1, "b": 1})
    data = scan(tmp_path)
    assert data.classes == ["a", "b"]
    assert data.root == tmp_path / "casting_data" / "casting_data"


def test_sub_folders_of_a_class_belong_to_it(tmp_path: Path):
    class_folders(tmp_path, {"a": 1, "b": 1})
    write(tmp_path / "a" / "2024" / "may" / "x.png", 7)
    assert scan(tmp_path).counts() == {"a": 2, "b": 1}


def refuse_to_list(monkeypatch: pytest.MonkeyPatch, folder: Path, number: int) -> None:
    """The system's answer to whoever lists `folder`; permissions would not stop the superuser."""
    real = os.scandir

    def scandir(path="."):
        if Path(path) == folder:
            raise OSError(number, os.strerror(number), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("inside", ["c", "c/2024"])
@pytest.mark.parametrize(("number", "reason"), [(errno.EACCES, "permission"), (errno.EIO, "os_error")])
def test_a_folder_that_cannot_be_listed_is_named_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, number: int, reason: str
):
    class_folders(tmp_path, {"a": 2, "b": 2, "c": 1, "c/2024": 1})
    refuse_to_list(monkeypatch, tmp_path / inside, number)
    with pytest.raises(UnreadableImage) as caught:
        scan(tmp_path)
    assert caught.value.values["reason"] == reason
    assert caught.value.values["file"] == str(tmp_path / inside)


@pytest.mark.parametrize("name", ["lost+found", "System Volume Information", "$RECYCLE.BIN", ".Trash-1000"])
def test_a_disks_own_folders_are_not_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    class_folders(tmp_path, {"a": 1, "b": 1, name: 1})
    refuse_to_list(monkeypatch, tmp_path / name, errno.EACCES)
    assert scan(tmp_path).classes == ["a", "b"]


def test_hidden_and_system_files_are_skipped(tmp_path: Path):
    class_folders(tmp_path, {"a": 1, "b": 1})
    for name in ("a/._000.png", "a/.cache/x.png", "__MACOSX/a/x.png", ".git/x.png", "a/@eaDir/x.png"):
        write(tmp_path / name, 9)
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read me.txt").write_text("x", encoding="utf-8")
    data = scan(tmp_path)
    assert data.counts() == {"a": 1, "b": 1}
    assert data.refused == []


def test_pictures_in_a_foreign_format_are_listed_as_refused(tmp_path: Path):
    class_folders(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "a" / "phone.HEIC").write_bytes(b"x")
    (refused,) = scan(tmp_path).refused
    assert (refused.name, refused.reason) == ("a/phone.HEIC", "unsupported")


def test_pictures_beside_the_class_folders_are_listed_as_having_no_class(tmp_path: Path):
    class_folders(tmp_path / "train", {"a": 2, "b": 2})
    class_folders(tmp_path / "test", {"a": 1, "b": 1})
    for name in ("loose.jpg", "train/loose.png", "train/.hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    found = scan(tmp_path)
    assert len(found.pictures) == 6
    assert [(one.name, one.reason) for one in found.refused] == [
        ("loose.jpg", "no_class"),
        ("train/loose.png", "no_class"),
    ]


def test_korean_spaced_and_decomposed_names_come_out_composed(tmp_path: Path):
    decomposed = unicodedata.normalize("NFD", "불량 품")
    write(tmp_path / decomposed / (unicodedata.normalize("NFD", "사진 1") + ".png"), 1)
    write(tmp_path / "정상" / "사진 1.PNG", 2)
    data = scan(tmp_path)
    assert data.classes == ["불량 품", "정상"]
    assert data.pictures[0].name == "불량 품/사진 1.png"
    assert all(picture.path.is_file() for picture in data.pictures)


def test_a_class_decomposed_in_one_split_and_composed_in_another_is_one_class(tmp_path: Path):
    class_folders(tmp_path / "train", {unicodedata.normalize("NFD", "불량"): 1, "ok": 1})
    class_folders(tmp_path / "test", {unicodedata.normalize("NFC", "불량"): 1, "ok": 1}, first_seed=5)
    assert scan(tmp_path).counts() == {"ok": 2, "불량": 2}


def test_a_link_that_leads_back_up_does_not_loop(tmp_path: Path):
    class_folders(tmp_path, {"a": 1, "b": 1})
    try:
        (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system does not let us make links")
    assert scan(tmp_path).counts() == {"a": 1, "b": 1}


def test_scanning_opens_no_picture(tmp_path: Path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"not a picture")
    assert len(scan(tmp_path).pictures) == 2


def test_what_cannot_be_a_data_set_is_said_by_name(tmp_path: Path):
    with pytest.raises(DataNotFound):
        scan(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoClassFolders):
        scan(tmp_path / "empty")
    write(tmp_path / "loose" / "1.png", 1)
    with pytest.raises(NoClassFolders):
        scan(tmp_path / "loose")
    with pytest.raises(NotAFolder):
        scan(tmp_path / "loose" / "1.png")
    with pytest.raises(OneClass, match="cats"):
        scan(class_folders(tmp_path / "one", {"cats": 3, "dogs": 0}))
    with pytest.raises(OneClass, match="cats"):
        scan(class_folders(tmp_path / "one-in-train" / "train", {"cats": 3}).parent)


@pytest.mark.parametrize("name", ["가" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_not_found(tmp_path: Path, name: str):
    with pytest.raises(DataNotFound):
        scan(tmp_path / name)


def test_a_place_that_may_not_be_looked_into_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stat(path, **_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(UnreadableImage) as caught:
        scan(tmp_path / "locked")
    monkeypatch.undo()
    assert caught.value.values["reason"] == "permission"


@pytest.mark.parametrize(("in_test", "split"), [({"a": 1}, "test"), ({"a": 1, "b": 1, "c": 1}, "train")])
def test_a_split_that_lacks_a_class_is_named(tmp_path: Path, in_test: dict[str, int], split: str):
    class_folders(tmp_path / "train", {"a": 1, "b": 1})
    class_folders(tmp_path / "test", in_test)
    with pytest.raises(SplitClassMissing) as caught:
        scan(tmp_path)
    assert caught.value.values["split"] == split


def test_the_fingerprint_follows_names_and_content_but_not_the_place(tmp_path: Path):
    first = scan(class_folders(tmp_path / "here", {"a": 2, "b": 2}))
    second = scan(class_folders(tmp_path / "there", {"a": 2, "b": 2}))
    assert fingerprint(first) == fingerprint(second)
    write(second.pictures[0].path, 99)
    assert fingerprint(first) != fingerprint(second)
    before = fingerprint(first)
    first.pictures[0].path.rename(first.pictures[0].path.with_name("other.png"))
    assert fingerprint(scan(tmp_path / "here")) != before
    with pytest.raises(UnreadableImage):
        fingerprint(first)


def test_importing_it_loads_neither_torch_nor_albumentations():
    code = "import sys, tl_core.data.folders; print({'torch', 'timm', 'albumentations'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_home_that_nobody_has_is_a_path_where_nothing_is(tmp_path):
    with pytest.raises(DataNotFound):
        scan(Path("~nosuchuser/pictures"))


def reasons(data) -> dict[str, str]:
    return {one.name: one.reason for one in data.refused}


def test_an_empty_class_folder_is_named_and_files_of_other_formats_are_left_out_with_the_reason(tmp_path):
    class_folders(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "bird").mkdir()
    for name in ("fish/1.pgm", "a/x.jxl", "a/labels.txt", "a/noending"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    data = scan(tmp_path)
    assert data.empty == ("bird", "fish")
    assert reasons(data) == {
        "a/x.jxl": "unsupported",
        "a/labels.txt": "not_a_picture",
        "a/noending": "no_ending",
        "fish/1.pgm": "unsupported",
    }
    for language in ("en", "ko"):
        lines = data.account.lines(language)
        assert "4" in lines[0] and "bird, fish" in lines[-1] and any("pillow-jxl-plugin" in x for x in lines)


def test_a_linked_folder_inside_a_class_is_followed_once(tmp_path: Path):
    class_folders(tmp_path / "d", {"a": 1, "b": 1})
    class_folders(tmp_path / "else", {"more": 3}, first_seed=9)
    try:
        for name in ("more", "again"):
            (tmp_path / "d" / "a" / name).symlink_to(tmp_path / "else" / "more", target_is_directory=True)
    except OSError:
        pytest.skip("this system does not let us make links")
    data = scan(tmp_path / "d")
    assert data.counts() == {"a": 4, "b": 1}
    assert reasons(data) == {"a/more": "link_loop"}


def test_a_run_in_the_data_is_no_class(tmp_path: Path):
    class_folders(tmp_path, {"a": 1, "b": 1, "first/plots": 3, "b/second": 2})
    for folder in ("first", "b/second"):
        for name in ("config.json", "status.json"):
            (tmp_path / folder / name).write_text("{}", encoding="utf-8")
    data = scan(tmp_path)
    assert data.counts() == {"a": 1, "b": 1}
    assert reasons(data) == {"first": "run_folder", "b/second": "run_folder"}


@pytest.mark.parametrize("train", ["training", "Train_Set", "seg_train", "TRAIN", "train data", "훈련"])
@pytest.mark.parametrize("test", ["testing", "test-set", "eval", "Evaluation", "holdout", "hold_out", "시험"])
def test_splits_are_known_by_their_usual_names(tmp_path: Path, train: str, test: str):
    class_folders(tmp_path / train, {"a": 2, "b": 2})
    class_folders(tmp_path / "dev", {"a": 1, "b": 1}, first_seed=10)
    class_folders(tmp_path / test / test, {"a": 1, "b": 1}, first_seed=20)
    data = scan(tmp_path)
    assert (data.classes, data.given_splits) == (["a", "b"], ("train", "val", "test"))


def test_a_second_folder_of_held_out_pictures_is_used_and_any_other_is_named(tmp_path: Path):
    for number, part in enumerate(("train", "test", "holdout", "predictions")):
        class_folders(tmp_path / part, {"a": 1, "b": 1}, first_seed=10 * number)
    data = scan(tmp_path)
    assert [one.given_split for one in data.pictures] == ["train"] * 2 + ["test"] * 4
    assert set(reasons(data).values()) == {"outside_split"} and len(data.refused) == 2


def test_classes_beside_one_that_is_called_train_stay_classes(tmp_path: Path):
    class_folders(tmp_path, {"train": 2, "train/steam": 1, "car": 2, "bus": 2})
    assert scan(tmp_path).counts() == {"bus": 2, "car": 2, "train": 3}


def test_only_a_val_and_a_test_can_be_judged_but_not_trained_on(tmp_path: Path):
    for number, part in enumerate(("val", "test")):
        class_folders(tmp_path / part, {"a": 5, "b": 5}, first_seed=20 * number)
    data = scan(tmp_path)
    assert data.given_splits == ("val", "test")
    with pytest.raises(NoTrainingPart):
        refuse_too_few(data)


@pytest.mark.parametrize("name", ["no_label", "Unlabeled", "unlabelled", ".ipynb_checkpoints"])
def test_what_nobody_has_labelled_is_no_class(tmp_path: Path, name: str):
    class_folders(tmp_path, {"a": 1, "b": 1, name: 2})
    data = scan(tmp_path)
    assert data.classes == ["a", "b"]
    assert set(reasons(data).values()) == (set() if name.startswith(".") else {"unlabelled"})


def loose(folder: Path, names: list[str], first_seed: int = 0) -> None:
    for number, name in enumerate(names):
        write(folder / name, first_seed + number)


def test_a_roboflow_table_labels_the_pictures_of_each_split(tmp_path: Path):
    for number, part in enumerate(("train", "valid", "test")):
        loose(tmp_path / part, ["1.png", "2.png", "3.png"], 10 * number)
        table = "filename, cat, dog\n1.png, 1, 0\n2.png, 0, 1\n3.png, 0, 0\ngone.png, 1, 0\n"
        (tmp_path / part / "_classes.csv").write_text(table, encoding="utf-8")
    data = scan(tmp_path)
    assert (data.classes, data.given_splits) == (["cat", "dog"], ("train", "val", "test"))
    assert len(data.pictures) == 6
    assert reasons(data)["train/3.png"] == "not_in_table" and reasons(data)["gone.png"] == "vanished"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("metadata.csv", "file_name,label\n1.png,cat\n2.png,dog\n"),
        (
            "metadata.jsonl",
            '{"file_name": "1.png", "label": "cat"}\n{"file_name": "2.png", "label": "dog"}\n',
        ),
        ("labels.csv", "id;breed\n1;cat\n2;dog\n"),
        ("project-1.csv", "image,id,choice\n/data/upload/1/1.png,1,cat\n/data/upload/1/2.png,2,dog\n"),
        ("answers.tsv", "image\tclass\n./1.png\tcat\n2.png\tdog\n"),
    ],
)
@pytest.mark.parametrize("at", ["", "images"])
def test_a_table_beside_the_pictures_labels_them(tmp_path: Path, file: str, content: str, at: str):
    loose(tmp_path / at, ["1.png", "2.png"])
    (tmp_path / file).write_text(content, encoding="utf-8")
    data = scan(tmp_path)
    assert data.counts() == {"cat": 1, "dog": 1}


def test_a_kaggle_table_at_the_root_labels_train_and_leaves_the_test_pictures_out(tmp_path: Path):
    loose(tmp_path / "train", ["a1.png", "a2.png"])
    loose(tmp_path / "test", ["b1.png"], 9)
    (tmp_path / "sample_submission.csv").write_text("id,label\nb1,cat\n", encoding="utf-8")
    (tmp_path / "train_labels.csv").write_text("id,label\na1,cat\na2,dog\n", encoding="utf-8")
    data = scan(tmp_path)
    assert data.counts() == {"cat": 1, "dog": 1} and data.given_splits == ("train",)
    assert reasons(data) == {"test/b1.png": "no_class"}


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("train/_annotations.coco.json", "{}", "labels_are_boxes"),
        ("data.yaml", "names: [a]", "labels_are_boxes"),
        ("train/_classes.csv", "filename,a,b\n1.png,1,1\n", "labels_several"),
        ("metadata.csv", "file_name,text\n1.png,a cat\n", "labels_unclear"),
        (None, "", "labels_missing"),
    ],
)
def test_labels_that_cannot_be_used_are_refused_by_their_file(tmp_path, file, content, reason):
    for number, part in enumerate(("train", "valid")):
        loose(tmp_path / part, ["1.png", "2.png"], 10 * number)
    if file:
        (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(LabelsInFile, match=re.escape(file or "_classes.csv")) as caught:
        scan(tmp_path)
    assert caught.value.values["reason"] == reason


def test_one_class_is_enough_to_be_judged_by(tmp_path: Path):
    class_folders(tmp_path / "cat", {"2023": 1, "2024": 1})
    assert scan(tmp_path, known=["cat", "dog"]).counts() == {"cat": 2}


def files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def test_masks_and_boxes_beside_the_images_are_no_classes(tmp_path: Path):
    """CUB-200-2011 and Stanford Dogs; NEU-DET has the same in each part."""
    for number in range(3):
        names = (
            f"{top}/{c}/{number}.jpg" for top in ("images", "segmentations") for c in ("001.Auk", "002.Tit")
        )
        files(tmp_path / "cub", *names)
        for part in ("train", "validation"):
            files(tmp_path / "neu", *(f"{part}/images/{c}/{number}.jpg" for c in ("crazing", "patches")))
            files(tmp_path / "neu", f"{part}/annotations/{number}.xml")
    data = scan(tmp_path / "cub")
    assert data.counts() == {"001.Auk": 3, "002.Tit": 3} and set(reasons(data).values()) == {"outside_split"}
    data = scan(tmp_path / "neu")
    assert data.counts() == {"crazing": 6, "patches": 6} and data.given_splits == ("train", "val")


def test_parts_of_one_set_are_labelled_by_their_table_and_are_no_classes(tmp_path: Path):
    """HAM10000 as on Kaggle."""
    files(tmp_path, *(f"HAM10000_images_part_{i // 2 + 1}/ISIC_{i}.jpg" for i in range(4)))
    rows = "".join(f"H{i},ISIC_{i},{('nv', 'mel')[i % 2]}\n" for i in range(4))
    (tmp_path / "HAM10000_metadata.csv").write_text("lesion_id,image_id,dx\n" + rows, encoding="utf-8")
    assert scan(tmp_path).counts() == {"mel": 2, "nv": 2}


def test_kaggles_cats_and_dogs_with_labels_in_file_names_are_refused(tmp_path: Path):
    files(tmp_path, "train/cat.0.jpg", "train/dog.0.jpg", "test1/1.jpg")
    with pytest.raises(LabelsInFile):
        scan(tmp_path)
