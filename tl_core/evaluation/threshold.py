"""From which probability on the positive class is said: what it finds, what it misses, what it costs.

For two classes. A threshold is chosen on validation pictures and judged on others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.evaluation.metrics import wilson

GRID = np.arange(1, 1000) / 1000
"""Thresholds looked at, 0.1 % apart: what a slider can show."""


@dataclass(frozen=True)
class AtThreshold:
    """What happens when the positive class is said from a certain probability on."""

    num_found: int
    num_missed: int
    num_false: int
    num_rest: int

    @property
    def num(self) -> int:
        return self.num_found + self.num_missed + self.num_false + self.num_rest

    @property
    def recall(self) -> float | None:
        total = self.num_found + self.num_missed
        return self.num_found / total if total else None

    @property
    def precision(self) -> float | None:
        said = self.num_found + self.num_false
        return self.num_found / said if said else None

    @property
    def false_alarm_rate(self) -> float | None:
        total = self.num_false + self.num_rest
        return self.num_false / total if total else None

    @property
    def f1(self) -> float | None:
        total = 2 * self.num_found + self.num_missed + self.num_false
        return 2 * self.num_found / total if total else None

    @property
    def recall_interval(self) -> list[float] | None:
        """95 %, Wilson."""
        return wilson(self.num_found, self.num_found + self.num_missed)

    @property
    def precision_interval(self) -> list[float] | None:
        return wilson(self.num_found, self.num_found + self.num_false)

    def cost(self, miss_cost: float) -> float:
        """In false alarms, when a miss costs as much as `miss_cost` of them."""
        return miss_cost * self.num_missed + self.num_false


def at_threshold(is_positive: np.ndarray, probability: np.ndarray, threshold: float) -> AtThreshold:
    """Shapes: is_positive (N,) bool, the truth; probability (N,) of the positive class, 0..1."""
    is_said = probability >= threshold
    return AtThreshold(
        num_found=int((is_said & is_positive).sum()),
        num_missed=int((~is_said & is_positive).sum()),
        num_false=int((is_said & ~is_positive).sum()),
        num_rest=int((~is_said & ~is_positive).sum()),
    )


def cheapest(is_positive: np.ndarray, probability: np.ndarray, miss_cost: float) -> float:
    """The threshold with the lowest cost on these pictures, of GRID; to be given validation pictures.

    Several often cost the same: then the middle of the one stretch of them that is nearest to 50 %,
    as far from both neighbours' mistakes as it can be.
    Args: is_positive: (N,) bool. probability: (N,) of the positive class. miss_cost: false alarms that one
    miss is worth, > 0. Raises: ValueError: no pictures.
    """
    if not len(probability):
        raise ValueError("no pictures to choose a threshold on")
    positives = np.sort(probability[is_positive])
    others = np.sort(probability[~is_positive])
    missed = np.searchsorted(positives, GRID, side="left")
    alarms = len(others) - np.searchsorted(others, GRID, side="left")
    cost = miss_cost * missed + alarms
    best = np.flatnonzero(cost <= cost.min() + 1e-9)
    stretches = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    middles = [GRID[stretch[len(stretch) // 2]] for stretch in stretches]
    return float(min(middles, key=lambda threshold: abs(threshold - 0.5)))


def roc_curve(is_positive: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(share of the others that raise a false alarm, share of the positives found), (T,) each, both rising
    from 0 to 1. is_positive: (N,) bool. probability: (N,) of the positive class."""
    from sklearn import metrics as sk

    alarms, found, _ = sk.roc_curve(is_positive, probability)
    return alarms, found


def precision_recall_curve(is_positive: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(recall, precision) over all thresholds, (T,) each, recall falling from 1 to 0.
    is_positive: (N,) bool. probability: (N,) of the positive class."""
    from sklearn import metrics as sk

    precision, recall, _ = sk.precision_recall_curve(is_positive, probability)
    return recall, precision
