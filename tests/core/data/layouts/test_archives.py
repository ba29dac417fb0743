"""Zips and uploads: everybody's names arrive right, and nobody's tricks get out of the folder."""

from __future__ import annotations

import errno
import io
import stat
import struct
import unicodedata
import zipfile
from pathlib import Path

import pytest

from tests.core.data_drawing import encoded, scene
from tl_core.base.errors import BadArchive, NoClassFolders, OutputUnwritable, RunExists
from tl_core.data.folders import scan
from tl_core.data.layouts import archives
from tl_core.data.layouts.archives import save_upload, unpack_zip

PNG = encoded(scene(1, px=16), "png")


def zip_of(names: list[str], content: bytes = PNG, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer


def zip_with_raw_names(names: list[bytes]) -> io.BytesIO:
    """A zip as old tools write it: names as bytes in the system's code page, no UTF-8 flag."""
    stand_ins = [f"{number:0{len(name)}}" for number, name in enumerate(names)]
    data = zip_of(stand_ins).getvalue()
    for stand_in, name in zip(stand_ins, names, strict=True):
        data = data.replace(stand_in.encode(), name)
    return io.BytesIO(data)


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_zip_of_class_folders_is_unpacked_and_scanned(tmp_path: Path):
    into = unpack_zip(zip_of(["set/a/1.png", "set/b/1.png", "set/read me.txt"]), tmp_path / "new", "set.zip")
    assert files_below(into) == ["set/a/1.png", "set/b/1.png"]
    assert (into / "set/a/1.png").read_bytes() == PNG
    assert scan(into).counts() == {"a": 1, "b": 1}


def test_scan_takes_a_zip_by_path_and_sees_when_it_changes(tmp_path: Path):
    path = tmp_path / "사진 모음.zip"
    path.write_bytes(zip_of(["a/1.png", "b/1.png"]).getvalue())
    first = scan(path)
    assert first.counts() == {"a": 1, "b": 1}
    assert scan(path).root == first.root
    path.write_bytes(zip_of(["a/1.png", "a/2.png", "b/1.png"]).getvalue())
    assert scan(path).counts() == {"a": 2, "b": 1}


def test_a_zip_without_pictures_is_named_as_the_person_named_it(tmp_path: Path):
    path = tmp_path / "texts.zip"
    path.write_bytes(zip_of(["a/1.txt"]).getvalue())
    with pytest.raises(NoClassFolders, match=r"texts\.zip"):
        scan(path)


@pytest.mark.parametrize("code_page", ["cp949", "utf-8"])
def test_korean_names_survive_the_code_page_of_the_tool(tmp_path: Path, code_page: str):
    names = [name.encode(code_page) for name in ("불량/주물 사진 뷁.png", "정상/가나다.png")]
    into = unpack_zip(zip_with_raw_names(names), tmp_path / "new", "x.zip")
    assert files_below(into) == ["불량/주물 사진 뷁.png", "정상/가나다.png"]


def test_decomposed_names_of_macos_are_composed(tmp_path: Path):
    into = unpack_zip(zip_of([unicodedata.normalize("NFD", "불량/사진.png")]), tmp_path / "new", "x.zip")
    assert files_below(into) == ["불량/사진.png"]


def test_names_in_an_unknown_code_page_do_not_stop_the_zip(tmp_path: Path):
    into = unpack_zip(zip_with_raw_names([b"caf\x82/\xff\xfe.png"]), tmp_path / "new", "x.zip")
    assert len(files_below(into)) == 1


@pytest.mark.parametrize(
    ("trick", "lands"),
    [
        ("../../a/evil.png", "a/evil.png"),
        ("a/../../../evil.png", "a/evil.png"),
        ("/etc/evil.png", "etc/evil.png"),
        ("C:\\Windows\\evil.png", "C_/Windows/evil.png"),
        ("..\\..\\evil.png", "evil.png"),
        ("\\\\server\\share\\evil.png", "server/share/evil.png"),
        ("a/.. /evil.png", "a/evil.png"),
        ("a/con/nul.png", "a/_con/_nul.png"),
        ("a/x:stream.png", "a/x_stream.png"),
    ],
)
def test_path_tricks_stay_inside(tmp_path: Path, trick: str, lands: str):
    deep = tmp_path / "one" / "two" / "three"
    for into in (
        unpack_zip(zip_of([trick]), deep / "zip", "x.zip"),
        save_upload([(trick, io.BytesIO(PNG))], deep / "upload"),
    ):
        assert files_below(into) == [lands]
    assert files_below(tmp_path) == [f"one/two/three/upload/{lands}", f"one/two/three/zip/{lands}"]


def test_links_and_everything_but_pictures_are_left_out(tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("a/link.png")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        for name in ("a/run.sh", "a/.hidden.png", "__MACOSX/a/._1.png", "a/1.png", "a/noending", "a/"):
            archive.writestr(name, PNG)
    assert files_below(unpack_zip(buffer, tmp_path / "new", "x.zip")) == ["a/1.png"]


def test_two_names_that_become_one_keep_both_pictures(tmp_path: Path):
    into = unpack_zip(zip_of(["a/1.png", "../a/1.png", "a\\1.png"]), tmp_path / "new", "x.zip")
    assert len(files_below(into)) == 3


def test_very_long_names_are_shortened(tmp_path: Path):
    into = unpack_zip(zip_of(["가" * 200 + "/" + "나" * 200 + ".png"]), tmp_path / "new", "x.zip")
    (name,) = files_below(into)
    assert name.endswith(".png")
    assert max(len(part.encode()) for part in name.split("/")) <= 255


def refusal(file: io.BytesIO, into: Path) -> str:
    """The reason; and nothing may be left behind."""
    with pytest.raises(BadArchive) as caught:
        unpack_zip(file, into, "x.zip")
    assert not into.exists()
    assert list(into.parent.iterdir()) == []
    for language in ("en", "ko"):
        assert "x.zip" in caught.value.message(language)
        assert "reason." not in caught.value.message(language)
    return caught.value.values["reason"]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MAX_FILES", 10)
    assert refusal(zip_of([f"a/{n}.png" for n in range(11)]), tmp_path / "new") == "zip_too_many_files"
    with pytest.raises(BadArchive):
        save_upload(((f"a/{n}.png", io.BytesIO(PNG)) for n in range(11)), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path):
    grown = bytearray(zip_of([f"a/{n}.png" for n in range(3)], b"").getvalue())
    start = 0
    while (start := grown.find(b"PK\x01\x02", start)) >= 0:  # each claims 4 GiB in the central directory
        grown[start + 24 : start + 28] = struct.pack("<I", 0xFFFF_FFF0)
        start += 4
    assert refusal(io.BytesIO(bytes(grown)), tmp_path / "new") == "zip_too_big"


def test_a_bomb_is_stopped_by_what_it_unpacks_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 2 << 20)
    monkeypatch.setattr(archives._Writer, "expect", lambda *_: None)
    bomb = zip_of(["a/1.png"], bytes(64 << 20))
    assert len(bomb.getvalue()) < 100_000
    assert refusal(bomb, tmp_path / "new") == "zip_too_big"


def test_damaged_and_encrypted_archives_have_their_own_reasons(tmp_path: Path):
    whole = zip_of(["a/1.png"]).getvalue()
    assert refusal(io.BytesIO(b"this is no zip"), tmp_path / "new") == "zip_damaged"
    assert refusal(io.BytesIO(whole[: len(whole) // 2]), tmp_path / "new") == "zip_damaged"
    flipped = bytearray(whole)
    flipped[60:70] = bytes(10)
    assert refusal(io.BytesIO(bytes(flipped)), tmp_path / "new") == "zip_damaged"
    locked = bytearray(whole)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(signature) + offset] |= 1
    assert refusal(io.BytesIO(bytes(locked)), tmp_path / "new") == "zip_encrypted"
    odd = bytearray(whole)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        odd[odd.index(signature) + offset] = 9  # Deflate64
    assert refusal(io.BytesIO(bytes(odd)), tmp_path / "new") == "zip_method"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_pictures_of_every_method_are_the_archives_fault(tmp_path: Path, method: int):
    whole = zip_of(["a/1.png"], method=method).getvalue()
    assert len(list(unpack_zip(io.BytesIO(whole), tmp_path / "whole", "x.zip").rglob("*.png"))) == 1
    (tmp_path / "empty").mkdir()
    for start in (40, 48, 60):
        damaged = bytearray(whole)
        damaged[start : start + 8] = b"\xff" * 8
        assert refusal(io.BytesIO(bytes(damaged)), tmp_path / "empty" / "new") == "zip_damaged"


def test_a_full_disk_is_not_the_archives_fault(tmp_path: Path):
    class Full(io.BytesIO):
        def read(self, *_):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputUnwritable) as caught:
        save_upload([("a/1.png", Full(PNG))], tmp_path / "new")
    assert caught.value.values["reason"] == "disk_full"


def test_a_folder_that_holds_something_is_not_touched(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(RunExists):
        unpack_zip(zip_of(["a/1.png"]), tmp_path, "x.zip")
    assert files_below(tmp_path) == ["mine.txt"]


def test_a_browsers_folder_upload_keeps_its_folders(tmp_path: Path):
    (tmp_path / "new").mkdir()
    names = ["꽃/장미/1.png", "꽃/튤립/1.png", "꽃/notes.txt"]
    into = save_upload([(name, io.BytesIO(PNG)) for name in names], tmp_path / "new")
    assert scan(into).counts() == {"장미": 1, "튤립": 1}


def test_a_picture_and_a_folder_of_one_name_are_the_archives_fault_not_the_disks(tmp_path: Path):
    file = zip_of(["cats/a.png", "cats/a.png/b.png"])
    with pytest.raises(BadArchive) as caught:
        unpack_zip(file, tmp_path / "set", "pets.zip")
    assert caught.value.values["reason"] == "zip_same_name"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "classes",
    [["<50", ">50"], ["A*", "A?"], ["Inc", "Inc."], [" cat", "cat"], ["가" * 90 + "1", "가" * 90 + "2"]],
)
def test_two_classes_whose_names_clean_to_the_same_stay_two(tmp_path: Path, classes: list[str]):
    names = [f"{name}/{i}.png" for name in classes for i in range(3)]
    folder = unpack_zip(zip_of(names), tmp_path / "out", "x.zip")
    data = scan(folder)
    assert list(data.counts().values()) == [3, 3]


def test_what_is_not_read_and_what_is_empty_is_named_from_a_zip_as_from_a_folder(tmp_path: Path):
    file = zip_of(["a/1.png", "b/1.png", "a/x.heic", "c/z.pgm", "_classes.csv"])
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("empty/", b"")
    data = scan(unpack_zip(file, tmp_path / "out", "x.zip"))
    assert data.empty == ("c", "empty")
    assert [one.name for one in data.refused] == ["a/x.heic", "c/z.pgm"]
    assert (tmp_path / "out" / "a" / "x.heic").stat().st_size == 0
