"""A finished run's network as it stood before training and after each stage.

The untouched network is not a file of its own: stage `head` leaves the backbone as it was, to the last
bit, and the new head is drawn from the run's seed. Both are put together again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_core.base.errors import RunDamaged, RunNotReady
from tl_core.base.stages import BEFORE, STAGES
from tl_core.runs.predictions import EVALUATED
from tl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from tl_core.inference.predictor import Predictor


def available(run: RunFolder) -> list[str]:
    """Stages whose network can be had, in their order. `before` needs the head's file, or the weights
    that the run started from; whether these are still there shows when they are loaded."""
    trained = [stage for stage in STAGES if (run.models / f"{STAGES[stage].best_file}.safetensors").is_file()]
    return [BEFORE, *trained] if trained else []


def load(run: RunFolder, stage: str, device: str = "cpu") -> Predictor:
    """Raises: ValueError: no such stage. RunNotReady, RunDamaged, WeightsError."""
    import torch

    from tl_core.inference.predictor import Predictor
    from tl_core.models import build
    from tl_core.models.weights import sources

    if stage not in EVALUATED:
        raise ValueError(f"{stage} is none of: {', '.join(EVALUATED)}")
    if stage != BEFORE:
        return Predictor.load(run, device, file=STAGES[stage].best_file)
    trained = available(run)[1:]
    if not trained:
        raise RunNotReady(path=run.path)
    found = Predictor.load(run, device, file=STAGES[trained[0]].best_file)
    config = run.settings()
    if not STAGES[trained[0]].moves_backbone:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)  # as `model.build` does, right before it draws the head
            found.model.replace_head(len(found.classes), config.dropout)
        found.model.eval()
        return found
    # stage head was left out, so the backbone of the only file has been trained
    try:
        choice = sources.reload(run.read_config()["weights_used"])
    except TypeError as error:
        raise RunDamaged(file=run.config_path, detail=error) from None
    untouched = build.build(config.library, len(found.classes), config.dropout, choice, config.seed)
    found.model.load_state_dict(untouched.state_dict())
    return found
