"""Which labels are probably wrong: asked of the frozen features, before anything is trained.

Every picture is judged by a logistic regression on the pooled features of the frozen backbone that has
not seen it, nor a near-duplicate of it (cross-validation by groups). A model that has learnt a wrong
label by heart would defend it; one that never saw it can contradict. Where it does, confidently,
cleanlab calls the label an issue.

Source: Northcutt, Jiang & Chuang 2021, "Confident learning", JAIR 70; cleanlab's `find_label_issues`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tl_core.data.prepare import Prepared
from tl_core.data.quality import Flag

if TYPE_CHECKING:
    from sklearn.model_selection import StratifiedGroupKFold

    from tl_core.models.weights.record import WeightsRecord

NUM_FOLDS = 5
STRENGTH = 0.01
"""C of the regression. Of 1e-4 … 1e-1 it had nearly the best precision and recall on castings with 10 %
flipped labels (`benchmarks/label_check.py`), in half the time of the best."""
BATCH = 32


def pooled_features(
    images: np.ndarray,
    choice: WeightsRecord,
    library: str,
    on_progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """What the frozen backbone says about each picture, in float32.

    Shapes: uint8 (N, px, px, 3) -> (N, F), 1280 of B0. Raises: WeightsError.
    """
    import torch

    from tl_core.compute.kernels.batchnorm_folding import folded
    from tl_core.data.pixels.normalise import normalise
    from tl_core.models import build

    network = folded(build.build(library, 2, 0.0, choice, 0), torch.float32)
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH]))
            found.append(network.forward_until(normalise(batch, choice.mean, choice.std), "pooled").numpy())
            if on_progress:
                on_progress(min(start + BATCH, len(images)), len(images))
    return np.concatenate(found)


def grouped_folds(
    labels: np.ndarray, groups: np.ndarray, seed: int, num_folds: int = NUM_FOLDS
) -> StratifiedGroupKFold:
    """`num_folds` of them, fewer where a class has fewer groups.

    Shapes: labels, groups (N,) int.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    num_folds = max(2, min(num_folds, fewest_groups(labels, groups)))
    return StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)


def fewest_groups(labels: np.ndarray, groups: np.ndarray) -> int:
    """Of any class. Shapes: labels, groups (N,) int."""
    return min(len(np.unique(groups[labels == label])) for label in np.unique(labels))


def unseen_probabilities(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int = 0
) -> np.ndarray:
    """(N, C) probabilities of each picture by a regression that saw neither it nor a copy of it.

    Shapes: features (N, F), labels (N,) of 0 … C-1, groups (N,). Each class has two groups at least.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    probabilities = np.full((len(labels), int(labels.max()) + 1), 1e-9)
    with threadpool_limits(1, "blas"):  # small products: threads would only wait for each other
        for seen, unseen in grouped_folds(labels, groups, seed).split(features, labels, groups):
            judge = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
            judge.fit(features[seen], labels[seen])
            probabilities[np.ix_(unseen, judge[-1].classes_)] = judge.predict_proba(features[unseen])
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def issues(labels: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """Pictures whose label is probably wrong, the most suspicious first.

    Shapes: labels (N,), probabilities (N, C), out of sample.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    # one process: cleanlab would start as many as there are cores, inside the web server
    is_issue = find_label_issues(labels, probabilities, filter_by="confident_learning", n_jobs=1)
    quality = get_label_quality_scores(labels, probabilities, method="self_confidence")
    return sorted(np.flatnonzero(is_issue).tolist(), key=lambda index: float(quality[index]))


def flags(prepared: Prepared, probabilities: np.ndarray) -> list[Flag]:
    """The issues as flags, with what the label says and what the judge says instead.

    probabilities: (N, C), the judge's, in the order of `prepared`'s pictures.
    """
    names, classes = prepared.dataset.pictures, prepared.dataset.classes
    found = []
    for index in issues(prepared.labels, probabilities):
        given, said = int(prepared.labels[index]), int(probabilities[index].argmax())
        p = probabilities[index]
        values = {
            "given": classes[given],
            "said": classes[said],
            "p_given": float(p[given]),
            "p_said": float(p[said]),
        }
        found.append(Flag(names[index].name, "label", float(p[given]), values))
    return found
