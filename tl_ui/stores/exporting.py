"""Exports that a page asked for: each made and checked in a process of its own, one at a time."""

from __future__ import annotations

import io
import sys
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tl_ui.stores.helper_command import HelperCommand, new_place

COMMAND = (sys.executable, "-m", "tl_core", "export")
MOST_KEPT = 6
"""Their files lie in the system's folder for temporary ones until newer ones take their place."""
_exports: dict[tuple[str, str], Export] = {}
_one = threading.Lock()


class Export(HelperCommand):
    """`python -m tl_core export RUN --format FORMAT --output … --json`, begun at once."""

    def __init__(
        self,
        run: Path,
        form: str,
        language: str,
        options: Sequence[str] = (),
        command: Sequence[str] | None = None,
    ) -> None:
        place = new_place()
        self.folder = Path(place.name) / "model"
        arguments = [str(run), "--format", form, "--json", "--output", str(self.folder), *options]
        super().__init__([*(command or COMMAND), *arguments], place, HEADSWAP_LANG=language)

    def zipped(self) -> bytes:
        """The folder as one file to take along."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(self.folder.rglob("*")):
                archive.write(path, path.relative_to(self.folder))
        return buffer.getvalue()


def of(run: Path, form: str) -> Export | None:
    """The last one of this run in this format."""
    return _exports.get((str(run), form))


def is_busy() -> bool:
    return any(export.is_running for export in list(_exports.values()))


def begin(run: Path, form: str, language: str, options: Sequence[str] = ()) -> None:
    """Does nothing while another one is under way. options: of the command, beside the format."""
    with _one:
        if is_busy():
            return
        _exports.pop((str(run), form), None)
        while len(_exports) >= MOST_KEPT:
            _exports.pop(next(iter(_exports)))
        _exports[str(run), form] = Export(run, form, language, options)
