"""A run told in sentences: what happened, at which epoch, and why. Pure: events in, sentences out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tl_core.base import events as ev
from tl_core.base.percent import percent
from tl_ui.widgets.plotting.curves import rate

Words = Callable[..., str]


@dataclass(frozen=True)
class Line:
    kind: str
    # of the event
    stage: str | None
    epoch: int | None
    # within its stage; None where it belongs to none
    text: str


def story(events: list[ev.Event], t: Words) -> list[Line]:
    """Oldest first. A row of new bests is told once, by its last. t: `tl_ui.frame.text.t`."""
    lines: list[Line] = []
    stages = {event.stage for event in events if isinstance(event, ev.StageStarted)}
    for event in events:
        line = _line(event, len(stages) < 2, t)
        if line is None:
            continue
        if lines and line.kind == lines[-1].kind == "new_best" and line.stage == lines[-1].stage:
            lines.pop()
        lines.append(line)
    return lines


def _line(event: ev.Event, is_only: bool, t: Words) -> Line | None:
    text, epoch = "", None
    match event:
        case ev.RunStarted():
            kind = "resumed" if event.resumed_stage else "started"
            text = t(f"lesson_story.{kind}", train=event.num_train, val=event.num_val, test=event.num_test)
        case ev.StageStarted():
            is_solved = event.learning_rate == 0
            text = t(
                "lesson_story.stage_head_solved" if is_solved else f"lesson_story.stage_{event.stage}",
                learning=f"{event.num_trainable:,}",
                total=f"{event.num_parameters:,}",
                rate=rate(event.learning_rate),
            )
        case ev.NewBest():
            epoch = event.epoch
            text = t(
                "lesson_story.new_best", loss=f"{event.val_loss:.3f}", accuracy=percent(event.val_accuracy, 0)
            )
        case ev.LearningRateReduced():
            epoch = event.epoch
            times = event.before / event.after
            text = t(
                "lesson_story.rate_reduced",
                times=f"{times:.0f}" if times >= 1.5 else f"{times:.1f}",
                patience=event.patience,
                after=rate(event.after),
            )
        case ev.EarlyStopped():
            epoch = event.epoch
            text = t("lesson_story.early_stopped", patience=event.patience, best=event.best_epoch)
        case ev.StageEnded():
            epoch = event.epochs_run
            text = t("lesson_story.stage_ended", epochs=event.epochs_run, best=event.best_epoch)
        case ev.RunEnded():
            text = t("lesson_story.ended_only" if is_only else f"lesson_story.ended_{event.final_stage}")
        case ev.RunStopped():
            text = t("lesson_story.stopped")
        case ev.RunFailed():
            text = t("lesson_story.failed")
        case _:
            return None
    return Line(event.kind, event.stage, epoch, text)
