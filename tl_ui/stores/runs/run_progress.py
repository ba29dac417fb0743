"""Where a run stands in its plan: one progress for all of it, and how fast the step going on is."""

from __future__ import annotations

from dataclasses import dataclass

from tl_core.base.stages import STAGES
from tl_core.runs.execution.plan import RunPlan
from tl_ui.stores.runs.run_view import RunView


def per_second(view: RunView) -> float | None:
    """How fast the step going on gets ahead, in its own unit; None before it can be said."""
    now, began = view.progress, view.began
    if now is None or began is None or now.time - began.time < 0.5 or now.done <= began.done:
        return None
    return (now.done - began.done) / (now.time - began.time)


@dataclass(frozen=True)
class Whole:
    """Where the run stands in its plan."""

    share: float
    seconds_left: float


def whole(view: RunView) -> Whole | None:
    """None for a run that made no plan."""
    if view.plan is None:
        return None
    steps = [step for step in RunPlan.from_list(view.plan.steps, True).steps if not step.is_extra]
    total = sum(step.seconds for step in steps) or 1.0
    name, share = _position(view)
    names = [step.name for step in steps]
    if name == "views" and name not in names and view.current:
        name, share = view.current.name, 0.0  # a stage whose pictures need no looking at before
    if name not in names:
        name, share = "finishing", 0.0
    at = names.index(name)
    done = sum(step.seconds for step in steps[:at]) + share * steps[at].seconds
    spent = view.last_time - view.plan.time
    is_resumed = view.started is not None and view.started.resumed_stage is not None
    # the machine is busier, or less so, than when it was measured
    pace = min(max(spent / done, 0.5), 3.0) if done > 3 and not is_resumed else 1.0
    return Whole(min(done / total, 1.0), pace * (total - done))


def _position(view: RunView) -> tuple[str, float]:
    """(name of the plan's step, share of it that is done)."""
    now = view.progress
    share = now.done / now.total if now and now.total else 0.0
    if view.ended:
        return "finishing", 1.0
    if now and now.phase in ("reading", "cross_validating"):
        return ("cross_validation" if now.phase != "reading" else "reading"), share
    if view.started is None:
        return ("starting", 0.0) if view.began else ("reading", 0.0)
    stage = view.current
    if stage is None:
        return "frozen", share if now and now.phase == "caching" else 0.0
    if stage.ended:
        return stage.name, 1.0
    is_looking = not stage.epochs and not (now and now.phase == "training")
    if STAGES[stage.name].learns == "last" and is_looking:
        return "views", share
    within = share if now and now.phase == "training" and now.epoch == len(stage.epochs) + 1 else 0.0
    return stage.name, (len(stage.epochs) + within) / max(stage.num_planned, 1)
