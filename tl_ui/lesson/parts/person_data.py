"""The person's pictures as the lesson shows them: of the chosen data set, else of their own run, else of the
practice castings."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import numpy as np
import streamlit as st

from tl_core.base.errors import TlError
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import state
from tl_ui.frame.text import data_name
from tl_ui.stores.sets import datasets, overview
from tl_ui.stores.sets.datasets import DataChoice
from tl_ui.widgets import run_picker
from tl_ui.widgets.sets import practice_sets

PRACTICE = "casting"
MAX_PICTURES = 6


def choice() -> DataChoice:
    """The chosen data set, else that of the run a page would show; the practice castings without either."""
    runs = run_picker.all_runs()
    run = state.chosen_run() or (run_picker.default(runs) if runs else None)
    found = state.chosen_data() or (of_run(run) if run else None) or datasets.find(PRACTICE)
    assert found is not None  # a practice set is always there
    return found


def of_run(run: RunFolder) -> DataChoice | None:
    """The pictures that `run` learnt from; None where this server knows them no longer."""
    try:
        path = Path(run.read_config()["data"])
    except (TlError, LookupError, TypeError):
        return None
    name = datasets.practice_set_at(path)
    return datasets.find(name) if name else datasets.at(path)


def name() -> str:
    return data_name(choice())


def counts() -> dict[str, int]:
    """Pictures per class, in the order of the class numbers. Raises: DataError."""
    chosen = choice()
    if chosen.kind == "sample":
        return _drawn(chosen.id)
    return overview.scanned(datasets.folder_of(chosen)).counts()


def examples(chosen: DataChoice | None = None) -> list[tuple[str, np.ndarray]]:
    """(class, uint8 (224, 224, 3)), a few of each class; chosen: None takes `choice()`. Raises: DataError."""
    chosen = chosen or choice()
    if chosen.kind == "sample":
        return practice_sets.examples(chosen.id)
    found = overview.read(datasets.folder_of(chosen))
    each = max(1, MAX_PICTURES // len(found.classes))
    items = [(label, image) for label in found.classes for _, image in found.examples[label][:each]]
    return items[:MAX_PICTURES]


@st.cache_data(max_entries=4, show_spinner=False)
def _drawn(name: str) -> dict[str, int]:
    """Counted on the drawing instructions: nothing has to be drawn for it."""
    shots = importlib.import_module(f"tl_core.synthetic.practice.{name}").shots(0)
    counted = Counter(shot.file.split("/")[-2] for shot in shots)
    return {label: counted[label] for label in sorted(counted)}
