"""Which beginning suits some pictures: asked in a process of its own, one at a time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tl_ui.stores.helper_command import HelperCommand

COMMAND = (sys.executable, "-m", "tl_core", "probe")
_probes: dict[str, Probe] = {}
_one = threading.Lock()


class Probe(HelperCommand):
    """`python -m tl_core probe FOLDER --json`, begun at once."""

    def __init__(self, folder: Path, command: Sequence[str] | None = None) -> None:
        super().__init__([*(command or COMMAND), str(folder), "--json"])


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
