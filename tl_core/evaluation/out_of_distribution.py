"""Pictures unlike anything seen in training: the cosine distance to the nearest training picture.

Softmax is sure of everything; the distance in feature space is not. The limit is set so that about one
validation picture in twenty lies beyond it, and how often it is wrong is then measured on others.
Source: Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors", arXiv:2204.06507
(there the k-th neighbour; with a few hundred pictures the nearest does).
"""

from __future__ import annotations

import math

import numpy as np

SHARE_BEYOND = 0.05
"""Of known pictures, the share that may be warned of."""

ROWS_AT_ONCE = 512


def unit(features: np.ndarray) -> np.ndarray:
    """(N, D) -> rows of length 1, float32."""
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def nearest(known: np.ndarray, asked: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of `known` for each row of `asked`, by cosine distance (0 alike .. 2 opposite).

    Shapes: known (M, D), asked (N, D) -> distances (N, k) float32 rising, indices (N, k) int64; k <= M.
    """
    known, asked = unit(known), unit(asked)
    k = min(k, len(known))
    distances, indices = [np.zeros((0, k), np.float32)], [np.zeros((0, k), np.int64)]
    for start in range(0, len(asked), ROWS_AT_ONCE):
        away = 1 - asked[start : start + ROWS_AT_ONCE] @ known.T
        order = np.argsort(away, axis=1, kind="stable")[:, :k]
        indices.append(order)
        distances.append(np.take_along_axis(away, order, axis=1))
    return np.maximum(np.concatenate(distances), 0), np.concatenate(indices)


def limit_of(distances: np.ndarray, share: float = SHARE_BEYOND) -> float:
    """The distance beyond which about `share` of new pictures of the same kind lie.

    distances: (N,) of pictures that training never saw, N >= 1. With too few of them for the share, the
    largest. The rank counts the next picture in (conformal prediction, Vovk et al. 2005).
    """
    ordered = np.sort(distances)
    rank = math.ceil((len(ordered) + 1) * (1 - share))
    return float(ordered[min(rank, len(ordered)) - 1])
