"""From a chosen data set and settings to a run that is training in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tl_core.base.config import RunConfig
from tl_core.jobs import local
from tl_core.runs import about
from tl_core.runs.run_folder import RunFolder
from tl_ui.stores.sets import datasets
from tl_ui.stores.sets.datasets import DataChoice


def start_run(
    choice: DataChoice,
    config: RunConfig,
    on_progress: Callable[[int, int], None] | None = None,
    name: str = "",
    records: dict[str, Any] | None = None,
) -> RunFolder:
    """Make a run folder for this data and these settings and start its worker.

    Args: on_progress: called with (done, total) while a practice set is drawn. name: the person's own
    for the run; "" takes the pictures'. records: as `create_run` takes them.
    Raises: DataError, WeightsError, OutputUnwritable and what else `create_run` refuses.
    """
    from tl_core.runs.execution.workflow import create_run

    data = datasets.folder_of(choice, on_progress)
    run = create_run(data, None, config, name or choice.label, records)
    local.launch(run)
    return run


def start_helper(data: Path, config: RunConfig, name: str, records: dict[str, Any]) -> RunFolder:
    """A run that only measures something for another: no page takes it for anybody's own. Raises: as
    `start_run`."""
    from tl_core.runs.execution.workflow import create_run

    run = create_run(data, None, config, name, records)
    about.write(run, is_helper=True)
    local.launch(run)
    return run
