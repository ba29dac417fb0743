"""How often progress is told: at most a few times a second."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

from tl_core.base.events import Progress

PROGRESS_SECONDS = 0.5
"""At most one Progress event in this time."""


class Pace:
    """True at most once in PROGRESS_SECONDS."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def is_due(self) -> bool:
        if time.monotonic() - self._last < PROGRESS_SECONDS:
            return False
        self._last = time.monotonic()
        return True


def paced(steps: Generator[Progress, None, Any]) -> Generator[Progress, None, Any]:
    """Passes on the last Progress and at most one in PROGRESS_SECONDS; returns what `steps` returns."""
    pace = Pace()
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return end.value
        if pace.is_due() or progress.done == progress.total:
            yield progress
