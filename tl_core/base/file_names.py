"""What a file or folder is called for people, in tables and in records.

The path stays what the system says; the name is one that every person can read, every file can hold
and every machine writes alike.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

OLD_ENCODING = "cp949"
"""What Korean Windows writes in old zips and on old disks; elsewhere such a name is bytes without a sense."""


def composed(text: str) -> str:
    """NFC: macOS writes Korean names decomposed, so the same name would be two."""
    return unicodedata.normalize("NFC", text)


def readable(path: str) -> str:
    """`path` with parts that no text can hold (on Linux a name may be any bytes, and Python keeps those
    that are no UTF-8 as lone surrogates) read as CP949, or else escaped: `\\xff`. Other parts stay."""
    return "/".join(_part(part) for part in path.split("/"))


def folder_name(folder: Path) -> str:
    """A folder's own name, composed and readable: the class that it stands for."""
    return composed(readable(folder.name))


def name_in(root: Path, file: Path) -> str:
    """Posix path of `file` relative to `root`, composed and readable. Raises: ValueError: not below it."""
    return composed(readable(file.relative_to(root).as_posix()))


def _part(part: str) -> str:
    try:
        part.encode()
        return part
    except UnicodeEncodeError:
        content = os.fsencode(part)
    try:
        return content.decode(OLD_ENCODING)
    except UnicodeDecodeError:
        return content.decode("utf-8", "backslashreplace")
