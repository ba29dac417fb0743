"""What Results draws, out of a finished run's summary and predictions. Pure; knows no Streamlit.

Shapes follow `tl_core.runs.execution.results`: stages before/head/finetune, splits train/val/test, and with
cross-validation the split `cross_validation`, whose stage `final` is each round's own best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_core.data.dataset import SPLITS as GIVEN_SPLITS
from tl_core.evaluation.metrics import defined
from tl_core.evaluation.threshold import AtThreshold
from tl_core.evaluation.threshold import at_threshold as threshold_counts
from tl_core.runs.decision_rule import DecisionRule, scores_by
from tl_core.runs.predictions import CROSS_VALIDATION, EVALUATED, FINAL, Row, select, stage_in_table

STAGES = (*EVALUATED, FINAL)
SPLITS = (*GIVEN_SPLITS, CROSS_VALIDATION)


@dataclass(frozen=True)
class Cell:
    """The scores of one stage on one split."""

    stage: str
    split: str
    metrics: dict[str, Any]

    def value(self, metric: str) -> float | None:
        """None where it cannot be computed."""
        return defined(self.metrics, metric)

    def interval(self, metric: str) -> tuple[float, float] | None:
        """95 %; None where there is none."""
        found = (self.metrics.get("intervals") or {}).get(metric)
        return (found[0], found[1]) if found else None


def cells(summary: dict[str, Any]) -> list[Cell]:
    """Every stage and split that was judged, in the order of the recipe."""
    crossed = summary.get(CROSS_VALIDATION) or {}
    if summary.get("cross_validated") == "head":
        # the head's, which stands in its own row: no score of the final model
        crossed = {stage: scores for stage, scores in crossed.items() if stage != FINAL}
    found = []
    for stage in STAGES:
        parts = dict(summary["stages"].get(stage) or {})
        if stage in crossed:
            parts[CROSS_VALIDATION] = crossed[stage]
        found += [Cell(stage, split, parts[split]) for split in SPLITS if split in parts]
    return found


def reported(summary: dict[str, Any]) -> Cell:
    """The scores that the run stands for, by the most probable class."""
    chosen = summary["reported"]
    stage = stage_in_table(chosen["stage"], chosen["split"])
    return Cell(stage, chosen["split"], chosen["metrics"])


def rows_of(rows: Sequence[Row], cell: Cell) -> list[Row]:
    """The predictions behind `cell`."""
    return select(rows, cell.stage, cell.split)


def by_rule(decided: DecisionRule, rows: Sequence[Row], cell: Cell) -> Cell | None:
    """The same pictures answered by the saved threshold; as `decision_rule.scores_by`."""
    found = scores_by(decided, rows_of(rows, cell), cell.metrics)
    return Cell(cell.stage, cell.split, found) if found else None


def chance(metrics: dict[str, Any]) -> dict[str, float]:
    """Accuracy of answers that look at no picture: `chance` draws a class blindly, `majority` always says the
    commonest."""
    supports = [scores["support"] for scores in metrics["per_class"].values()]
    return {"chance": 1 / len(supports), "majority": max(supports) / sum(supports)}


def probabilities_of(rows: Sequence[Row], name: str) -> np.ndarray:
    """(N,) of class `name`."""
    return np.array([float(row[f"p_{name}"]) for row in rows])


def at_threshold(rows: Sequence[Row], name: str, threshold: float) -> AtThreshold:
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
