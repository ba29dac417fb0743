"""From a chosen data set and settings to a run that is training in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tl_core.config import RunConfig
from tl_core.errors import RunExists
from tl_core.jobs import local
from tl_core.paths import runs_dir
from tl_core.runs import RunFolder
from tl_ui import datasets
from tl_ui.datasets import DataChoice


def start_run(
    choice: DataChoice, config: RunConfig, on_progress: Callable[[int, int], None] | None = None
) -> RunFolder:
    """Make a run folder for this data and these settings and start its worker.

    Args: on_progress: called with (done, total) while a practice set is drawn.
    Raises: DataError, WeightsError, OutputUnwritable and what else `create_run` refuses.
    """
    from tl_core.workflow import create_run

    run = create_run(datasets.folder_of(choice, on_progress), _new_path(config.preset), config)
    local.launch(run)
    return run


def _new_path(preset: str) -> Path:
    """A free name that sorts by time: `20260131-142501-casting`."""
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{preset}"
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        if not (path := runs_dir() / f"{stem}{suffix}").exists():
            return path
    raise RunExists(path=runs_dir() / stem)
