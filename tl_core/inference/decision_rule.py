"""How a finished run's probabilities become an answer: RUN/decision.json, written when a person chose so.

    {"positive_class": "def_front", "threshold": 0.31, "temperature": 1.4, "sure_from": 0.8, "far_from": 0.2}

Every entry may be missing. Without the file nothing changes: the most probable class is the answer.
The threshold speaks of the probability after the temperature, the one that people are shown.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tl_core.base.atomic import write_json
from tl_core.base.errors import RunDamaged
from tl_core.base.reading import read_json
from tl_core.evaluation.calibration import with_temperature
from tl_core.runs.run_folder import RunFolder

FILE = "decision.json"
SURE_FROM = 0.7
"""Where "sure" begins unless a person moves it: with two classes, 70 % against 30 %."""
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
    # confidence (see `confidence`) below which the answer is "unsure", 0.5 .. 1
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
        """(N, C) after the temperature -> (N,): the best probability; with a threshold, measured from
        there. The odds are divided by the threshold's, so that it lies at 50 % and both answers have room.
        """
        if self.threshold is None or len(classes) != 2:
            return probabilities.max(axis=1)
        p, t = probabilities[:, classes.index(str(self.positive_class))], self.threshold
        said, other = p * (1 - t), (1 - p) * t
        return np.maximum(said, other) / np.maximum(said + other, 1e-12)

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
        ("temperature", 0, math.inf),
        ("sure_from", 0, 1.01),
        ("far_from", 0, math.inf),
    ):
        value = getattr(decision, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (is_number and low < value < high):
            raise RunDamaged(file=path, detail=f"{name} = {value}")
    if decision.threshold is not None:
        classes = list(run.read_config().get("class_to_idx") or {})
        if len(classes) != 2 or decision.positive_class not in classes:
            raise RunDamaged(file=path, detail=f"positive_class = {decision.positive_class}")
    return decision


def save(run: RunFolder, decision: DecisionRule) -> None:
    """Raises: OutputUnwritable."""
    write_json(run.path / FILE, decision.to_dict())
