"""Files in the cache folder: written whole or not at all, and never more than a limit of bytes."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from tl_core.base.files.atomic import write_whole

CHECKSUM_BYTES = 32


def write_checked(path: Path, content: bytes) -> None:
    """With its checksum before it, for `read_checked`; makes the folder. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _checksum(content), content, survives_power_cut=False)


def read_checked(path: Path) -> bytes | None:
    """What `write_checked` wrote, and the file counts as used now; None: no such file.

    Raises: OSError; ValueError: damaged, not to be believed.
    """
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return None
    content = whole[CHECKSUM_BYTES:]
    if whole[:CHECKSUM_BYTES] != _checksum(content):
        raise ValueError(f"{path.name} is damaged")
    path.touch()
    return content


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=CHECKSUM_BYTES).digest()


def forget(*paths: Path) -> None:
    """Delete what is there and can be deleted."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def prune(folder: Path, max_bytes: int) -> None:
    """Delete the files of `folder` that were touched longest ago until the rest fits."""
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may delete, too
            found = path.stat()
            files.append((found.st_mtime, found.st_size, path))
    room = max_bytes
    for _, num_bytes, path in sorted(files, reverse=True):
        room -= num_bytes
        if room < 0:
            forget(path)
