"""What a file or folder is called for people, in tables and in records.

The path stays what the system says; the name is one that every person can read, every file can hold
and every machine writes alike.
"""

from __future__ import annotations

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


def is_text(text: str, errors: str = "strict") -> bool:
    """Whether every letter can be written down and sent; lone surrogates cannot."""
    try:
        text.encode("utf-8", errors)
        return True
    except UnicodeEncodeError:
        return False


def is_path_text(text: str) -> bool:
    """Whether `text` can be a path: text, or bytes as Python keeps them in one."""
    return is_text(text, "surrogateescape")


def _part(part: str) -> str:
    if is_text(part):
        return part
    # no path has other surrogates: a damaged file may
    content = part.encode("utf-8", "surrogateescape" if is_path_text(part) else "backslashreplace")
    try:
        return content.decode(OLD_ENCODING)
    except UnicodeDecodeError:
        return content.decode("utf-8", "backslashreplace")
