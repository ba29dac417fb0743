"""What Results draws, out of a finished run's summary and predictions. Pure; knows no Streamlit.

Shapes follow `tl_core.runs.results`: stages before/head/finetune, splits train/val/test, and with
cross-validation the split `cross_validation`, whose stage `final` is each round's own best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_core.evaluation.threshold import AtThreshold
from tl_core.evaluation.threshold import at_threshold as threshold_counts

METRICS = ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "roc_auc")
STAGES = ("before", "head", "finetune")
SPLITS = ("train", "val", "test", "cross_validation")


@dataclass(frozen=True)
class Cell:
    """The scores of one stage on one split."""

    stage: str
    split: str
    metrics: dict[str, Any]

    def value(self, metric: str) -> float | None:
        return self.metrics.get(metric)

    def interval(self, metric: str) -> tuple[float, float] | None:
        """95 %; None where there is none."""
        found = (self.metrics.get("intervals") or {}).get(metric)
        return (found[0], found[1]) if found else None


def cells(summary: dict[str, Any]) -> list[Cell]:
    """Every stage and split that was judged, in the order of the recipe."""
    crossed = summary.get("cross_validation") or {}
    found = []
    for stage in STAGES:
        parts = dict(summary["stages"].get(stage) or {})
        if stage in crossed:
            parts["cross_validation"] = crossed[stage]
        found += [Cell(stage, split, parts[split]) for split in SPLITS if split in parts]
    return found


def reported(summary: dict[str, Any]) -> Cell:
    """The scores that the run stands for."""
    chosen = summary["reported"]
    return Cell(chosen["stage"], chosen["split"], chosen["metrics"])


def rows_of(rows: Sequence[dict[str, str]], cell: Cell, is_reported: bool) -> list[dict[str, str]]:
    """The predictions behind `cell`."""
    stage = "final" if is_reported and cell.split == "cross_validation" else cell.stage
    return [row for row in rows if (row["stage"], row["split"]) == (stage, cell.split)]


def probabilities_of(rows: Sequence[dict[str, str]], name: str) -> np.ndarray:
    """(N,) of class `name`."""
    return np.array([float(row[f"p_{name}"]) for row in rows])


def at_threshold(rows: Sequence[dict[str, str]], name: str, threshold: float) -> AtThreshold:
    """Counts for class `name` when it is said from `threshold` (0..1) on."""
    is_true = np.array([row["truth"] == name for row in rows], dtype=bool)
    return threshold_counts(is_true, probabilities_of(rows, name), threshold)


def confusions(metrics: dict[str, Any], most: int = 3) -> list[tuple[int, str, str]]:
    """The commonest mistakes: (how many, truth, answer), most frequent first."""
    classes, counts = metrics["classes"], metrics["confusion_matrix"]
    found = [
        (counts[r][c], classes[r], classes[c])
        for r in range(len(classes))
        for c in range(len(classes))
        if r != c and counts[r][c]
    ]
    return sorted(found, reverse=True)[:most]
