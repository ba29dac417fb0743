"""What is read back from disk: whatever stands in a damaged file is one error, said in one sentence.

A file that we wrote may come back cut, changed by hand, of another version, or as a copy of something else.
So JSON is parsed within bounds, and its content is held against a type before anybody relies on it.
"""

from __future__ import annotations

import json
import os
import time
import types
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from tl_core.base.errors import RunDamaged
from tl_core.base.files.atomic import NUM_TRIES
from tl_core.base.files.file_names import is_path_text, is_text

MAX_BYTES = 64 << 20
"""Of a JSON file; a summary of 50,000 pictures is a tenth of it."""
MAX_NUMBER = 1e15
"""Larger ones are none of ours, and overflow where a chart or a date is made of them."""


def parse(content: str | bytes) -> Any:
    """Any JSON value. Raises: ValueError: no JSON (Python's NaN is none), or nested without end."""
    try:
        return json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def read_json(path: Path, shape: Any = dict[str, Any]) -> dict[str, Any] | None:
    """The object in a file, as it stands there; None without the file.

    shape: a TypedDict or another type that it must fit, see `misfit`; names that the type lacks may stand
    there too. Raises: RunDamaged.
    """
    for attempt in range(NUM_TRIES):
        try:
            if path.stat().st_size > MAX_BYTES:
                raise RunDamaged(file=path, detail=f"more than {MAX_BYTES >> 20} MB")
            content = parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            # on Windows: just being replaced by its writer
            if os.name != "nt" or attempt == NUM_TRIES - 1:
                raise RunDamaged(file=path, detail=error.strerror or error) from error
            time.sleep(0.05)
            continue
        except (OSError, ValueError) as error:
            raise RunDamaged(file=path, detail=error) from error
        if detail := misfit(content, shape):
            raise RunDamaged(file=path, detail=detail)
        return content
    return None


def misfit(value: Any, shape: Any, at: str = "") -> str | None:
    """Where `value`, read from JSON, is not what the type says: "stages.head.num: int is missing"; None
    where it fits.

    shape: Any, None, bool, int, float (finite; whole numbers too), str (what can be shown), Path (in a
    string), Literal, list[…], tuple[…] of fixed length, dict[str, …], a TypedDict (its optional names may be
    missing), or a union of these.
    """
    origin, inner = get_origin(shape), get_args(shape)
    if shape is Any or (shape is types.NoneType and value is None):
        return None
    if is_typeddict(shape):
        return _object_misfit(value, shape, at)
    if origin in (Union, types.UnionType):
        reasons = [misfit(value, kind, at) for kind in inner]
        return None if None in reasons else reasons[0]
    if origin is Literal:
        return None if value in inner else _said(at, "|".join(map(str, inner)), value)
    if origin is list and isinstance(value, list):
        return _first(misfit(one, inner[0], f"{at}[{i}]") for i, one in enumerate(value))
    if origin is tuple and isinstance(value, list) and len(value) == len(inner):
        return _first(misfit(one, kind, at) for one, kind in zip(value, inner, strict=True))
    if origin is dict and isinstance(value, dict):
        return _first(
            misfit(name, str, at) or misfit(one, inner[1], _below(at, name)) for name, one in value.items()
        )
    is_number = shape in (int, float) and isinstance(value, (int, shape)) and not isinstance(value, bool)
    if is_number and abs(value) <= MAX_NUMBER:  # of NaN too, that is false
        return None
    if shape is bool and isinstance(value, bool):
        return None
    is_writable = {str: is_text, Path: is_path_text}.get(shape)
    if is_writable and isinstance(value, str) and is_writable(value):
        return None
    return _said(at, getattr(origin or shape, "__name__", "null"), value)


def _object_misfit(value: Any, shape: Any, at: str) -> str | None:
    if not isinstance(value, dict):
        return _said(at, "object", value)
    for name, kind in _hints(shape).items():
        if name in value:
            if reason := misfit(value[name], kind, _below(at, name)):
                return reason
        elif name in shape.__required_keys__:
            return f"{_below(at, name)}: is missing"
    return None


@cache
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape)


def _first(reasons: Any) -> str | None:
    return next((reason for reason in reasons if reason), None)


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _said(at: str, need: str, value: Any) -> str:
    return f"{at or 'content'}: {need} expected, not {str(value)[:40]!r}"
