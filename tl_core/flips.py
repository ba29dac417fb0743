"""Pictures whose answer changed between two stages, and whether that can be chance.

Both stages answered the same pictures, so they are compared picture by picture: of those that changed
sides, a stage that is no better would gain and lose about as many.
Source: McNemar 1947, Psychometrika 12, in its exact form (a binomial test with 1/2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    from scipy.stats import binomtest

    gained = np.flatnonzero((before != truth) & (after == truth))
    lost = np.flatnonzero((before == truth) & (after != truth))
    total = len(gained) + len(lost)
    chance = float(binomtest(len(gained), total, 0.5).pvalue) if total else 1.0
    return Flips(gained, lost, chance)
