"""Judge a trained run on a folder of labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tl_core.base.errors import NoReadableImages, UnknownClass
from tl_core.base.files.file_names import readable
from tl_core.data import curation, duplicates, folders
from tl_core.data.dataset import Account, Refused
from tl_core.data.pixels.decode import pixels_hash
from tl_core.inference import seen_pictures
from tl_core.inference.predictor import Predictor, read_squares
from tl_core.runs import decision_rule


def evaluate_folder(predictor: Predictor, path: Path) -> dict[str, Any]:
    """Scores on every readable picture of a labelled folder whose classes the run knows, one class or more;
    labels and omissions decided beside the pictures are followed.

    Of the network itself, as in the run's summary. Returns what `metrics.evaluate` does, and
    `used`, `refused`: [{name, reason, detail}] and `empty`, as `dataset.Account` has them; `seen`:
    how many of these pictures the run was trained on or
    chose its best epoch by, whatever they are called now; and, where a threshold was saved for the run,
    `with_threshold`: the same scores of the answers that it leads to.
    Raises: DataError: no such folder, no pictures, a class the run does not know.
        RunDamaged: a decision.json that cannot be.
    """
    from tl_core.evaluation import metrics  # brings scikit-learn along

    classes = predictor.classes
    dataset = curation.followed(folders.scan(path, known=classes))
    unknown = [name for name in dataset.classes if name not in classes]
    if unknown:
        raise UnknownClass(path=path, name=unknown[0], known=", ".join(classes))
    decided = decision_rule.read(predictor.run)
    told: list[dict[str, Any]] = []
    hashes: list[str] = []
    likeness: list[np.ndarray] = []
    pieces = []
    named = ((readable(str(one.path)), one.path) for one in dataset.pictures)
    for some, squares in read_squares(predictor, named):
        told += some
        hashes += map(pixels_hash, squares)
        likeness += map(duplicates.picture_hashes, squares)
        pieces.append(predictor.predict(squares))
    refused = list(dataset.refused)
    judged = []
    for picture, answer in zip(dataset.pictures, told, strict=True):
        if "error" in answer:
            values = answer["error"].values
            refused.append(Refused(picture.name, str(values["reason"]), str(values["detail"])))
        else:
            judged.append(picture)
    if not judged:
        raise NoReadableImages(path=path, count=len(refused), example=refused[0].name)
    truth = np.array([classes.index(dataset.classes[picture.label]) for picture in judged])
    raw = np.concatenate(pieces)
    places = seen_pictures.pictures_used_for_training(predictor.run)
    pixels = seen_pictures.pixels(predictor.run)
    num_seen = sum(
        own in pixels or picture.path.resolve() in places for picture, own in zip(judged, hashes, strict=True)
    )
    groups = duplicates.groups_of_hashes(likeness)
    scores = metrics.evaluate(truth, raw, classes, predictor.positive, groups=groups)
    account = Account(len(judged), refused, list(dataset.empty))
    found = {**scores, **account.to_dict(), "seen": num_seen}
    if decided.threshold is not None:
        p = decided.probabilities(raw)
        said = decided.answers(p, classes)
        scores = metrics.evaluate(truth, p, classes, str(decided.positive_class), said, groups)
        found["with_threshold"] = {"threshold": decided.threshold, **scores}
    return found
