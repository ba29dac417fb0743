"""Which beginning suits some pictures: asked in a process of its own, one at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tl_core.base.files.paths import child_environment

COMMAND = (sys.executable, "-m", "tl_core", "probe")
_probes: dict[str, Probe] = {}
_one = threading.Lock()


class Probe:
    """`python -m tl_core probe FOLDER --json`, begun at once."""

    def __init__(self, folder: Path, command: Sequence[str] | None = None) -> None:
        self._began = time.monotonic()
        self._place = tempfile.TemporaryDirectory(prefix="headswap-probe-")
        self._answer, self._notes = (Path(self._place.name) / name for name in ("answer.json", "notes.txt"))
        with self._answer.open("wb") as answer, self._notes.open("wb") as notes:
            # the page's own process goes on serving; torch is loaded in the child alone
            self._process = subprocess.Popen(
                [*(command or COMMAND), str(folder), "--json"],
                stdin=subprocess.DEVNULL, stdout=answer, stderr=notes, env=child_environment(),
            )  # fmt: skip

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
        """The answer; None while it is running, and when it has failed."""
        if self.is_running or self._process.returncode:
            return None
        return json.loads(_text(self._answer))

    def error(self) -> str:
        """What the command said when it failed: its own sentence, in the language of the command line."""
        lines = _text(self._notes).splitlines()
        return lines[-1] if lines else ""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def of(folder: Path) -> Probe | None:
    """The last one of these pictures."""
    return _probes.get(str(folder))


def is_busy() -> bool:
    """One is under way, of these pictures or of others."""
    return any(probe.is_running for probe in list(_probes.values()))


def begin(folder: Path) -> None:
    """Does nothing while another one is under way."""
    with _one:
        if not is_busy():
            _probes[str(folder)] = Probe(folder)
