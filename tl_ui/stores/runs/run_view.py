"""What a run's events add up to: the one picture that every live view draws from.

Pure: a list of events in, a record out. Knows no Streamlit and no files.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from tl_core.base import events as ev
from tl_core.base.stages import STAGES

RECENT_EPOCHS = 5
"""Epochs whose median gives the time left: enough to calm one slow epoch, few enough to follow a change."""


@dataclass
class StageView:
    """One training stage as far as it went."""

    name: str
    started: ev.StageStarted | None = None
    epochs: list[ev.EpochEnd] = field(default_factory=list)
    drops: list[ev.LearningRateReduced] = field(default_factory=list)
    best_epoch: int | None = None
    early_stop: ev.EarlyStopped | None = None
    ended: ev.StageEnded | None = None

    @property
    def num_planned(self) -> int:
        """Epochs the stage will have at most; those it had once it is over."""
        if self.ended or self.early_stop:
            return len(self.epochs)
        planned = [self.started.epochs] if self.started else [epoch.epochs for epoch in self.epochs[-1:]]
        return max([*planned, len(self.epochs)])

    def cut_after(self, epoch: int) -> None:
        """Forget what a resumed run will do again."""
        self.epochs = [e for e in self.epochs if e.epoch <= epoch]
        self.drops = [d for d in self.drops if d.epoch <= epoch]
        self.early_stop = self.ended = None
        kept = [e for e in self.epochs if e.val_loss is not None]
        self.best_epoch = min(kept, key=lambda e: e.val_loss).epoch if kept else None


@dataclass
class RunView:
    """Everything a page shows of a run; fields are None or empty until the run says so."""

    started: ev.RunStarted | None = None
    stages: dict[str, StageView] = field(default_factory=dict)
    progress: ev.Progress | None = None
    warnings: list[ev.WarningRaised] = field(default_factory=list)
    plan: ev.PlanMade | None = None
    began: ev.Progress | None = None
    # the first word of the step that `progress` speaks of
    ready: ev.ModelReady | None = None
    # the best model so far can be used
    ended: ev.RunEnded | None = None
    stopped: ev.RunStopped | None = None
    failed: ev.RunFailed | None = None
    last_time: float = 0.0

    @property
    def current(self) -> StageView | None:
        """The stage that was begun last."""
        return self.ordered[-1] if self.stages else None

    @property
    def last_epoch(self) -> ev.EpochEnd | None:
        return next((s.epochs[-1] for s in reversed(self.ordered) if s.epochs), None)

    @property
    def ordered(self) -> list[StageView]:
        return [self.stages[name] for name in STAGES if name in self.stages]

    def offset(self, stage: str) -> int:
        """Epochs before `stage` on the continuous axis."""
        before = [one for name, one in self.stages.items() if STAGES[name].number < STAGES[stage].number]
        return sum(len(one.epochs) for one in before)

    def times_faster(self) -> float | None:
        """By keeping the frozen part's results, over the stages that have ended; None before the first."""
        ended = [stage.ended for stage in self.ordered if stage.ended]
        spent = sum(e.stage_seconds + e.frozen_seconds for e in ended)
        return (spent + sum(e.avoided_seconds for e in ended)) / spent if spent else None

    def best_accuracy(self) -> float | None:
        """Highest validation accuracy of any epoch so far."""
        found = [e.val_accuracy for s in self.ordered for e in s.epochs if e.val_accuracy is not None]
        return max(found, default=None)


def fold(log: list[ev.Event]) -> RunView:
    """Add the events up, oldest first. A resumed run overwrites the epochs it does again."""
    view = RunView()
    for event in log:
        _add(view, event)
    return view


def _add(view: RunView, event: ev.Event) -> None:
    view.last_time = max(view.last_time, event.time)
    if not isinstance(event, ev.Progress):
        view.progress = None
    match event:
        case ev.RunStarted():
            _restart(view, event)
        case ev.PlanMade():
            view.plan = event
        case ev.Progress():
            if view.began is None or step_of(view.began) != step_of(event):
                view.began = event
            view.progress = event
        case ev.WarningRaised():
            if (event.code, event.values) not in [(w.code, w.values) for w in view.warnings]:
                view.warnings.append(event)
        case ev.ModelReady():
            view.ready = event
        case ev.RunEnded():
            view.ended = event
        case ev.RunStopped():
            view.stopped = event
        case ev.RunFailed():
            view.failed = event
        case _ if event.stage in STAGES:
            _add_to_stage(view.stages.setdefault(event.stage, StageView(event.stage)), event)


def _add_to_stage(stage: StageView, event: ev.Event) -> None:
    match event:
        case ev.StageStarted():
            stage.started = event
        case ev.EpochEnd():
            stage.epochs = [e for e in stage.epochs if e.epoch < event.epoch] + [event]
        case ev.NewBest():
            stage.best_epoch = event.epoch
        case ev.LearningRateReduced():
            stage.drops = [d for d in stage.drops if d.epoch < event.epoch] + [event]
        case ev.EarlyStopped():
            stage.early_stop, stage.best_epoch = event, event.best_epoch
        case ev.StageEnded():
            stage.ended, stage.best_epoch = event, event.best_epoch


def _restart(view: RunView, event: ev.RunStarted) -> None:
    """A run that starts (again): what was not kept is forgotten, and so is how it ended before."""
    view.started = event
    view.ended = view.stopped = view.failed = None
    if event.resumed_stage not in STAGES:
        view.stages.clear()
        return
    resumed = STAGES[event.resumed_stage].number
    view.stages = {name: one for name, one in view.stages.items() if STAGES[name].number <= resumed}
    if event.resumed_stage in view.stages:
        view.stages[event.resumed_stage].cut_after(event.resumed_epoch)


def epoch_rows(view: RunView) -> list[dict[str, Any]]:
    """What the curves draw, epoch by epoch: as its stage counts it, and counted on over the stages."""
    return [
        {
            "stage": stage.name, "epoch": epoch.epoch,
            "epoch_of_run": view.offset(stage.name) + epoch.epoch,
            "train_loss": epoch.train_loss, "val_loss": epoch.val_loss,
            "train_accuracy": epoch.train_accuracy, "val_accuracy": epoch.val_accuracy,
            "learning_rate": epoch.learning_rate,
        }
        for stage in view.ordered
        for epoch in stage.epochs
    ]  # fmt: skip


def step_of(event: ev.Progress) -> tuple[str | None, str, int]:
    """What tells one piece of work from the next."""
    return event.stage, event.phase, event.epoch


def seconds_left(stage: StageView | None) -> float | None:
    """Seconds until the stage's last planned epoch; None before its first. Early stopping may
    end it sooner, so it is an upper guess."""
    if stage is None or not stage.epochs or stage.ended:
        return None
    pace = statistics.median(e.epoch_seconds for e in stage.epochs[-RECENT_EPOCHS:])
    return pace * max(stage.num_planned - len(stage.epochs), 0)
