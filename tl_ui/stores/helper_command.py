"""A command of the package in a process of its own: the page goes on serving, and torch is loaded there."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tl_core.base.files.paths import child_environment


class HelperCommand:
    """Begun at once. command: prints one JSON object, and its news on standard error.
    place: a folder for it, deleted with this; a new one unless given. more: variables of its environment."""

    def __init__(
        self, command: Sequence[str], place: tempfile.TemporaryDirectory[str] | None = None, **more: str
    ) -> None:
        self._began = time.monotonic()
        self._scratch = place or new_place()
        self._answer, self._notes = self.place / "answer.json", self.place / "notes.txt"
        with self._answer.open("wb") as answer, self._notes.open("wb") as notes:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=answer, stderr=notes,
                env=child_environment(**more),
            )  # fmt: skip

    @property
    def place(self) -> Path:
        """A folder that lasts as long as this."""
        return Path(self._scratch.name)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def seconds(self) -> int:
        """Since it was begun."""
        return int(time.monotonic() - self._began)

    def result(self) -> dict[str, Any] | None:
        """The answer; None while it is running, and when it gave none."""
        if self.is_running:
            return None
        try:
            return json.loads(_text(self._answer))
        except ValueError:
            return None

    def last_line(self) -> str:
        """What it said last: how far it is, and after a failure its own sentence, in its language."""
        lines = _text(self._notes).splitlines()
        return lines[-1] if lines else ""


def new_place() -> tempfile.TemporaryDirectory[str]:
    """Gone with whoever holds it."""
    return tempfile.TemporaryDirectory(prefix="headswap-helper-", ignore_cleanup_errors=True)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
