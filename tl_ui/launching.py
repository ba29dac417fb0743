"""From a chosen data set and settings to a run that is training in a process of its own."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

from tl_core.config import RunConfig
from tl_core.errors import RunExists
from tl_core.jobs import local
from tl_core.paths import runs_dir
from tl_core.runs import RunFolder
from tl_ui import datasets
from tl_ui.datasets import DataChoice

MAX_NAME = 40
"""Characters of a run's own name; Windows' limit of 260 for a whole path is near otherwise."""


def start_run(
    choice: DataChoice,
    config: RunConfig,
    on_progress: Callable[[int, int], None] | None = None,
    name: str = "",
) -> RunFolder:
    """Make a run folder for this data and these settings and start its worker.

    Args: on_progress: called with (done, total) while a practice set is drawn. name: the person's own
    for the run; "" takes the preset's.
    Raises: DataError, WeightsError, OutputUnwritable and what else `create_run` refuses.
    """
    return start_on(datasets.folder_of(choice, on_progress), config, name)


def start_on(data: Path, config: RunConfig, name: str = "") -> RunFolder:
    """The same for pictures that lie at `data`. Raises: as `start_run`."""
    from tl_core.workflow import create_run

    run = create_run(data, _new_path(name or config.preset), config)
    local.launch(run)
    return run


def _new_path(name: str) -> Path:
    """A free name that sorts by time: `20260131-142501-casting`. Of `name` only letters, digits, "-" and
    "_" are kept, so nothing a person types leads out of the runs folder."""
    words = re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", name))[:MAX_NAME].strip("-_")
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{words or 'run'}"
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        if not (path := runs_dir() / f"{stem}{suffix}").exists():
            return path
    raise RunExists(path=runs_dir() / stem)
