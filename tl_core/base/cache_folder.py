"""Files in the cache folder: written whole or not at all, and never more than a limit of bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

CHECKSUM_BYTES = 32


def write(path: Path, content: bytes) -> None:
    """Raises: OSError."""
    write_with(path, lambda file: file.write(content))


def write_checked(path: Path, content: bytes) -> None:
    """With its checksum before it, for `read_checked`. Raises: OSError."""
    write_with(path, lambda file: (file.write(_checksum(content)), file.write(content)))


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


def write_with(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """`fill` writes a file beside `path`, which then takes its name. Raises: OSError, what `fill` raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
        Path(name).replace(path)
    except BaseException:
        forget(Path(name))
        raise


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
