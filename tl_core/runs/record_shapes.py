"""What must stand in a run's JSON files for anybody to rely on it; more may, in files of newer versions.

Settings are not repeated here: `RunConfig` checks its own.
"""

from pathlib import Path
from typing import Any, Literal, TypedDict

from tl_core.base.stages import BEFORE, STAGES

Interval = tuple[float, float]


class WeightsMore(TypedDict, total=False):
    path: Path | None
    sha256: str
    requested: str
    label: str
    num_classes: int
    mean: list[float]
    std: list[float]
    image_px: int


class WeightsRecorded(WeightsMore):
    source: str


class WeightsUsed(WeightsRecorded):
    why: str
    is_pretrained: bool


class AgainOf(TypedDict):
    run: str
    device_used: dict[str, str]


class Config(TypedDict, total=False):
    """config.json, beside the settings."""

    created: str
    data: Path
    class_to_idx: dict[str, int]
    weights_used: WeightsRecorded | None
    device_used: dict[str, str]
    machine: str
    again_of: AgainOf
    versions: dict[str, str | None]
    data_fingerprint: str | None
    pictures_fingerprint: str | None
    decisions: dict[str, int] | None


class ErrorSaid(TypedDict, total=False):
    code: str
    values: dict[str, Any]
    message: str


class Status(TypedDict, total=False):
    """status.json."""

    state: Literal["queued", "running", "stopping", "stopped", "finished", "failed", "interrupted"]
    pid: int | None
    created: float | None
    launched: float | None
    heartbeat: float | None
    stage: str | None
    epoch: int
    epochs: int
    error: ErrorSaid | None


class ClassScores(TypedDict):
    precision: float
    recall: float
    f1: float
    support: int


class Scores(TypedDict):
    """What `tl_core.evaluation.metrics.evaluate` returns."""

    num: int
    classes: list[str]
    positive_class: str | None
    accuracy: float
    balanced_accuracy: float
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    per_class: dict[str, ClassScores]
    confusion_matrix: list[list[int]]
    intervals: dict[str, Interval | None]


class Reported(TypedDict):
    stage: str
    split: Literal["train", "val", "test", "cross_validation"]
    metrics: Scores


class Best(TypedDict):
    epoch: int
    val_loss: float
    val_accuracy: float


class Sizes(TypedDict):
    train: int
    val: int
    test: int
    folds: int


class Leak(TypedDict):
    exact: int
    near: int
    pairs: list[list[str]]


class LeftOut(TypedDict):
    name: str
    reason: str
    detail: str


class SummaryMore(TypedDict, total=False):
    created: str | None
    preset: str
    versions: dict[str, str | None]
    cross_validation: dict[str, Scores] | None
    cross_validated: Literal["head", "recipe"] | None
    is_complete: bool
    loss_weights: dict[str, float]
    decisions: dict[str, int] | None
    frozen_work: dict[str, Any]


class Summary(SummaryMore):
    """metrics/summary.json."""

    run: str
    library: str
    weights: WeightsUsed
    classes: list[str]
    positive_class: str | None
    split: Sizes
    refused: list[LeftOut]
    leak: Leak
    final_stage: str
    best: dict[str, Best]
    image_px: int
    stages: dict[str, dict[str, Scores]]
    reported: Reported
    seconds: float
    device: str
    precision: str


class StageHistory(TypedDict, total=False):
    train_loss: list[float]
    train_acc: list[float]
    val_loss: list[float]
    val_acc: list[float]
    lr: list[float]


TrainingLog = dict[str, StageHistory]
"""logs/training_log.json, by the stages' `log_name`."""


def contradiction(summary: dict[str, Any]) -> str | None:
    """Where a summary that has the right shape speaks of what is not there; None where it is sound."""
    classes, final = summary["classes"], summary["final_stage"]
    if not classes or len(set(classes)) < len(classes):
        return "classes: every class once"
    if summary["positive_class"] not in (None, *classes):
        return "positive_class: none of classes"
    for stage in (final, summary["reported"]["stage"], *summary["stages"]):
        if stage not in (BEFORE, *STAGES, "final"):
            return f"stages: {stage} is none"
    if not {"train", "val"} <= summary["stages"].get(final, {}).keys() or final not in summary["best"]:
        return f"stages: no scores of {final}"
    crossed = summary.get("cross_validation") or {}
    scores = [("reported", summary["reported"]["metrics"]), *crossed.items()]
    scores += [(stage, one) for stage, parts in summary["stages"].items() for one in parts.values()]
    return next((f"{where}: not of these classes" for where, one in scores if not _is_of(one, classes)), None)


def _is_of(scores: dict[str, Any], classes: list[str]) -> bool:
    matrix = scores["confusion_matrix"]
    is_square = [len(row) for row in matrix] == [len(classes)] * len(classes)
    is_counted = all(count >= 0 for row in matrix for count in row)
    return scores["classes"] == classes and [*scores["per_class"]] == classes and is_square and is_counted
