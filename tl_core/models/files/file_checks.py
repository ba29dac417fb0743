"""Whether a model file is the one that was written, and of the classes that the run speaks of.

Beside a run's models lies SHA256SUMS, as `sha256sum` writes and checks it: a file that is not as it was
written answers nothing. A process may be killed between two files, so before a file takes its name its sum
stands there beside that of the one it replaces; afterwards alone. Runs of before there were sums have none,
and load.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tl_core.base.errors import RunDamaged
from tl_core.base.files.atomic import write_atomic
from tl_core.base.files.reading import parse

SUMS = "SHA256SUMS"
ABOUT = "headswap"
"""The one entry of a weight file's metadata: safetensors writes several in any order, and equal runs would
give unequal files."""


def write_with_sum(path: Path, content: bytes) -> None:
    """Raises: OutputUnwritable."""
    own, sums = hashlib.sha256(content).hexdigest(), _sums(path.parent)
    _write_sums(path.parent, sums | {path.name: [*sums.get(path.name, []), own]})
    write_atomic(path, content)
    _write_sums(path.parent, sums | {path.name: [own]})


def read_as_written(path: Path) -> bytes:
    """The whole file. Raises: RunDamaged: it cannot be read, or its sum is another."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunDamaged(file=path, detail=error) from error
    known = _sums(path.parent).get(path.name)
    if known and hashlib.sha256(content).hexdigest() not in known:
        raise RunDamaged(file=path, detail=f"SHA-256 ≠ {SUMS}")
    return content


def has_sum(path: Path) -> bool:
    """Whether the file can be checked: those of older runs cannot."""
    return path.name in _sums(path.parent)


def require_classes(path: Path, content: bytes, classes: list[str]) -> None:
    """Raises: RunDamaged: `content`, of a weight file, names other classes, or the same in another order."""
    length = int.from_bytes(content[:8], "little")
    try:
        told = (parse(content[8 : 8 + length]).get("__metadata__") or {}).get(ABOUT)
        made_for = parse(told).get("classes") if told else None
    except (ValueError, TypeError, AttributeError) as error:
        raise RunDamaged(file=path, detail=error) from None
    if made_for and made_for != classes:
        raise RunDamaged(file=path, detail=f"{', '.join(map(str, made_for))} ≠ {', '.join(classes)}")


def _sums(folder: Path) -> dict[str, list[str]]:
    """{file: the sums that it may have}; {} where none were written."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, list[str]] = {}
    for line in lines:
        own, _, name = line.partition("  ")
        if name:
            found.setdefault(name, []).append(own)
    return found


def _write_sums(folder: Path, sums: dict[str, list[str]]) -> None:
    write_atomic(folder / SUMS, "".join(f"{own}  {name}\n" for name, many in sums.items() for own in many))
