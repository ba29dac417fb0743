"""Several runs that answer as one: the mean of their probabilities, each after its own temperature.

Made of runs of the same classes; network, size and weights may differ. Thresholds and limits that were saved
for one run say nothing about the mean, so the most probable class is the answer. Exactly the members' own
answers are averaged: each sees the picture as it would alone.

Source: Dietterich 2000, "Ensemble Methods in Machine Learning"; Lakshminarayanan et al. 2017,
arXiv:1612.01474.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tl_core.base.errors import NotComparable
from tl_core.data.pixels.sample_depth import Whites
from tl_core.inference.predictor import Decided, Predictor
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder

Squares = tuple[np.ndarray, ...]
"""One picture as each member sees it: uint8 (px, px, 3), its own px."""


@dataclass(frozen=True)
class Ensemble:
    """Answers wherever a `Predictor` does, and shares its surface."""

    members: tuple[Predictor, ...]
    # at least one

    @classmethod
    def of(cls, members: Sequence[Predictor]) -> Ensemble:
        """Raises: NotComparable: other classes."""
        first = members[0]
        for other in members[1:]:
            if set(other.classes) != set(first.classes):
                raise NotComparable(first=first.run.name, second=other.run.name, reason="other_classes")
        return cls(tuple(members))

    @property
    def run(self) -> RunFolder:
        """The first member's, whose pictures stand for all."""
        return self.members[0].run

    @property
    def classes(self) -> list[str]:
        return self.members[0].classes

    @property
    def name(self) -> str:
        return " + ".join(one.run.name for one in self.members)

    @property
    def identity(self) -> tuple[int, ...]:
        return tuple(map(id, self.members))

    @property
    def whites(self) -> Whites:
        return self.members[0].whites

    @property
    def rule(self) -> DecisionRule:
        """The most probable class: no run's threshold holds for the mean."""
        return DecisionRule()

    def sure_from(self, decided: DecisionRule) -> float:
        return decision_rule.usual_sure_from(len(self.classes))

    def read_square(self, source: Path | bytes, name: str | None = None) -> Squares:
        """Raises: UnreadableImage."""
        seen: dict[object, np.ndarray] = {}
        for one in self.members:
            key = one.image_px, one.whites
            if key not in seen:
                seen[key] = one.read_square(source, name)
        return tuple(seen[one.image_px, one.whites] for one in self.members)

    def read_both(self, source: Path | bytes, name: str | None = None) -> tuple[np.ndarray, Squares]:
        """To be shown, as the first member reads it: uint8 (H, W, 3); and `read_square`."""
        return self.members[0].read(source, name), self.read_square(source, name)

    def is_known(self, squares: Squares) -> bool:
        """Whether any member was trained on this picture, or chosen by it."""
        return any(one.is_known(square) for one, square in zip(self.members, squares, strict=True))

    def predict_with_features(self, pictures: Sequence[Squares]) -> tuple[np.ndarray, np.ndarray]:
        """(N, C) float32, rows summing to 1; (N, 0), for the members' features are not comparable."""
        total = np.zeros((len(pictures), len(self.classes)), np.float64)
        for place, one in enumerate(self.members):
            raw = one.predict_with_features([squares[place] for squares in pictures])[0]
            order = [one.classes.index(name) for name in self.classes]
            total += decision_rule.read(one.run).probabilities(raw)[:, order]
        mean = (total / len(self.members)).astype(np.float32)
        return mean, np.zeros((len(pictures), 0), np.float32)

    def decide(self, decided: DecisionRule, raw: np.ndarray, features: np.ndarray) -> Decided:
        """Shapes: raw (N, C), features (N, 0)."""
        said = decided.answers(raw, self.classes)
        return Decided(raw, said, decided.confidence(raw, self.classes), None)
