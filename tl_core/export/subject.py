"""What is exported: a run's network, how its probabilities become an answer, and what a file says of it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core import __version__
from tl_core.base.errors import StageMissing
from tl_core.base.stages import STAGES
from tl_core.evaluation.calibration import SMALLEST
from tl_core.export.licences import licence_of
from tl_core.inference import stage_models
from tl_core.inference.predictor import BATCH, FINAL, Predictor
from tl_core.runs import about, decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import torch

INPUT = "uint8 (num, {px}, {px}, 3), RGB, rows from the top; any num"
PICTURE_PATH = "1"
"""Version of `handout/picture-path.md`."""


@dataclass(frozen=True)
class Subject:
    predictor: Predictor
    decided: DecisionRule
    sure_from: float
    # below which Classify says "unsure"; `predict` does so only where a person saved a limit
    weights: dict[str, Any]
    # the run's record of what it started from
    final_stage: str | None

    @classmethod
    def of(cls, run: RunFolder, stage: str | None = None) -> Subject:
        """stage: whose best epoch is exported; None: the run's final model.

        Raises: RunNotFound, RunNotReady, RunDamaged. StageMissing: the run has no model of that stage.
        """
        if stage is not None and stage not in stage_models.available(run)[1:]:
            have = ", ".join(stage_models.available(run)[1:]) or "–"
            raise StageMissing(path=run.path, stage=stage, have=have)
        predictor = Predictor.load(run, file=FINAL if stage is None else STAGES[stage].best_file)
        decided = decision_rule.read(run)
        final = str((run.read_summary() or {}).get("final_stage") or predictor.stage or "")
        sure_from = decision_rule.sure_from(run, decided, predictor.classes, stage or final)
        return cls(predictor, decided, sure_from, run.read_config()["weights_used"], stage or final or None)

    @property
    def classes(self) -> list[str]:
        return self.predictor.classes

    def network(self) -> torch.nn.Module:
        """(N, px, px, 3) uint8 -> (N, C) probabilities after the temperature; torch, in eval mode."""
        from tl_core.models.onnx import graph as onnx_graph

        own, temperature = self.predictor, self.decided.temperature
        after = None if temperature is None else _temperature(temperature)
        return onnx_graph.whole_network(own.model.for_size(own.image_px), own.mean, own.std, after=after)

    def answers(self, squares: np.ndarray) -> np.ndarray:
        """The run's own: (N, px, px, 3) uint8 -> (N, C) probabilities after the temperature, by torch."""
        import torch

        from tl_core.data.pixels.normalise import normalise

        own, pieces = self.predictor, []
        with torch.inference_mode():
            for start in range(0, len(squares), BATCH):
                some = torch.from_numpy(squares[start : start + BATCH])
                logits = own.model(normalise(some, own.mean, own.std))
                pieces.append(torch.softmax(logits, dim=1).numpy())
        return self.decided.probabilities(np.concatenate(pieces))

    def said(self, probabilities: np.ndarray) -> np.ndarray:
        """(N, C) after the temperature -> (N,) index of the class that is said."""
        return self.decided.answers(probabilities, self.classes)

    def about(self) -> dict[str, Any]:
        """What an exported file says of itself: plain values, nothing of the machine it was made on."""
        own = self.predictor
        return {
            "run": about.name_of(own.run),
            "made_with": f"Headswap {__version__}",
            "backbone": own.backbone,
            "library": own.model.library,
            "stage": self.final_stage,
            "classes": self.classes,
            "image_px": own.image_px,
            "input": INPUT.format(px=own.image_px),
            "picture_path": PICTURE_PATH,
            "mean": list(own.mean),
            "std": list(own.std),
            "whites": dataclasses.asdict(own.whites),
            "temperature": self.decided.temperature,
            "positive_class": self.decided.positive_class or own.positive,
            "threshold": self.decided.threshold,
            "sure_from": self.decided.sure_from,
            "usual_sure_from": self.sure_from,
            "weights": self.weights.get("source"),
            "weights_label": self.weights.get("label"),
            "weights_sha256": self.weights.get("sha256"),
            "licence_of_weights": licence_of(self.weights, own.backbone),
        }

    def metadata(self) -> dict[str, str]:
        """`about` as texts, JSON where it is none; what is not set is left out."""
        return {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in self.about().items()
            if value is not None
        }


def _temperature(temperature: float) -> torch.nn.Module:
    """As `evaluation.calibration.with_temperature`, floor included, so that the answers are the same."""
    import torch

    class Temperature(torch.nn.Module):
        def forward(self, p: torch.Tensor) -> torch.Tensor:
            return torch.softmax(torch.log(torch.clamp(p, min=SMALLEST)) / temperature, dim=1)

    return Temperature()
