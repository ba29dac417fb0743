"""What a set of predictions is worth: scores, each with a 95 % interval, beside what guessing is worth.

Point values come from scikit-learn. Intervals are chosen to stay honest with few pictures,
where a bootstrap of 20 right answers out of 20 would claim certainty:

accuracy, precision, recall   Wilson score interval (Wilson 1927)
balanced accuracy, F1,        draws of the confusion matrix' rows from their Dirichlet posterior
averages over classes         (Brodersen et al. 2010, "The balanced accuracy and its posterior
                              distribution", ICPR)
ROC AUC (two classes)         score interval over the Hanley-McNeil variance (Newcombe 2006,
                              Statistics in Medicine 25, method 5)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

METRICS = ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "roc_auc")
"""The numbers of `evaluate` that stand for a model, in the order in which they are shown."""

Z95 = 1.959964
"""Two-sided 95 % point of the normal distribution."""

NUM_DRAWS = 4000
"""Posterior draws for balanced accuracy and F1; the interval's ends are stable to 0.002."""


def evaluate(
    truth: np.ndarray,
    probabilities: np.ndarray,
    classes: list[str],
    positive: str | None,
    predicted: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> dict[str, Any]:
    """Scores of one split.

    Shapes: truth (N,) int, probabilities (N, C) float, rows summing to 1. `classes[i]` names column i.
    predicted: (N,) int, the class that is said; None: the most probable one.
    groups: (N,) int, pictures that share a number are copies, or one burst: the intervals count each group
    once, however many pictures it has. None: every picture stands for itself.
    With two classes precision, recall, f1 and roc_auc speak of `positive`; with more, or where none is
    named, they are averages over the classes that occur in `truth` (roc_auc: one against the rest, which
    of two is the same for either).
    Returns plain types only, ready for JSON; what cannot be computed (AUC of a single class) is None.

    Raises: ValueError: no predictions.
    """
    from sklearn import metrics as sk  # late: pages need the intervals alone, and at once

    truth = np.asarray(truth, dtype=np.int64)
    if not len(truth):
        raise ValueError("no predictions to evaluate")
    labels = np.arange(len(classes))
    predicted = probabilities.argmax(axis=1) if predicted is None else predicted
    confusion = sk.confusion_matrix(truth, predicted, labels=labels)
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0.0
    )
    present = support > 0
    focus: Any = classes.index(str(positive)) if is_focused(classes, positive) else present
    result: dict[str, Any] = {
        "num": len(truth),
        "num_groups": len(truth) if groups is None else len(np.unique(groups)),
        "chance": 1 / len(classes),
        # by guessing, and by always saying the class that is most common here
        "majority": float(support.max() / len(truth)),
        "classes": list(classes),
        "positive_class": positive,
        "accuracy": float((truth == predicted).mean()),
        "balanced_accuracy": float(recall[present].mean()),
        "precision": float(np.mean(precision[focus])),
        "recall": float(np.mean(recall[focus])),
        "f1": float(np.mean(f1[focus])),
        "roc_auc": _roc_auc(truth, probabilities, classes, positive),
        "loss": _log_loss(truth, probabilities),
        "per_class": {
            name: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
            }
            for i, name in enumerate(classes)
        },
        "confusion_matrix": confusion.tolist(),
    }
    own = np.arange(len(truth)) if groups is None else np.asarray(groups)
    worth = _independent(own) / len(truth)
    row_worth = np.array([_independent(own[truth == i]) / max(n, 1) for i, n in enumerate(support)])
    result["intervals"] = _intervals(result, confusion, classes, positive, worth, row_worth)
    return result


def _independent(groups: np.ndarray) -> float:
    """How many pictures of their own these are worth, if those of a group are right or wrong together: the
    square of their number over the sum of the squared group sizes. Source: Kish 1965, "Survey Sampling",
    the design effect with an intraclass correlation of 1 and unequal clusters."""
    sizes = np.unique(groups, return_counts=True)[1].astype(float)
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if len(sizes) else 0.0


def never_found(scores: dict[str, Any]) -> list[str]:
    """Classes that occur and of which no picture was recognised, which a good average may hide."""
    return [name for name, own in scores["per_class"].items() if own["support"] and not own["recall"]]


def defined(scores: dict[str, Any], metric: str) -> float | None:
    """A number of `evaluate`; None where it divides by nothing: the precision of a class that was never said,
    the recall of one without pictures."""
    is_divided = metric not in ("precision", "recall") or (scores.get("intervals") or {}).get(metric, True)
    return scores.get(metric) if is_divided else None


