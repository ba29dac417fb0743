"""Tables for spreadsheets: one way to write them, whoever writes."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tl_core.base.files.atomic import output_errors

COMMANDS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a cell a formula in a spreadsheet. Source: OWASP, "CSV Injection"."""
ENCODING = "utf-8-sig"
"""UTF-8 with the mark that lets spreadsheets read Korean."""


def harmless(cell: Any) -> Any:
    """A text that a spreadsheet would carry out as a formula gets an apostrophe before it; numbers stay."""
    is_formula = isinstance(cell, str) and cell.startswith(COMMANDS) and not _is_number(cell)
    return f"'{cell}" if is_formula else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def writing(path: Path, columns: Sequence[str]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Gives what writes one row, {column: value}. The file stands at `path` once the block has ended well;
    otherwise `path` is as it was before. Raises: OutputUnwritable."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with output_errors(path):
        try:
            with beside.open("x", encoding=ENCODING, errors="backslashreplace", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(map(harmless, columns))
                yield lambda row: writer.writerow([harmless(row.get(name, "")) for name in columns])
            beside.replace(path)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()
