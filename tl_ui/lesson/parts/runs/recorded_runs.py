"""The runs that ship with the lesson: really trained, by `scripts/record_runs.py`, and kept as run folders
without their models. They stand in until the person has a run of their own, and are always called recorded.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tl_core.base.events import Event
from tl_core.runs.event_log import EventLog
from tl_core.runs.run_folder import RunFolder

FOLDER = Path(__file__).resolve().parents[2] / "recorded"
NAMES = ("transfer", "scratch", "head_only", "gradual", "faces")
NAMES += ("from_nothing", "from_drawings", "from_photographs")
"""transfer and scratch: the whole network, with ImageNet's weights and with none. head_only: the backbone
frozen throughout. gradual: the casting guide's recipe, last three block groups at a tenth of the rate.
faces: the whole network at a large rate on few pictures. from_…: one recipe, three beginnings."""
STAND_IN = "gradual"


def run(name: str) -> RunFolder:
    return RunFolder(FOLDER / name)


@cache
def events(name: str) -> list[Event]:
    return EventLog(run(name).events_path).read()


@cache
def summary(name: str) -> dict[str, Any]:
    return json.loads(run(name).summary_path.read_text(encoding="utf-8"))


@cache
def config(name: str) -> dict[str, Any]:
    return json.loads(run(name).config_path.read_text(encoding="utf-8"))


@cache
def changes(name: str) -> dict[str, list[dict[str, Any]]]:
    """{stage: [PartChange as a dict]}, measured when the run was recorded."""
    return json.loads((run(name).metrics / "changes.json").read_text(encoding="utf-8"))
