"""How a finished run's probabilities become an answer: RUN/decision.json, written when a person chose so.

    {"positive_class": "def_front", "threshold": 0.31, "temperature": 1.4, "sure_from": 0.8, "far_from": 0.2}

Every entry may be missing. Without the file nothing changes: the most probable class is the answer.
The threshold speaks of the probability after the temperature, the one that people are shown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tl_core.base.errors import RunDamaged
from tl_core.base.files.atomic import write_json
from tl_core.base.files.reading import MAX_NUMBER, read_json
from tl_core.evaluation.calibration import right_from, with_temperature
from tl_core.evaluation.metrics import evaluate
from tl_core.runs import predictions
from tl_core.runs.run_folder import RunFolder

FILE = "decision.json"
AHEAD = 0.4
"""How far "sure" lies above guessing, as a share of the way to 100 %: 70 % with two classes."""
FEW_ANSWERS = 50
"""Validation answers below which how sure the model really is cannot be told from them."""
LEAST = 1e-12
"""Nearest that a threshold may come to 0 and 1."""


@dataclass(frozen=True, kw_only=True)
class DecisionRule:
    positive_class: str | None = None
    # the class that the threshold speaks of
    threshold: float | None = None
    # probability from which `positive_class` is the answer, 0 < t < 1; two classes only
    threshold_from: dict[str, Any] = field(default_factory=dict)
    # how it was chosen, for people: {"split": "val", "num": 52, "miss_cost": 5}
    temperature: float | None = None
    # > 0; the logits are divided by it
    sure_from: float | None = None
    # confidence (see `confidence`) below which the answer is "unsure", 1 / classes .. 1
    far_from: float | None = None
    # cosine distance to the nearest training picture beyond which a picture is like none of them

    @property
    def is_empty(self) -> bool:
        return self == DecisionRule()

    def probabilities(self, raw: np.ndarray) -> np.ndarray:
        """(N, C) as the network gives them -> (N, C) after the temperature."""
        return raw if self.temperature is None else with_temperature(raw, self.temperature)

    def answers(self, probabilities: np.ndarray, classes: list[str]) -> np.ndarray:
        """(N, C) after the temperature -> (N,) index of the class that is said."""
        if self.threshold is None or len(classes) != 2:
            return probabilities.argmax(axis=1)
        positive = classes.index(str(self.positive_class))
        return np.where(probabilities[:, positive] >= self.threshold, positive, 1 - positive)

    def confidence(self, probabilities: np.ndarray, classes: list[str]) -> np.ndarray:
        """(N, C) after the temperature -> (N,): the best probability; with a threshold, how far from there.

        It lies at 50 %, and 100 % is as far away as its nearer end (0 or 1): at a threshold of 28 % an
        answer of 45 % has 80 %, as one of 80 % has at 50 %.
        """
        if self.threshold is None or len(classes) != 2:
            return probabilities.max(axis=1)
        p, t = probabilities[:, classes.index(str(self.positive_class))], self.threshold
        return np.minimum(0.5 + 0.5 * np.abs(p - t) / min(t, 1 - t), 1.0)

    def warmed(self, temperature: float | None) -> DecisionRule:
        """With another temperature and a threshold that leaves every answer as it was."""
        threshold = self.threshold
        if threshold is not None:
            raw = math.log(threshold / (1 - threshold)) * (self.temperature or 1)
            threshold = 1 / (1 + math.exp(-raw / (temperature or 1)))
            # a cold temperature rounds it to 0 or 1, which no probability can pass
            threshold = min(max(threshold, LEAST), 1 - LEAST)
        return dataclasses.replace(self, temperature=temperature, threshold=threshold)

    def to_dict(self) -> dict[str, Any]:
        """Plain types; what is not set is left out."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value not in (None, {})}


def said_by(
    decided: DecisionRule, rows: Sequence[predictions.Row], classes: list[str]
) -> list[predictions.Row]:
    """The rows of predictions.csv with what is said by the rule as their "predicted"."""
    if decided.threshold is None or not rows:
        return list(rows)
    _, said = _answered(decided, rows, classes)
    return [row | {"predicted": classes[index]} for row, index in zip(rows, said, strict=True)]


def scores_by(
    decided: DecisionRule, rows: Sequence[predictions.Row], scores: dict[str, Any]
) -> dict[str, Any] | None:
    """The same pictures answered by the saved threshold, as Classify answers; None where none was saved, or
    their answers are gone. rows: those behind `scores`, which are `evaluate`'s by the most probable class.

    The probabilities stay as the network gives them, so ROC AUC and loss do too.
    """
    if decided.threshold is None or not rows:
        return None
    classes = scores["classes"]
    truth = np.array([classes.index(row["truth"]) for row in rows])
    raw, said = _answered(decided, rows, classes)
    return evaluate(truth, raw, classes, scores["positive_class"], said)


def _answered(
    decided: DecisionRule, rows: Sequence[predictions.Row], classes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """(N, C) probabilities as the network gives them, (N,) index of the class that is said."""
    raw = np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows])
    return raw, decided.answers(decided.probabilities(raw), classes)


def usual_sure_from(num_classes: int) -> float:
    """Where "sure" begins when nothing was measured: 70 % with two classes, 50 % with six."""
    guessing = 1 / num_classes
    return round(guessing + AHEAD * (1 - guessing), 2)


def sure_from(run: RunFolder, decided: DecisionRule, classes: list[str], final_stage: str) -> float:
    """Where "sure" begins for this run: what a person saved; else the confidence from which its validation
    answers were right as often as `usual_sure_from` asks; else that itself, where they are too few, never
    that often right, or a saved threshold puts up with mistakes on purpose. 1 / classes .. 0.99.
    """
    usual = usual_sure_from(len(classes))
    if decided.sure_from is not None:
        return decided.sure_from
    if decided.threshold is not None:
        return usual
    answers = predictions.select(predictions.read(run), final_stage, "val")
    rows = [row for row in answers if row["truth"] in classes]
    if len(rows) < FEW_ANSWERS:
        return usual
    p = decided.probabilities(np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows]))
    is_right = p.argmax(axis=1) == [classes.index(row["truth"]) for row in rows]
    found = right_from(decided.confidence(p, classes), is_right, usual)
    # no slider has a place below guessing
    return usual if found is None else min(max(round(found, 2), round(1 / len(classes), 2)), 0.99)


def read(run: RunFolder) -> DecisionRule:
    """What was decided for this run; an empty Decision without the file.

    Raises: RunDamaged: the file cannot be read, or holds what cannot be.
    """
    path = run.path / FILE
    values = read_json(path) or {}
    known = {f.name for f in dataclasses.fields(DecisionRule)}
    decision = DecisionRule(**{name: value for name, value in values.items() if name in known})
    for name, low, high in (
        ("threshold", 0, 1),
        ("temperature", 0, MAX_NUMBER),
        ("sure_from", 0, 1.01),
        ("far_from", 0, MAX_NUMBER),
    ):
        value = getattr(decision, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (is_number and low < value < high):
            raise RunDamaged(file=path, detail=f"{name} = {value}"[:80])
    if decision.threshold is not None:
        classes = list(run.read_config().get("class_to_idx") or {})
        if len(classes) != 2 or decision.positive_class not in classes:
            raise RunDamaged(file=path, detail=f"positive_class = {decision.positive_class}")
    return decision


def save(run: RunFolder, decision: DecisionRule) -> None:
    """Raises: OutputUnwritable."""
    write_json(run.path / FILE, decision.to_dict())
