"""What a run says while it goes on: typed records, one JSON line each.

Every event carries `time` (seconds since 1970), `run` (its name) and `stage` (None outside
stages). `trainer.fit` yields them; writing, drawing and progress bars are other people's work.
"""

from __future__ import annotations

import dataclasses
import time as clock
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_type_hints

from tl_core.base.files.reading import misfit

LEAST_TIMES = 1.05
"""Below this, keeping the frozen part's results saved nothing worth a word (`StageEnded.times_faster`)."""


@dataclass(frozen=True, kw_only=True)
class Event:
    kind: ClassVar[str] = "event"
    stage: str | None = None
    run: str = ""
    time: float = field(default_factory=clock.time)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **dataclasses.asdict(self)}


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """Said once the data is split and the network is built; again, with `resumed_epoch`, on resume."""

    kind: ClassVar[str] = "run_started"
    class_to_idx: dict[str, int]
    num_train: int
    num_val: int
    num_test: int
    weights: dict[str, Any]
    # source, requested, sha256, why, is_pretrained
    device: str
    precision: str
    resumed_stage: str | None = None
    resumed_epoch: int = 0


@dataclass(frozen=True, kw_only=True)
class PlanMade(Event):
    """Said first: what will be done, in order, and how long each step takes here.

    steps: {"name", "seconds", "count", "unit", "is_extra"}, as `tl_core.runs.execution.plan.PlanStep`.
    """

    kind: ClassVar[str] = "plan_made"
    steps: list[dict[str, Any]]
    is_measured: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """Work inside a longer step; at most a few a second."""

    kind: ClassVar[str] = "progress"
    phase: str
    # reading, caching, solving, training, evaluating, checking_head, cross_validating
    done: int
    total: int
    epoch: int = 0


@dataclass(frozen=True, kw_only=True)
class StageStarted(Event):
    kind: ClassVar[str] = "stage_started"
    epochs: int
    learning_rate: float
    trainable_parts: list[str]
    frozen_parts: list[str]
    parameters: dict[str, int]
    # of every part, by name
    units: dict[str, str] = field(default_factory=dict)
    # of every part: stem, group | stage | block, neck or head; what runs of before lack
    num_trainable: int
    num_parameters: int
    feed: str
    # cached or plain
    feed_why: str
    # a key under [feed] in the messages
    views: int
    # augmented views per picture in turn; 0 = fresh every epoch


@dataclass(frozen=True, kw_only=True)
class EpochEnd(Event):
    kind: ClassVar[str] = "epoch_end"
    epoch: int
    # from 1, within the stage
    epochs: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    epoch_seconds: float
    images_per_second: float
    # training pictures only


@dataclass(frozen=True, kw_only=True)
class NewBest(Event):
    kind: ClassVar[str] = "new_best"
    epoch: int
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True, kw_only=True)
class LearningRateReduced(Event):
    kind: ClassVar[str] = "learning_rate_reduced"
    epoch: int
    before: float
    after: float
    patience: int


@dataclass(frozen=True, kw_only=True)
class EarlyStopped(Event):
    kind: ClassVar[str] = "early_stopped"
    epoch: int
    best_epoch: int
    patience: int


@dataclass(frozen=True, kw_only=True)
class StageEnded(Event):
    kind: ClassVar[str] = "stage_ended"
    epochs_run: int
    best_epoch: int
    best_val_loss: float
    best_val_accuracy: float
    stage_seconds: float
    # its epochs, from the first that this process has done
    frozen_seconds: float = 0.0
    # before them, on activations that are kept
    avoided_seconds: float = 0.0
    # that the frozen part would have taken besides, had nothing been kept; measured on this run

    @property
    def times_faster(self) -> float:
        """By keeping: 1 where nothing is kept."""
        spent = self.stage_seconds + self.frozen_seconds
        return (spent + self.avoided_seconds) / spent if spent else 1.0


@dataclass(frozen=True, kw_only=True)
class ModelReady(Event):
    """models/final and metrics/ hold the best model so far; after `head` that is the first answer. stage:
    the one just evaluated."""

    kind: ClassVar[str] = "model_ready"
    best_stage: str
    seconds: float = 0.0
    # since the run was started


@dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """stage: before, head or finetune. metrics: as `tl_core.evaluation.metrics.evaluate` returns them."""

    kind: ClassVar[str] = "evaluated"
    split: str
    # train, val, test or cross_validation
    metrics: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class WarningRaised(Event):
    """code: a key under [warning] in the messages."""

    kind: ClassVar[str] = "warning"
    code: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    kind: ClassVar[str] = "run_ended"
    final_stage: str
    # whose best weights became models/final
    run_seconds: float


@dataclass(frozen=True, kw_only=True)
class RunStopped(Event):
    """Stopped on request; `resume` goes on after the last completed epoch."""

    kind: ClassVar[str] = "run_stopped"
    epoch: int


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    """code and values: of the error, to say it in any language; message: in English."""

    kind: ClassVar[str] = "run_failed"
    code: str
    values: dict[str, Any]
    message: str


KINDS: dict[str, type[Event]] = {cls.kind: cls for cls in Event.__subclasses__()}
SHAPES = {
    kind: {f.name: get_type_hints(cls)[f.name] for f in dataclasses.fields(cls)}
    for kind, cls in KINDS.items()
}
"""{kind: {field: its type}}"""


def from_dict(values: dict[str, Any]) -> Event | None:
    """The event a log line holds; None for one this version does not know (a newer writer's), or damaged."""
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return None
    cls, shapes = KINDS[kind], SHAPES[kind]
    known = {name: value for name, value in values.items() if name in shapes}
    try:
        return None if any(misfit(known[name], shapes[name]) for name in known) else cls(**known)
    except TypeError:  # one that it needs is missing
        return None
