"""Whether a probability means what it says, and one number that mends it.

Calibrated: of the answers given with 80 %, 80 % are right. Temperature scaling divides the logits by one
number fitted on the validation pictures; it changes how sure the answers are, never which class is
most probable. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.evaluation.metrics import wilson

NUM_BINS = 10
"""Equal steps of 10 % of confidence."""

SMALLEST = 5e-7
"""Probabilities are kept with six digits in predictions.csv: below half of the last, nothing is known."""

TEMPERATURES = (0.05, 20.0)
"""Where the temperature is looked for; 1 changes nothing."""


@dataclass(frozen=True)
class Bin:
    """Answers whose confidence lies in (low, high]."""

    low: float
    high: float
    num: int
    confidence: float
    # mean, of the answers in it
    accuracy: float
    # share of them that is right
    interval: tuple[float, float]
    # 95 %, of the accuracy


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """(N, C) rows summing to 1 -> the softmax of their logits divided by `temperature`, same shape.

    The logarithm of a probability is its logit up to a number that the softmax takes away again.
    """
    scaled = np.log(np.maximum(probabilities, SMALLEST)) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    grown = np.exp(scaled)
    return grown / grown.sum(axis=1, keepdims=True)


def right_from(confidence: np.ndarray, is_right: np.ndarray, wanted: float) -> float | None:
    """The least confidence at which answers are right as often as `wanted`; None: they never are.

    How often is fitted by isotonic regression: a step function that never falls.
    Shapes: confidence (N,) float, is_right (N,) bool.
    """
    from sklearn.isotonic import isotonic_regression

    order = np.argsort(confidence, kind="stable")
    share = isotonic_regression(np.asarray(is_right, dtype=float)[order])
    enough = np.flatnonzero(share >= wanted)
    return float(confidence[order[enough[0]]]) if len(enough) else None


def log_loss(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of -log(probability of the truth). truth (N,) int, probabilities (N, C)."""
    return float(_losses(truth, probabilities).mean())


def _losses(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(N,) of -log(probability of the truth)."""
    return -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], SMALLEST))


def _bin_of(confidence: np.ndarray) -> np.ndarray:
    """(N,) confidence -> (N,) index of the bin that it lies in."""
    # rounded first: 0.7 must not fall into the bin above because of its last bit
    return np.clip(np.ceil(np.round(confidence * NUM_BINS, 9)).astype(int) - 1, 0, NUM_BINS - 1)


def fit_temperature(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The temperature with the lowest log loss, within TEMPERATURES; to be fitted on validation pictures.

    The loss is convex in 1/temperature, so a bounded search finds it.
    Shapes: truth (N,) int, probabilities (N, C). Raises: ValueError: no pictures.
    """
    from scipy.optimize import minimize_scalar

    if not len(truth):
        raise ValueError("no pictures to fit a temperature on")

    def loss(log_temperature: float) -> float:
        return log_loss(truth, with_temperature(probabilities, float(np.exp(log_temperature))))

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def reliability(truth: np.ndarray, probabilities: np.ndarray) -> list[Bin]:
    """Confidence of the most probable class against how often it is right; empty bins left out.

    Shapes: truth (N,) int, index of the class; probabilities (N, C), rows summing to 1.
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == truth
    place = _bin_of(confidence)
    bins = []
    for index in np.unique(place):
        inside = place == index
        num, right = int(inside.sum()), int(is_right[inside].sum())
        low, high = wilson(right, num) or (0.0, 1.0)
        bins.append(
            Bin(
                low=index / NUM_BINS,
                high=(index + 1) / NUM_BINS,
                num=num,
                confidence=float(confidence[inside].mean()),
                accuracy=right / num,
                interval=(low, high),
            )
        )
    return bins


def calibration_error(bins: list[Bin]) -> float:
    """Expected calibration error: |accuracy - confidence|, averaged over the pictures. Guo et al., eq. 5."""
    total = sum(b.num for b in bins)
    return sum(b.num * abs(b.accuracy - b.confidence) for b in bins) / max(total, 1)


def bootstrap(
    truth: np.ndarray, probabilities: np.ndarray, num_draws: int = 500
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of `calibration_error` and `log_loss`: pictures drawn again with
    replacement, seeded. With few pictures the error is too large on average, in every draw as well.

    Shapes: truth (N,) int, probabilities (N, C), N > 0.
    """
    rng = np.random.default_rng(0)
    confidence = probabilities.max(axis=1)
    gap = (probabilities.argmax(axis=1) == truth) - confidence
    place, losses = _bin_of(confidence), _losses(truth, probabilities)
    errors, means = [], []
    for _ in range(num_draws):
        drawn = rng.integers(0, len(truth), len(truth))
        sums = np.bincount(place[drawn], weights=gap[drawn], minlength=NUM_BINS)
        errors.append(np.abs(sums).sum() / len(truth))
        means.append(losses[drawn].mean())
    ends = [0.025, 0.975]
    (error_low, error_high), (loss_low, loss_high) = np.quantile(errors, ends), np.quantile(means, ends)
    return {
        "calibration_error": (float(error_low), float(error_high)),
        "log_loss": (float(loss_low), float(loss_high)),
    }


def loss_change(
    truth: np.ndarray, before: np.ndarray, after: np.ndarray, num_draws: int = 2000
) -> tuple[float, float]:
    """95 % percentile interval of log loss after minus before, on the same pictures: below 0 is better.

    Shapes: truth (N,) int, both probabilities (N, C). Pictures are drawn again in pairs, seeded.
    """
    each = _losses(truth, after) - _losses(truth, before)
    rng = np.random.default_rng(0)
    means = [each[rng.integers(0, len(each), len(each))].mean() for _ in range(num_draws)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
