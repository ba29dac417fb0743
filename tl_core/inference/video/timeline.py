"""What a run says in the course of a video. Single pictures flicker, so the probabilities are smoothed.

Exponential smoothing, causal: at each picture the kept probabilities move towards the new ones by the share
1 - exp(-dt / tau), dt being the time since the picture before. A change is seen after about tau; pictures
that come in uneven steps weigh by the time that they stand for. The rule that was saved for the run is
followed (temperature before, threshold after).

Source: Brown 1956, "Exponential Smoothing for Predicting Demand"; for uneven steps: Wright 1986, Management
Science 32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from tl_core.data.pixels.decode import resize_square
from tl_core.inference.predictor import Predictor
from tl_core.inference.video.frames import Video
from tl_core.runs.decision_rule import DecisionRule

RATE = 2.0
"""Pictures in a second that are looked at."""
SMOOTH_SECONDS = 1.0
"""tau; 0 = not smoothed."""
BATCH = 8


def timeline(
    predictor: Predictor,
    video: Video,
    decided: DecisionRule,
    *,
    rate: float = RATE,
    smooth_seconds: float = SMOOTH_SECONDS,
    on_time: Callable[[float], None] = lambda seconds: None,
) -> Iterator[dict[str, Any]]:
    """{"file", "seconds", "label", "probabilities", "frame_probabilities"} of each picture looked at, the
    first after smoothing, and "unsure" where a limit was saved. At most BATCH pictures are in memory.

    Raises: UnreadableVideo.
    """
    classes, kept, last = predictor.classes, None, 0.0
    for times, squares in _batches(predictor, video.frames(rate)):
        own = decided.probabilities(predictor.predict_with_features(squares)[0])
        for seconds, row in zip(times, own, strict=True):
            kept = row if kept is None else smoothed(kept, row, seconds - last, smooth_seconds)
            last = seconds
            answer = {
                "file": video.called,
                "seconds": round(seconds, 3),
                "label": classes[int(decided.answers(kept[None], classes)[0])],
                "probabilities": _named(classes, kept),
                "frame_probabilities": _named(classes, row),
            }
            if decided.sure_from is not None:
                answer["unsure"] = bool(decided.confidence(kept[None], classes)[0] < decided.sure_from)
            yield answer
        on_time(last)


def smoothed(kept: np.ndarray, row: np.ndarray, step: float, tau: float) -> np.ndarray:
    """Shapes: (C,). step, tau: seconds."""
    return row if tau <= 0 else kept + np.float32(1 - math.exp(-step / tau)) * (row - kept)


def segments(answers: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{"from", "to", "label"}]: stretches of one answer, in seconds; each ends where the next one begins."""
    found: list[dict[str, Any]] = []
    for answer in answers:
        if found and found[-1]["label"] == answer["label"]:
            found[-1]["to"] = answer["seconds"]
            continue
        if found:
            found[-1]["to"] = answer["seconds"]
        found.append({"from": answer["seconds"], "to": answer["seconds"], "label": answer["label"]})
    return found


def columns(classes: list[str]) -> list[str]:
    """Of the table: `p_` smoothed, `frame_p_` of the picture alone."""
    named = [f"{kind}_{name}" for kind in ("p", "frame_p") for name in classes]
    return ["file", "seconds", "predicted", *named, "unsure"]


def row_of(answer: dict[str, Any]) -> dict[str, Any]:
    kinds = {"p": answer["probabilities"], "frame_p": answer["frame_probabilities"]}
    named = {f"{kind}_{name}": f"{p:.6f}" for kind, row in kinds.items() for name, p in row.items()}
    marks = {"unsure": int(answer["unsure"])} if "unsure" in answer else {}
    return {
        "file": answer["file"],
        "seconds": answer["seconds"],
        "predicted": answer["label"],
        **named,
        **marks,
    }


def _batches(
    predictor: Predictor, frames: Iterator[tuple[float, np.ndarray]]
) -> Iterator[tuple[list[float], list[np.ndarray]]]:
    while True:
        times, squares = [], []
        for seconds, image in islice(frames, BATCH):
            times.append(seconds)
            squares.append(resize_square(image, predictor.image_px))
        if not times:
            return
        yield times, squares


def _named(classes: list[str], row: np.ndarray) -> dict[str, float]:
    return {name: float(p) for name, p in zip(classes, row, strict=True)}
