"""Which folder layouts are understood, and what is said about the others."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.core.data_drawing import class_folders, write
from tl_core.base.errors import (
    DataNotFound,
    NoClassFolders,
    NotAFolder,
    OneClass,
    SplitClassMissing,
    UnreadableImage,
)
from tl_core.data.folders import fingerprint, scan


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
