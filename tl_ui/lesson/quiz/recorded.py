"""The recorded runs of the questions that read a curve: `castings` and `faces`, by what they show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tl_ui.lesson.parts.runs import recorded_runs
from tl_ui.stores.runs.run_view import RunView, fold

RUNS = {"castings": "gradual", "faces": "faces"}


@dataclass(frozen=True)
class Recording:
    settings: dict[str, Any]
    # as in config.json
    summary: dict[str, Any]
    # as in summary.json
    view: RunView


@cache
def recording(name: str) -> Recording:
    """Shared: never change it."""
    run = RUNS[name]
    view = fold(recorded_runs.events(run))
    return Recording(recorded_runs.config(run), recorded_runs.summary(run), view)
