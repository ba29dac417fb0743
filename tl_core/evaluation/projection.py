"""1,280 numbers per picture on a flat map: PCA at once, t-SNE when asked for.

All stages of a comparison share one basis and one pair of axes; a map fitted to each would move
points that did not move. Features are taken at length 1, as the cosine distance does, and each stage's
mean is taken away: a shift that all pictures share says nothing about them, and would fill the map.
"""

from __future__ import annotations

import numpy as np

METHODS = ("pca", "tsne")
MARGIN = 0.05
"""Of the axes' length, left free at each end."""


def project(stages: dict[str, np.ndarray], method: str = "pca") -> dict[str, np.ndarray]:
    """{stage: (N, D)} -> {stage: (N, 2)} float32, in one basis fitted on all stages together.

    Features that are the same array in two stages are placed once, so their points coincide exactly.
    pca: Pearson 1901. tsne: van der Maaten & Hinton 2008; seeded, starts from PCA.
    Raises: ValueError: no such method, or fewer than three rows.
    """
    if method not in METHODS:
        raise ValueError(f"{method} is none of: {', '.join(METHODS)}")
    distinct: list[np.ndarray] = []
    place: dict[str, int] = {}
    for stage, features in stages.items():
        same = [i for i, other in enumerate(distinct) if other is features]
        place[stage] = same[0] if same else len(distinct)
        if not same:
            distinct.append(features)
    distinct = [_centred(features) for features in distinct]
    together = np.concatenate(distinct).astype(np.float32)
    if len(together) < 3:
        raise ValueError("at least three pictures are needed for a map")
    flat = _pca(together, 2) if method == "pca" else _tsne(together)
    parts = np.split(flat.astype(np.float32), np.cumsum([len(f) for f in distinct])[:-1])
    return {stage: parts[index] for stage, index in place.items()}


def _centred(features: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    at_length_one = features / np.maximum(lengths, 1e-12)
    return at_length_one - at_length_one.mean(axis=0)


def _pca(features: np.ndarray, num: int) -> np.ndarray:
    from sklearn.decomposition import PCA

    return PCA(min(num, *features.shape), random_state=0).fit_transform(features)


def _tsne(features: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE

    # 50 directions first, as the authors advise: faster, and the rest is noise
    small = _pca(features, 50)
    perplexity = min(30.0, (len(small) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(small)


def shared_axes(points: dict[str, np.ndarray]) -> tuple[tuple[float, float], tuple[float, float]]:
    """((x low, x high), (y low, y high)) that hold every stage's points, (N, 2) each."""
    everything = np.concatenate(list(points.values()))
    low, high = everything.min(axis=0), everything.max(axis=0)
    room = np.maximum(high - low, 1e-6) * MARGIN
    return (
        (float(low[0] - room[0]), float(high[0] + room[0])),
        (float(low[1] - room[1]), float(high[1] + room[1])),
    )