def defined_per_class(scores: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """{class: {precision, recall, f1}} of `evaluate`, each None where it divides by nothing."""
    counts = np.asarray(scores["confusion_matrix"])
    found: dict[str, dict[str, float | None]] = {}
    for name, said, is_ in zip(scores["classes"], counts.sum(axis=0), counts.sum(axis=1), strict=True):
        own = scores["per_class"][name]
        wholes = {"precision": said, "recall": is_, "f1": said + is_}
        found[name] = {metric: own[metric] if whole else None for metric, whole in wholes.items()}
    return found


def is_focused(classes: list[str], positive: str | None) -> bool:
    """Whether precision, recall and F1 speak of one class, and not of the average of all."""
    return positive is not None and len(classes) == 2


def _roc_auc(
    truth: np.ndarray, probabilities: np.ndarray, classes: list[str], positive: str | None
) -> float | None:
    from sklearn import metrics as sk

    if len(np.unique(truth)) < len(classes):
        return None
    if len(classes) == 2:
        column = classes.index(positive) if positive else 1
        return float(sk.roc_auc_score(truth == column, probabilities[:, column]))
    return float(sk.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro"))


def _log_loss(truth: np.ndarray, probabilities: np.ndarray) -> float:
    chosen = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(chosen, 1e-12, 1.0)).mean())


def _intervals(
    result: dict[str, Any],
    confusion: np.ndarray,
    classes: list[str],
    positive: str | None,
    worth: float,
    row_worth: np.ndarray,
) -> dict[str, Any]:
    """worth, row_worth (C,): independent pictures per picture, in all and in each class; 1 without copies."""
    total = float(confusion.sum())
    intervals: dict[str, Any] = {"accuracy": wilson(np.trace(confusion) * worth, total * worth)}
    recall, precision, f1 = _posterior_draws(confusion, row_worth)
    present = confusion.sum(axis=1) > 0
    intervals["balanced_accuracy"] = _around(result["balanced_accuracy"], recall[:, present].mean(axis=1))
    if not is_focused(classes, positive):
        for name, draws in (("f1", f1), ("precision", precision), ("recall", recall)):
            intervals[name] = _around(result[name], draws[:, present].mean(axis=1))
    else:
        column = classes.index(str(positive))
        intervals["f1"] = _around(result["f1"], f1[:, column])
        hits, own = float(confusion[column, column]), float(row_worth[column])
        intervals["precision"] = wilson(hits * worth, confusion[:, column].sum() * worth)
        intervals["recall"] = wilson(hits * own, confusion[column].sum() * own)
    if len(classes) == 2:
        intervals["roc_auc"] = auc_interval(result["roc_auc"], *(confusion.sum(axis=1) * row_worth))
    return intervals


def wilson(successes: float, trials: float) -> list[float] | None:
    """95 % score interval of a proportion; None without trials. Source: Wilson 1927, JASA 22.

    Written out, since a burst makes trials that are no whole number, which scipy's binomtest refuses.
    """
    if not trials:
        return None
    share = successes / trials
    scale = 1 + Z95**2 / trials
    middle = (share + Z95**2 / (2 * trials)) / scale
    half = Z95 / scale * math.sqrt(share * (1 - share) / trials + Z95**2 / (4 * trials**2))
    return [float(max(0.0, middle - half)), float(min(1.0, middle + half))]


def auc_interval(auc: float | None, num_positive: float, num_negative: float) -> list[float] | None:
    """95 % interval of the area under the ROC curve. Source: Newcombe 2006, method 5."""
    if auc is None or not num_positive or not num_negative:
        return None
    theta = np.linspace(0.0, 1.0, 10_001)
    spread = (num_positive + num_negative) / 2 - 1
    variance = theta * (1 - theta) * (1 + spread * (1 - theta) / (2 - theta) + spread * theta / (1 + theta))
    inside = theta[np.abs(theta - auc) <= Z95 * np.sqrt(variance / (num_positive * num_negative)) + 1e-4]
    return [float(inside.min()), float(inside.max())]


def _posterior_draws(
    confusion: np.ndarray, row_worth: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Recall, precision and F1 of `NUM_DRAWS` confusion matrices that the counts allow; (D, C) each, 0 for
    a class without pictures. row_worth: as of `_intervals`."""
    rng = np.random.default_rng(0)
    draws = np.zeros((NUM_DRAWS, *confusion.shape))
    for i, row in enumerate(confusion):
        if row.sum():
            draws[:, i] = rng.dirichlet(row * row_worth[i] + 1 / len(row), NUM_DRAWS) * row.sum()
    hits = np.einsum("dii->di", draws)
    true, said = draws.sum(axis=2), draws.sum(axis=1)
    wholes = ((hits, true), (hits, said), (2 * hits, true + said))
    recall, precision, f1 = (part / np.maximum(whole, 1e-12) for part, whole in wholes)
    return recall, precision, f1


def _around(point: float, draws: np.ndarray) -> list[float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return [float(min(low, point)), float(max(high, point))]
