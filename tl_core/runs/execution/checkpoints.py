"""What a run keeps while it trains: the best weights of each stage, and what a resume needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.base.stages import STAGES
from tl_core.runs.execution import results
from tl_core.runs.run_folder import RunFolder, write_json

if TYPE_CHECKING:
    import numpy as np

    from tl_core.training.trainer import Trainer


class Checkpoints:
    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def save_best(self, trainer: Trainer, stage: str) -> None:
        """Raises: OutputUnwritable."""
        from tl_core.models.files import checkpoint_files

        about = {"classes": self._classes()}
        checkpoint_files.save_weights(self._best_path(stage), trainer.best_weights[stage], about)

    def save(self, trainer: Trainer, seconds: float, head_folds: dict[str, np.ndarray]) -> None:
        """Where training stands. seconds: worked so far. head_folds: see `Trainer.cross_validate_head`.

        Raises: OutputUnwritable.
        """
        import torch

        from tl_core.models.files import checkpoint_files

        folds = {stage: torch.from_numpy(p) for stage, p in head_folds.items()}
        state = {**trainer.state(), "seconds": seconds, "head_folds": folds}
        checkpoint_files.save_state(self.folder.last_checkpoint, state)
        write_json(self.folder.training_log_path, results.training_log(trainer.history))

    def restore(self, trainer: Trainer) -> dict[str, Any] | None:
        """The state that `save` wrote, given to the trainer; None where there is none. Raises: RunDamaged."""
        from tl_core.models.files import checkpoint_files

        if not self.folder.last_checkpoint.is_file():
            return None
        state = checkpoint_files.load_state(self.folder.last_checkpoint)
        state["head_folds"] = {stage: p.numpy() for stage, p in state.get("head_folds", {}).items()}
        known = self._classes()
        best = {
            stage: checkpoint_files.load_weights(self._best_path(stage), known) for stage in state["best"]
        }
        trainer.restore(state, best)
        return state

    def _classes(self) -> list[str]:
        return list(self.folder.read_config()["class_to_idx"])

    def _best_path(self, stage: str) -> Path:
        return self.folder.models / f"{STAGES[stage].best_file}.safetensors"
