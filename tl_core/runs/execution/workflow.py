"""A whole run, begun and carried out.

`create_run` makes the folder and refuses what cannot work before anything is waited for;
`execute` does the work, from the start or from the last completed epoch. Both the command line
and the detached worker call these two, so a run is the same wherever it is started.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tl_core.base.config import RunConfig, default_positive
from tl_core.base.errors import ConfigError, NothingToResume, RunNotReady, TlError
from tl_core.base.events import (
    EpochEnd,
    Event,
    RunEnded,
    RunStopped,
)
from tl_core.base.files.paths import expanded
from tl_core.compute import device
from tl_core.data import curation, folders
from tl_core.data.layouts import name_groups
from tl_core.models.families import registry
from tl_core.runs import run_folder
from tl_core.runs.execution.preparing import DECISIONS, GROUPS
from tl_core.runs.execution.work import Work
from tl_core.runs.run_folder import EventWriter, RunFolder


def create_run(
    data: str | Path,
    out: str | Path | None,
    config: RunConfig,
    name: str = "",
    records: dict[str, Any] | None = None,
) -> RunFolder:
    """A run folder at `out` with everything `execute` needs; looks at folder names, opens no picture.

    out: None = a new place among the runs, called after `name`, or after the pictures without one.
    records: what its config.json begins with besides, see `repetition.record`.
    Raises: DataError, ConfigError: `data` or a class named in `config` cannot be.
        RunExists, OutputUnwritable: `out` cannot be used.
    """
    dataset = folders.scan(Path(data))
    folders.refuse_too_few(dataset)
    if config.backbone != "auto":
        registry.refuse(config.backbone, config.unfreeze_blocks, config.image_px)
    named = [config.positive_class] if config.positive_class else []
    for label in [*named, *(config.class_weights or {})]:
        if label not in dataset.classes:
            raise ConfigError(name="class", value=label, need=", ".join(dataset.classes))
    if config.batch_size == 1 and config.trains_backbone:
        raise ConfigError(name="batch_size", value=1, need=">= 2 (finetune: BatchNorm)")
    settings = config.to_dict()
    settings["positive_class"] = config.positive_class or default_positive(config.preset, dataset.classes)
    rows = curation.in_force(dataset.root) if config.use_decisions else []
    names = [picture.name for picture in dataset.pictures]
    groups = name_groups.in_force(config.groups, dataset.root, names)
    place = expanded(data).absolute()
    called = name or (place.stem if config.preset == "standard" else config.preset)
    return run_folder.create(
        run_folder.new_path(called) if out is None else Path(out),
        {
            **settings,
            "data": str(place),
            "class_to_idx": dataset.class_to_idx,
            "versions": device.versions(),
            **(records or {}),
        },
        # the run's own copy: what is decided later is for later runs
        ({DECISIONS: curation.table(rows)} if rows else {})
        | ({GROUPS: name_groups.table(groups)} if groups else {}),
    )


def ask_cross_validation(folder: RunFolder) -> None:
    """Let a run that stands go on with the cross-validation of its whole recipe: `resume` or a launch then
    does that and nothing else again.

    Raises: RunNotReady: it has no results yet. NothingToResume: it has a test part, or has been
        cross-validated already. RunNotFound, RunDamaged, OutputUnwritable.
    """
    summary = folder.read_summary()
    if summary is None:
        raise RunNotReady(path=folder.path)
    if not can_be_cross_validated(summary):
        raise NothingToResume(path=folder.path)
    run_folder.write_json(folder.config_path, {**folder.read_config(), "cross_validation": True})
    if folder.read_status().get("state") == "finished":
        folder.write_status(state="stopped")


def can_be_cross_validated(summary: dict[str, Any]) -> bool:
    """Whether only the head of this run was, so far."""
    return bool(summary["split"]["folds"]) and summary.get("cross_validated") == "head"


def execute(
    folder: RunFolder,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> str:
    """Carry out the run; returns "finished" or "stopped". Every event is written, then told.

    should_stop: asked after every event; a stop loses at most the epoch or the fold that was going on,
    and leaves the best model so far in models/final, judged.
    Raises: TlError: what went wrong, for the person; the best model so far is left then, too.
    """
    folder.make_ready()
    work = Work(folder)
    with EventWriter(folder.events_path) as writer:

        def tell(event: Event) -> None:
            on_event(writer.write(event))

        epoch = 0
        try:
            for event in work.steps():
                tell(event)
                epoch = event.epoch if isinstance(event, EpochEnd) else epoch
                if should_stop() and not isinstance(event, RunEnded):
                    work.leave_best()
                    tell(RunStopped(stage=event.stage, epoch=epoch))
                    return "stopped"
        except TlError:
            work.leave_best()
            raise
    return "finished"
