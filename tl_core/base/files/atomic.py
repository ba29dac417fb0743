"""Files that are never seen half-written: written beside their name, then renamed into place."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tl_core.base.errors import OutputUnwritable

UNREADABLE = (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile)
"""What `numpy.load` and asking for an array raise on a file that is gone, cut off or something else."""

FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
NUM_TRIES = 20
# times 50 ms: on Windows a rename fails while somebody reads the old file
_BESIDE = re.compile(r"\..+\.(?P<pid>\d+)-\d+\.tmp")
# as `write_atomic` names a file before it takes its place
_UNFINISHED = re.compile(r"\.[a-z]+-(?P<pid>\d+)-.*")
_SURROGATES = re.compile("[\ud800-\udfff]")
# how Python keeps bytes of a path that are no text; UTF-8 has no place for them


@contextlib.contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turns an OSError of writing into a sentence for the person.

    Raises: OutputUnwritable: full disk, read-only place, or whatever the system says.
    """
    try:
        yield
    except OSError as error:
        reason = "disk_full" if error.errno in FULL else "os_error"
        reason = "permission" if error.errno in FORBIDDEN else reason
        raise OutputUnwritable(path=path, reason=reason, detail=error.strerror or error) from error


def write_atomic(path: Path, content: bytes | str) -> None:
    """Afterwards `path` holds the old content or all of the new, even if the power went.

    Raises: OutputUnwritable.
    """
    with output_errors(path):
        write_whole(path, content.encode("utf-8") if isinstance(content, str) else content)


def write_whole(path: Path, *parts: bytes, survives_power_cut: bool = True) -> None:
    """Writes the parts, one after the other, beside `path`, then renames. Raises: OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with beside.open("wb") as file:
            file.writelines(parts)
            file.flush()
            if survives_power_cut:
                os.fsync(file.fileno())
        _replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def _replace(beside: Path, path: Path) -> None:
    for attempt in range(NUM_TRIES):
        try:
            beside.replace(path)
            return
        except PermissionError:
            if os.name != "nt" or attempt == NUM_TRIES - 1:
                raise
            time.sleep(0.05)


def sweep(folder: Path) -> None:
    """Delete what processes that were killed while writing have left in the folder and below."""
    for path in folder.rglob(".*.tmp"):
        found = _BESIDE.fullmatch(path.name)
        if found and not psutil.pid_exists(int(found["pid"])):
            with contextlib.suppress(OSError):
                path.unlink()


def is_left_behind(path: Path) -> bool:
    """Whether an unfinished `.what-<process id>-…` is of a process that is no more."""
    found = _UNFINISHED.fullmatch(path.name)
    return found is not None and not psutil.pid_exists(int(found["pid"]))


def write_json(path: Path, content: Any) -> None:
    """Raises: OutputUnwritable."""
    write_atomic(path, to_json(content, indent=2) + "\n")


def to_json(content: Any, indent: int | None = None) -> str:
    """Strict JSON: NumPy values become plain ones, paths text, NaN and infinity null
    (JSON has no word for them, and other programs refuse Python's). Bytes of a path that are no
    UTF-8 are escaped, so that reading gives back the same path."""
    try:
        text = json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False, default=_plain)
    except ValueError:
        text = json.dumps(_finite(content), ensure_ascii=False, indent=indent, allow_nan=False)
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value if isinstance(value, str | int | None) else _finite(_plain(value))
