"""Runs that were recorded for the questions that read a curve: events and settings of real trainings.

`castings`: the practice castings with the casting recipe as it stands. `faces`: the practice faces as the
Start page trains them without ImageNet weights (112 px, the whole network learns, 0.001). Both: seed 42,
built-in weights, two processor cores. Kept: every epoch and what happened between; left out: progress.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tl_core.base.events import from_dict
from tl_ui.stores.run_view import RunView, fold

FOLDER = Path(__file__).with_name("recorded")


@dataclass(frozen=True)
class Recording:
    settings: dict[str, Any]
    # as in config.json, with the split and the best epochs
    reported: dict[str, Any]
    # as in summary.json: split and metrics of the test pictures
    view: RunView


@cache
def recording(name: str) -> Recording:
    """Shared: never change it."""
    found = json.loads(FOLDER.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    events = [event for values in found["events"] if (event := from_dict(values))]
    return Recording(found["settings"], found["reported"], fold(events))
