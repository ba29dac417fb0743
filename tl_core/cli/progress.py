"""A run's events as progress bars on a terminal, and as plain lines anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tqdm import tqdm

from tl_core.base.events import (
    LEAST_TIMES,
    EarlyStopped,
    EpochEnd,
    Event,
    LearningRateReduced,
    ModelReady,
    PlanMade,
    Progress,
    RunEnded,
    RunStarted,
    StageEnded,
    StageStarted,
    WarningRaised,
)
from tl_core.base.messages import say
from tl_core.models.weights.locate import recorded_name
from tl_core.runs.execution.plan import RunPlan, in_words, step_time, step_words

LONG_PHASES = ("reading", "caching", "cross_validating")
# worth a line where there is no bar


class ProgressView:
    """Give its `on_event` to whoever carries out the run; use it in a `with`.

    One bar per stage with its epochs, and below it one for the step going on.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._stream = sys.stderr
        self._use_bars = self._stream.isatty()
        self._stage: tqdm[Any] | None = None
        self._step: tqdm[Any] | None = None
        self._phase: tuple[str | None, str, int] | None = None

    def __enter__(self) -> ProgressView:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_step()
        self._close_stage()

    def on_wait(self, place: int) -> None:
        self._line(self._say("progress.queued", place=place))

    def on_event(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._show_step(event)
            return
        self._close_step()
        if isinstance(event, StageStarted):
            self._open_stage(event)
        elif isinstance(event, EpochEnd):
            self._show_epoch(event)
        elif isinstance(event, StageEnded):
            self._close_stage()
            self._show_saved(event)
        else:
            for line in self._sentences(event):
                self._line(line)

    def _sentences(self, event: Event) -> Iterator[str]:
        if isinstance(event, PlanMade):
            yield from self._plan(event)
        elif isinstance(event, ModelReady):
            yield self._say("progress.model_ready", stage=event.best_stage, seconds=f"{event.seconds:.0f}")
        elif isinstance(event, RunStarted):
            why = self._say(f"why.{event.weights.get('why', 'asked')}")
            label = recorded_name(event.weights, self._language)
            counts = {"train": event.num_train, "val": event.num_val, "test": event.num_test}
            where = {"device": event.device, "precision": event.precision}
            yield self._say("progress.started", weights=label, why=why, **where, **counts)
            if event.resumed_stage:
                yield self._say("progress.resumed", stage=event.resumed_stage, epoch=event.resumed_epoch)
        elif isinstance(event, WarningRaised):
            yield self._say(f"warning.{event.code}", **event.values)
        elif isinstance(event, LearningRateReduced):
            values = {"before": f"{event.before:.0e}", "after": f"{event.after:.0e}"}
            patience = event.patience
            yield self._say("progress.learning_rate_reduced", stage=event.stage, patience=patience, **values)
        elif isinstance(event, EarlyStopped):
            epochs = {"epoch": event.epoch, "best_epoch": event.best_epoch}
            yield self._say("progress.early_stopped", stage=event.stage, **epochs)
        elif isinstance(event, RunEnded):
            yield self._say("progress.ended", stage=event.final_stage)

    def _plan(self, event: PlanMade) -> Iterator[str]:
        """What will happen, in order, with its time."""
        made = RunPlan.from_list(event.steps, event.is_measured).to_say()
        yield self._say("plan.title", time=in_words(made.seconds, self._language))
        for step in made.steps:
            if not step.is_extra:
                time, words = step_time(step, self._language), step_words(step, self._language)
                yield f"  {time:>9}  {words}"
        if made.first_answer_seconds is not None:
            yield self._say("plan.first_answer", time=in_words(made.first_answer_seconds, self._language))
        for step in made.steps:
            if step.is_extra:
                time, words = in_words(step.seconds, self._language), step_words(step, self._language)
                yield self._say("plan.extra", what=words, time=time)
        if not made.is_measured:
            yield self._say("plan.guessed")

    def _open_stage(self, event: StageStarted) -> None:
        self._close_stage()
        self._line(f"{event.stage}: {self._say(f'feed.{event.feed_why}', views=event.views)}")
        if self._use_bars:
            self._stage = tqdm(total=event.epochs, desc=event.stage, file=self._stream, dynamic_ncols=True)

    def _show_saved(self, event: StageEnded) -> None:
        if event.times_faster < LEAST_TIMES:
            return
        spent = event.stage_seconds + event.frozen_seconds
        seconds = {"spent": f"{spent:.0f}", "without": f"{spent + event.avoided_seconds:.0f}"}
        self._line(
            self._say("progress.saved", stage=event.stage, times=f"{event.times_faster:.1f}", **seconds)
        )

    def _show_epoch(self, event: EpochEnd) -> None:
        numbers = {
            "loss": f"{event.train_loss:.3f}",
            "accuracy": f"{event.train_accuracy:.3f}",
            "val_loss": f"{event.val_loss:.3f}",
            "val_accuracy": f"{event.val_accuracy:.3f}",
        }
        if self._stage is None:
            where = {"stage": event.stage, "epoch": event.epoch, "epochs": event.epochs}
            self._line(self._say("progress.epoch", **where, **numbers, seconds=f"{event.epoch_seconds:.1f}"))
            return
        self._stage.n = event.epoch
        loss, accuracy = self._say("progress.loss"), self._say("progress.accuracy")
        pairs = f"{loss} {numbers['loss']}/{numbers['val_loss']}"
        self._stage.set_postfix_str(f"{pairs}, {accuracy} {numbers['accuracy']}/{numbers['val_accuracy']}")

    def _show_step(self, event: Progress) -> None:
        phase = (event.stage, event.phase, event.epoch)
        is_new = phase != self._phase
        self._phase = phase
        if not self._use_bars:
            if is_new and event.phase in LONG_PHASES:
                self._line(self._say(f"progress.{event.phase}") + " …")
            return
        if is_new or self._step is None:
            self._close_step()
            name = self._say(f"progress.{event.phase}")
            self._step = tqdm(desc=name, file=self._stream, leave=False, dynamic_ncols=True)
        self._step.total = event.total or None
        self._step.n = event.done
        self._step.refresh()

    def _close_step(self) -> None:
        if self._step is not None:
            self._step.close()
            self._step = None

    def _close_stage(self) -> None:
        if self._stage is not None:
            self._stage.close()
            self._stage = None

    def _line(self, text: str) -> None:
        if self._use_bars:
            tqdm.write(text, file=self._stream)
        else:
            print(text, file=self._stream, flush=True)

    def _say(self, key: str, **values: Any) -> str:
        return say(key, self._language, **values)


@contextlib.contextmanager
def bar(language: str, step: str) -> Iterator[Callable[[int, int], None]]:
    """Inside, a bar for one long step, a key under [progress]; on a terminal only."""
    with tqdm(
        desc=say(f"progress.{step}", language),
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        leave=False,
        dynamic_ncols=True,
    ) as shown:

        def show(done: int, total: int) -> None:
            shown.total = total
            shown.update(done - shown.n)

        yield show


@contextlib.contextmanager
def phases(language: str) -> Iterator[Callable[[str, int, int], None]]:
    """Inside, told (phase, a key under [progress], done, total): a line when a phase begins; on a terminal
    also how far it is."""
    last: list[str] = []
    with tqdm(file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, dynamic_ncols=True) as shown:

        def show(phase: str, done: int, total: int) -> None:
            if [phase] != last:
                last[:] = [phase]
                tqdm.write(f"{say(f'progress.{phase}', language)} …", file=sys.stderr)
                sys.stderr.flush()
                shown.reset(total or None)
            shown.update(done - shown.n)

        yield show
