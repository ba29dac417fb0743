"""Pictures from outside: zip files and browser folder uploads, whose names are not to be trusted.

Names are taken apart and put together again inside the target, so `../`, absolute paths, drive
letters and backslashes lead nowhere; links and what is neither a picture nor a table of labels are left out.
Of a picture in a format that is not read an empty file is written, and of an empty folder the folder, so
that the account of the data can name them.
The target appears complete or not at all.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import shutil
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from tl_core.base.errors import BadArchive, OutputUnwritable, RunExists
from tl_core.base.files.atomic import output_errors
from tl_core.data.layouts.file_kinds import FOREIGN, PLUGINS, ending, is_picture_name, is_skipped_name

MAX_FILES = 50_000
MAX_BYTES = 8 << 30
_CHUNK_BYTES = 1 << 20

_ENCODINGS = ("utf-8", "cp949", "cp437")
# for names without the UTF-8 flag, first that fits all of them: macOS writes UTF-8, Korean
# Windows CP949, and CP437 is the standard's own
_MAX_NAME = 80
# characters of one path part: 240 bytes in UTF-8 if Korean; file systems stop at 255
_TABLES = ("csv", "tsv", "json", "jsonl", "yaml")
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def unpack_zip(file: Path | BinaryIO, into: Path, name: str) -> Path:
    """Unpack the pictures of a zip into `into`, which must be new or empty; returns it.

    Args: name: what an error calls the archive.
    Raises: BadArchive: damaged, encrypted, more than MAX_FILES pictures or MAX_BYTES unpacked;
        RunExists: `into` holds something. OutputUnwritable: no room, no permission.
    """
    with _said_of(name), _open(file) as archive, _filling(into, name) as writer:
        for entry in archive.infolist():
            if entry.is_dir() and _parts(entry.filename):
                writer.folder_of(_parts(entry.filename)).mkdir(parents=True, exist_ok=True)
        entries = _entries(archive, _is_named)
        taken = [entry for entry in entries if _is_taken(entry.filename)]
        writer.expect(len(entries), sum(entry.file_size for entry in taken))
        for entry in entries:
            if not _is_taken(entry.filename):
                writer.add(entry.filename, io.BytesIO())
                continue
            with _content(archive, entry, name) as stream:
                writer.add(entry.filename, stream)
    return into


def picture_names(file: Path | BinaryIO, name: str) -> list[str]:
    """The pictures of a zip that stays packed, as it calls them. Raises: BadArchive."""
    with _said_of(name), _open(file) as archive:
        found = [entry.filename for entry in _entries(archive, is_picture_name)]
    if len(found) > MAX_FILES:
        raise BadArchive(file=name, reason="zip_too_many_files", detail=f"{MAX_FILES:,}")
    return found


def pictures(
    file: Path | BinaryIO, names: Iterable[str], name: str, max_bytes: int
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each of `names`, one at a time. max_bytes: of one; what unpacks to more is cut off,
    and so no picture. Raises: BadArchive."""
    with _said_of(name), _open(file) as archive:
        for own in names:
            with _content(archive, archive.getinfo(own), name) as stream:
                yield own, stream.read(max_bytes)


def _entries(archive: zipfile.ZipFile, is_wanted: Callable[[str], bool]) -> list[zipfile.ZipInfo]:
    files = [entry for entry in archive.infolist() if _is_plain_file(entry)]
    return [entry for entry in files if _parts(entry.filename) and is_wanted(entry.filename)]


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> IO[bytes]:
    if entry.flag_bits & 1:
        raise BadArchive(file=name, reason="zip_encrypted", detail="")
    return archive.open(entry)


@contextmanager
def _said_of(name: str) -> Iterator[None]:
    """What zipfile raises of the archive called `name`, as a sentence. Raises: BadArchive."""
    try:
        yield
    except NotImplementedError as error:  # Deflate64 and others that zipfile cannot undo
        raise BadArchive(file=name, reason="zip_method", detail=str(error)) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, ValueError) as error:
        raise BadArchive(file=name, reason="zip_damaged", detail=str(error)) from None
    except PermissionError as error:
        raise BadArchive(file=name, reason="permission", detail=str(error)) from None


def save_upload(files: Iterable[tuple[str, BinaryIO]], into: Path) -> Path:
    """Write a browser's folder upload, (relative name, stream) each, into a new or empty folder.

    Raises: as `unpack_zip`.
    """
    with _filling(into, into.name) as writer:
        for name, stream in files:
            if _parts(name) and _is_named(name):
                writer.add(name, stream if _is_taken(name) else io.BytesIO())
    return into


