"""The run's answers and the export's to the same pictures, side by side, and whether the export may stand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tl_core.evaluation import metrics, paired
from tl_core.export.formats.record import Ask, Format
from tl_core.export.pictures import CheckPictures
from tl_core.export.subject import Subject

TOLERANCE = 1e-3
"""Of a probability, for an export that computes in 32 bits."""
LEAST_EQUAL = 0.9
"""Share of the labels that an int8 export must keep, however few pictures there are to judge its accuracy."""
CLEAR = 0.05
"""A difference that comes by chance less often than this is taken for one."""
NUM_TIMED = 15


def compare(
    subject: Subject, form: Format, pictures: CheckPictures, own: np.ndarray, exported: np.ndarray
) -> dict[str, Any]:
    """What card.json says under "check", but for speed and size.

    Shapes: own, exported (N, C) probabilities after the temperature, in the order of `pictures`. An int8
    export is judged by photographs alone where there are any: what is drawn is like nothing it was
    calibrated with.
    """
    used = np.ones(len(pictures), bool)
    if not form.is_exact and (pictures.truth >= 0).any():
        used = pictures.truth >= 0
    said, found = subject.said(own), subject.said(exported)
    # what is no number agrees with nothing
    differs = (said != found) & used
    gaps = np.abs(own - exported)[used]
    result: dict[str, Any] = {
        "num": int(used.sum()),
        "num_held_out": int((pictures.truth >= 0).sum()),
        "num_drawn": int((used & (pictures.truth < 0)).sum()),
        "labels_equal": float(1 - differs.sum() / used.sum()),
        "labels_equal_interval": metrics.wilson(int((used & ~differs).sum()), int(used.sum())),
        "num_labels_differ": int(differs.sum()),
        "largest_difference": float(gaps.max()),
        "mean_difference": float(gaps.mean()),
        "accuracy": _accuracy(subject, pictures, (own, said), (exported, found)),
    }
    reasons = list(_reasons(form, result, is_number=bool(np.isfinite(exported).all())))
    return {**result, "reasons": reasons, "passed": not reasons}


def _accuracy(
    subject: Subject,
    pictures: CheckPictures,
    own: tuple[np.ndarray, np.ndarray],
    exported: tuple[np.ndarray, np.ndarray],
) -> dict[str, Any] | None:
    """Of the run and of the export on the pictures that judge; None where they are gone,
    or an answer is no number."""
    judged = pictures.judged
    if not judged.any() or not np.isfinite(exported[0]).all():
        return None
    truth, groups = pictures.truth[judged], pictures.groups[judged]
    told: dict[str, Any] = {"split": pictures.split, "num": int(judged.sum())}
    for name, (p, said) in (("run", own), ("export", exported)):
        scores = metrics.evaluate(
            truth, p[judged], subject.classes, subject.predictor.positive, said[judged], groups
        )
        told[name] = {"accuracy": scores["accuracy"], "interval": scores["intervals"]["accuracy"]}
    flips = paired.compare(truth, own[1][judged], exported[1][judged])
    return {**told, "gained": len(flips.gained), "lost": len(flips.lost), "p": flips.chance}


def _reasons(form: Format, result: dict[str, Any], *, is_number: bool) -> list[str]:
    """Keys under [export] that say why it falls short; none where it does not."""
    if not is_number:
        return ["not_a_number"]
    if form.is_exact:
        found = {"labels_differ": result["num_labels_differ"] > 0}
        found["probabilities_differ"] = result["largest_difference"] > TOLERANCE
        return [name for name, is_so in found.items() if is_so]
    accuracy = result["accuracy"]
    is_worse = bool(accuracy) and accuracy["p"] < CLEAR and accuracy["lost"] > accuracy["gained"]
    found = {"accuracy_lower": is_worse, "labels_mostly_differ": result["labels_equal"] < LEAST_EQUAL}
    return [name for name, is_so in found.items() if is_so]


def speeds(rivals: dict[str, Ask], square: np.ndarray) -> dict[str, float]:
    """Seconds of each for one picture, square (1, px, px, 3) uint8: all take turns, and the fastest of each
    counts, in which other programs had the least part."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(NUM_TIMED + 2):
        for name, ask in rivals.items():
            spent = _seconds(lambda ask=ask: ask(square))  # type: ignore[misc]
            if turn > 1:  # the first ones warm up
                seconds[name].append(spent)
    return {name: min(times) for name, times in seconds.items()}


def _seconds(step: Callable[[], Any]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start
