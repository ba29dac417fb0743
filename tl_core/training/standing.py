"""Where training stands: what each stage has come to so far, for the results and for a resume."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tl_core.base.events import NewBest
from tl_core.models.backbone import TransferModel
from tl_core.training.stage_state import StageState

HISTORY = ("train_loss", "train_acc", "val_loss", "val_acc", "lr")
"""Columns of the per-stage history, named as the expression guide's training log names them."""

Weights = dict[str, torch.Tensor]


class Standing:
    """Filled as training goes on; `state` at the end of an epoch, given to `restore`, is the same again."""

    def __init__(self, stages: list[str]) -> None:
        self.stages = stages  # to be trained, in order
        self.history: dict[str, dict[str, list[float]]] = {}
        self.best: dict[str, dict[str, Any]] = {}  # stage -> epoch, val_loss, val_accuracy
        self.best_weights: dict[str, Weights] = {}
        self.probabilities: dict[str, np.ndarray] = {}  # stage, BEFORE too -> (N, C), every picture
        self.frozen_work: dict[str, dict[str, Any]] = {}  # stage -> how it was done, what that saved
        self.done: list[str] = []  # stages that have ended
        self.run: StageState | None = None  # of the stage that was begun last
        self._restored: dict[str, Any] | None = None

    def begin(self, stage: str) -> None:
        self.history[stage] = {column: [] for column in HISTORY}

    def record(self, stage: str, *values: float) -> None:
        """One epoch, in the order of HISTORY."""
        for column, value in zip(HISTORY, values, strict=True):
            self.history[stage][column].append(value)

    def keep_best(
        self, stage: str, epoch: int, val_loss: float, val_accuracy: float, model: TransferModel
    ) -> NewBest:
        self.best[stage] = {"epoch": epoch, "val_loss": val_loss, "val_accuracy": val_accuracy}
        self.best_weights[stage] = {k: v.detach().clone() for k, v in model.state_dict().items()}
        return NewBest(stage=stage, epoch=epoch, val_loss=val_loss, val_accuracy=val_accuracy)

    def state(self) -> dict[str, Any]:
        """What `restore` needs beside the best weights of each stage; tensors and plain values only.
        Take it at an EpochEnd of a trained stage, or at a ModelReady. Raises: RuntimeError: none was yet."""
        run = self.run
        if run is not None and run.name not in self.done:
            place = run.state()
        elif self.done:
            place = {"stage": self.done[-1], "epoch": len(self.history[self.done[-1]]["lr"])}
        else:
            raise RuntimeError("no epoch has ended yet")
        known = {stage: torch.from_numpy(p) for stage, p in self.probabilities.items()}
        told = {"history": self.history, "best": self.best, "frozen_work": self.frozen_work}
        return {**place, **told, "done": list(self.done), "probabilities": known}

    def restore(self, state: dict[str, Any], best_weights: dict[str, Weights]) -> None:
        """Go on after the point at which `state` was taken. best_weights: {stage: state dict} of every stage
        in state["best"]."""
        self.history, self.best = state["history"], state["best"]
        self.best_weights = best_weights
        self.frozen_work = state.get("frozen_work", {})
        self.done = list(state.get("done", self.stages[: self.stages.index(state["stage"])]))
        self._restored = state if state["stage"] not in self.done else None
        self.probabilities = {stage: p.numpy() for stage, p in state.get("probabilities", {}).items()}

    def go_on(self, run: StageState) -> None:
        """With `run`, from its beginning or from where it was restored."""
        self.run = run
        if self._restored is None or self._restored["stage"] != run.name:
            self.begin(run.name)
            return
        run.continue_from(self._restored, self.best_weights[run.name])
        self._restored = None
