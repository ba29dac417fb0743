"""Pictures whose answer changed between two stages, and whether that can be chance.

Both stages answered the same pictures, so they are compared picture by picture: of those that changed
sides, a stage that is no better would gain and lose about as many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.evaluation.metrics import Z95


@dataclass(frozen=True)
class Flips:
    """Positions in the pictures that were compared."""

    gained: np.ndarray
    # (G,) wrong before, right after
    lost: np.ndarray
    # (L,) right before, wrong after
    chance: float
    # how often a split at least as uneven comes by chance when neither stage is better


def compare(truth: np.ndarray, before: np.ndarray, after: np.ndarray) -> Flips:
    """All (N,) int: the truth and the two stages' answers to the same pictures in the same order."""
    gained = np.flatnonzero((before != truth) & (after == truth))
    lost = np.flatnonzero((before == truth) & (after != truth))
    return Flips(gained, lost, mcnemar(len(gained), len(lost)))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p of pictures that only one of two got right; 1 when there is none.

    Source: McNemar 1947, Psychometrika 12; the exact form is a sign test (binomial with 1/2).
    """
    from scipy.stats import binomtest

    num = only_first + only_second
    return float(binomtest(only_first, num, 0.5).pvalue) if num else 1.0


def paired_interval(only_first: int, only_second: int, num: int) -> tuple[float, float]:
    """95 % interval of the difference of two paired proportions, second minus first.

    Source: Agresti & Min 2005, Statistics in Medicine 24 (half a picture added to each cell), which
    stays honest with few pictures.
    """
    first, second, total = only_first + 0.5, only_second + 0.5, num + 2
    middle = (second - first) / total
    half = Z95 * math.sqrt(first + second - (second - first) ** 2 / total) / total
    return max(-1.0, middle - half), min(1.0, middle + half)
