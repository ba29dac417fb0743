"""The new head, solved instead of trained: what a frozen backbone says about a picture never changes,
so the best head on it is a logistic regression.

The loss of all training pictures plus a penalty on large weights is convex; L-BFGS finds its minimum in
some dozens of steps. How strong the penalty is, is chosen by cross-validation among the training
pictures alone, near-duplicates together. Features are scaled before and the scale is folded into the
weights after, so the result is an ordinary Linear layer on the raw features.
Source: Liu & Nocedal 1989, Mathematical Programming 45 (L-BFGS, by scipy); Kornblith et al. 2019,
arXiv:1805.08974 (logistic regression on the features of ImageNet networks).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from tl_core.data.split import stratified_folds

STRENGTHS = 10.0 ** np.arange(-3, 2)
"""Inverse penalties tried: the higher, the freer the weights."""
DEFAULT_STRENGTH = 0.1
"""Where a class has too few different pictures to try."""
NUM_FOLDS = 4
MAX_CHOOSING = 2000
"""Pictures by which the strength is chosen: more would take minutes and change nothing."""
MAX_STEPS = 100
TOLERANCE = 1e-5
"""Of the mean loss from one step to the next."""


@dataclass(frozen=True)
class Head:
    """weight (C, D), bias (C,) float64."""

    weight: np.ndarray
    bias: np.ndarray

    def log_probabilities(self, features: np.ndarray) -> np.ndarray:
        """(N, D) -> (N, C)"""
        return log_softmax(features @ self.weight.T + self.bias, axis=1)


@dataclass(frozen=True)
class Solution:
    """steps: the head, for raw features, after each step of L-BFGS; the solution last. strength: see
    STRENGTHS."""

    steps: list[Head] = field(repr=False)
    strength: float

    @property
    def head(self) -> Head:
        return self.steps[-1]


def solve(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, class_weights: np.ndarray, seed: int
) -> Solution:
    """The best head for these pictures.

    Args: features (N, D) float; labels (N,) int, 0 .. C-1; groups (N,), near-duplicates share a number;
        class_weights (C,): how much a mistake in each class counts.
    """
    features = np.asarray(features, np.float64)
    mean, scale = features.mean(axis=0), _scale(features)
    x = (features - mean) / scale
    # fewer pictures than numbers: the solution lies in their span, where everything is smaller
    span = np.linalg.svd(x, full_matrices=False)[2] if len(x) < x.shape[1] else None
    x = x if span is None else x @ span.T
    with threadpool_limits(1, "blas"):  # small products: threads would only wait for each other
        strength = choose_strength(x, labels, groups, class_weights, seed)
        steps = _fit(x, labels, class_weights, strength)

    def raw(step: Head) -> Head:
        weight = (step.weight if span is None else step.weight @ span) / scale
        return Head(weight, step.bias - weight @ mean)

    return Solution([raw(step) for step in steps], strength)


def cross_validated(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, class_weights: np.ndarray,
    folds: list[list[int]], learnt_from: np.ndarray, seed: int,
) -> Iterator[tuple[list[int], np.ndarray]]:  # fmt: skip
    """For each fold: its indices and (len, C) probabilities by a head that was solved, and its strength
    chosen, without them. features: (N, D). learnt_from: indices that may be learnt from; else as `solve`."""
    for held_out in folds:
        rest = np.setdiff1d(learnt_from, held_out)
        head = solve(features[rest], labels[rest], groups[rest], class_weights, seed).head
        yield held_out, np.exp(head.log_probabilities(features[held_out]))


def choose_strength(
    x: np.ndarray, labels: np.ndarray, groups: np.ndarray, class_weights: np.ndarray, seed: int
) -> float:
    """The member of STRENGTHS with the lowest loss on held-out folds of these pictures. x: (N, D), scaled."""
    if len(labels) > MAX_CHOOSING:
        some = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MAX_CHOOSING])
        x, labels, groups = x[some], labels[some], groups[some]
    distinct = [len(np.unique(groups[labels == label])) for label in range(len(class_weights))]
    if min(distinct) < 2:
        return DEFAULT_STRENGTH
    losses = np.zeros(len(STRENGTHS))
    everything = np.arange(len(labels))
    for held_out in stratified_folds(everything, labels, groups, min(NUM_FOLDS, *distinct), seed):
        rest = np.setdiff1d(everything, held_out)
        head = None
        for number, strength in enumerate(STRENGTHS):  # from stiff to free, each from where the last ended
            head = _fit(x[rest], labels[rest], class_weights, strength, head)[-1]
            losses[number] += _loss(head, x[held_out], labels[held_out], class_weights)
    return float(STRENGTHS[int(losses.argmin())])


def _loss(head: Head, x: np.ndarray, labels: np.ndarray, class_weights: np.ndarray) -> float:
    """Sum over the pictures."""
    own = head.log_probabilities(x)[np.arange(len(labels)), labels]
    return float(-(class_weights[labels] * own).sum())


def _fit(
    x: np.ndarray, labels: np.ndarray, class_weights: np.ndarray, strength: float, start: Head | None = None
) -> list[Head]:
    """The head after each step towards the least loss + |weights|² / (2 strength). x: (N, D), scaled."""
    (num, width), num_classes = x.shape, len(class_weights)
    truth, weights = np.eye(num_classes)[labels], class_weights[labels][:, None]

    def head_of(flat: np.ndarray) -> Head:
        return Head(flat[num_classes:].reshape(num_classes, width), flat[:num_classes])

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        head = head_of(flat)
        log_p = head.log_probabilities(x)
        slope = weights * (np.exp(log_p) - truth)
        down = np.concatenate([slope.sum(axis=0), (slope.T @ x + head.weight / strength).ravel()])
        loss = -(weights * truth * log_p).sum() + (head.weight**2).sum() / (2 * strength)
        return float(loss) / num, down / num

    first = np.zeros(num_classes * (width + 1))
    if start is not None:
        first = np.concatenate([start.bias, start.weight.ravel()])
    steps: list[Head] = []
    options = {"maxiter": MAX_STEPS, "ftol": TOLERANCE}
    minimize(
        objective, first, jac=True, method="L-BFGS-B", options=options,
        callback=lambda flat: steps.append(head_of(flat.copy())),
    )  # fmt: skip
    return steps or [head_of(first)]


def _scale(features: np.ndarray) -> np.ndarray:
    """(D,): half-way between a scale for every number and one for all. Numbers that are almost always 0
    would be blown up by the first, and drown in the second. Never 0."""
    variance = features.var(axis=0)
    return np.sqrt(variance + variance.mean() / 4 + 1e-12)