class _Writer:
    """Writes pictures below one folder and counts what it writes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.num_files = self.num_bytes = 0
        self._made: dict[tuple[str, ...], Path] = {}  # folder's parts as they came -> where it lies

    def folder_of(self, parts: list[str]) -> Path:
        """Where a folder lies, on every level a place of its own: two names that clean to the same, such
        as `Inc` and `Inc.`, stay two folders."""
        place = self.folder
        for depth in range(1, len(parts) + 1):
            key = tuple(parts[:depth])
            if key not in self._made:
                own = place / safe_part(parts[depth - 1])
                taken = set(self._made.values())
                number = 2
                while own in taken:
                    own = place / f"{safe_part(parts[depth - 1])}-{number}"
                    number += 1
                self._made[key] = own
            place = self._made[key]
        return place

    def expect(self, num_files: int, num_bytes: int) -> None:
        """Refuse early what the archive itself says is too much. It may lie: `add` counts."""
        self._check(num_files, num_bytes)
        if num_bytes > shutil.disk_usage(self.folder).free:
            raise OutputUnwritable(path=self.folder.parent, reason="disk_full", detail="")

    def add(self, name: str, stream: IO[bytes]) -> None:
        self.num_files += 1
        *folders, own = _parts(name)
        target = self.folder_of(folders) / safe_part(own)
        if target.exists():  # two names may become one; the second must not overwrite the first
            target = target.with_stem(f"{target.stem}-{self.num_files}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):  # one of its folders is a picture's name, too
            raise BadArchive(file=self.name, reason="zip_same_name", detail=name) from None
        with target.open("xb") as file:
            while chunk := self._read(stream):
                self.num_bytes += len(chunk)
                self._check(self.num_files, self.num_bytes)
                file.write(chunk)

    def _read(self, stream: IO[bytes]) -> bytes:
        """The next piece; a damaged one is the archive's fault, so it must not pass for the disk's.

        bz2 says "damaged" by an OSError without a number, which those of the system have.
        """
        try:
            return stream.read(_CHUNK_BYTES)
        except lzma.LZMAError as error:
            raise BadArchive(file=self.name, reason="zip_damaged", detail=str(error)) from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise BadArchive(file=self.name, reason="zip_damaged", detail=str(error)) from None

    def _check(self, num_files: int, num_bytes: int) -> None:
        if num_files > MAX_FILES:
            raise BadArchive(file=self.name, reason="zip_too_many_files", detail=f"{MAX_FILES:,}")
        if num_bytes > MAX_BYTES:
            raise BadArchive(file=self.name, reason="zip_too_big", detail=MAX_BYTES >> 30)


@contextmanager
def _filling(into: Path, name: str) -> Iterator[_Writer]:
    """A writer into a folder beside `into` that takes its name once everything is written."""
    with output_errors(into):
        if into.exists() and any(into.iterdir()):
            raise RunExists(path=into)
        into.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".unpacking-{os.getpid()}-", dir=into.parent))
        try:
            yield _Writer(beside, name)
            if into.exists():
                into.rmdir()
            beside.rename(into)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _open(file: Path | BinaryIO) -> zipfile.ZipFile:
    for encoding in _ENCODINGS[:-1]:
        try:
            return zipfile.ZipFile(file, metadata_encoding=encoding)
        except UnicodeDecodeError:
            continue
    return zipfile.ZipFile(file, metadata_encoding=_ENCODINGS[-1])


def _is_plain_file(entry: zipfile.ZipInfo) -> bool:
    """Neither folder nor link (a Unix zip keeps the file's mode in the upper half)."""
    return not entry.is_dir() and not stat.S_ISLNK(entry.external_attr >> 16)


def _parts(name: str) -> list[str]:
    """The parts of an entry's name that lead somewhere, composed; [] if it is hidden or leads nowhere."""
    parts = [unicodedata.normalize("NFC", part) for part in re.split(r"[\\/]", name)]
    parts = [part for part in parts if safe_part(part)]
    return [] if any(is_skipped_name(safe_part(part)) for part in parts) else parts


def _is_taken(name: str) -> bool:
    """Whether a file's content is wanted: a picture's, or a table's."""
    return is_picture_name(name) or ending(name) in _TABLES


def _is_named(name: str) -> bool:
    """Whether the data's account speaks of such a file."""
    return _is_taken(name) or ending(name) in (*FOREIGN, *PLUGINS)


def safe_part(part: str) -> str:
    """`..` and `.` become nothing; characters and names that Windows forbids are replaced."""
    part = re.sub(r'[<>:"|?*\x00-\x1f]', "_", part)
    if len(part) > _MAX_NAME:
        stem, dot, own = part.rpartition(".")
        part = (stem or own)[: _MAX_NAME - 10] + (dot + own[:9] if stem else "")
    part = part.rstrip(". ")
    return f"_{part}" if _WINDOWS_DEVICES.match(part) else part
