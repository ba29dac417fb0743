"""Files as accidents leave them: cut, flipped, of another shape, of another encoding; drawn from a seed.

`mutate(path, rng)` damages one file of a run folder in one way and says which.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ODD = (
    None, True, 0, -1, 3, 0.5, -7.25, 1e300, 2**63, 10**400, "", "x", "\ud800", "가" * 3000, "../../etc",
    "0001-01-01T00:00:00", "9999-12-31T23:59:59.999-12:00", [], {}, [[]], [None], ["a", "a"], {"": None},
)  # fmt: skip
"""Values that somebody else's program, or another version, may leave in any place."""


def _paths(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """The place of every value in a JSON tree."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _paths(one, (*at, key))


def _tree(content: bytes, rng: random.Random) -> bytes:
    """One value of a JSON file, or of one line of it, replaced, left out or renamed."""
    lines = content.split(b"\n") if content.lstrip()[:1] == b"{" and b'"kind"' in content else [content]
    index = rng.choice([i for i, line in enumerate(lines) if line.strip()])
    tree = json.loads(lines[index])
    *above, last = rng.choice([*_paths(tree)])
    holder = tree
    for key in above:
        holder = holder[key]
    match rng.choice(("odd", "odd", "odd", "gone", "swapped")):
        case "odd":
            holder[last] = rng.choice(ODD)
        case "gone":
            del holder[last]
        case _:
            values = [*holder.values()] if isinstance(holder, dict) else [*holder]
            holder[last] = rng.choice(values)
    lines[index] = json.dumps(tree).encode()
    return b"\n".join(lines)


def _cell(content: bytes, rng: random.Random) -> bytes:
    """One cell of a table."""
    lines = content.decode().splitlines()
    index = rng.randrange(len(lines))
    cells = lines[index].split(",")
    odd = ("", "nan", "inf", "1e999", "x", '"', "-3", "\x00", "가" * 200_000, "=1+1")
    cells[rng.randrange(len(cells))] = rng.choice(odd)
    lines[index] = ",".join(cells[: rng.choice((len(cells), len(cells), 2))])
    return "\n".join(lines).encode()


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _flipped(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]


def _other(content: bytes, rng: random.Random) -> bytes:
    deep = b"[" * 100_000
    return rng.choice(
        (b"", b"null", b"[]", b"3", b"{}", deep, b'{"a":' * 50_000, b"\xff\xfe\x00", b"NaN", content * 2,
         content.decode().encode("utf-16"), b"\xef\xbb\xbf" + content, bytes(len(content)))
    )  # fmt: skip


def mutate(path: Path, rng: random.Random) -> str:
    """Damage the file, which is sound; returns how."""
    content = path.read_bytes()
    aimed = _cell if path.suffix == ".csv" else _tree
    ways: list[Callable[[bytes, random.Random], bytes]] = [_cut, _flipped, _other, *[aimed] * 5]
    way = rng.choice(ways)
    path.write_bytes(way(content, rng))
    return f"{path.name} {way.__name__}"
