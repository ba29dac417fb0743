"""Cross-validation, for when there are too few pictures to keep a test part: each picture is held
out once, and the recipe is run without it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.base.config import RunConfig
from tl_core.base.events import EpochEnd, Event, Progress
from tl_core.base.files.atomic import UNREADABLE, write_atomic
from tl_core.data.prepare import Prepared
from tl_core.data.split import Split, take_part

NUM_DONE = "num_done"


def cross_validate(
    prepared: Prepared, config: RunConfig, new_trainer: Callable[[Prepared], Any], kept: Path
) -> Generator[Event, None, dict[str, np.ndarray]]:
    """Probabilities of every picture by models that never saw it, best epoch chosen without it.

    new_trainer: a fresh Trainer over the given pictures. kept: file of the folds done so far, for the
    same pictures and settings; what stands there is not done again. Yields Progress in epochs. Returns
    {"before" | stage | "final": (N, C)}; "final" is each fold's own final stage. In rows
    that are in no fold, corrections, nothing stands.
    Raises: OutputUnwritable.
    """
    folds = prepared.split.folds
    epochs = sum(stage.epochs for stage in config.stages.values())
    num_kept, results = _read(kept)
    for number, held_out in enumerate(folds[num_kept:], num_kept):
        trainer = new_trainer(without(prepared, held_out, config))
        yield Progress(phase="cross_validating", done=number * epochs, total=len(folds) * epochs)
        num_done = 0
        for event in trainer.fit():
            num_done += isinstance(event, EpochEnd)
            if isinstance(event, EpochEnd | Progress):
                done = number * epochs + num_done
                yield Progress(phase="cross_validating", done=done, total=len(folds) * epochs)
        own = {**trainer.probabilities, "final": trainer.probabilities[trainer.final_stage]}
        for stage, probabilities in own.items():
            results.setdefault(stage, np.zeros_like(probabilities))[held_out] = probabilities[held_out]
        _write(kept, number + 1, results)
    return results


def _read(path: Path) -> tuple[int, dict[str, np.ndarray]]:
    """(folds done, their results so far); (0, {}) where nothing can be read."""
    try:
        with np.load(path) as stored:
            return int(stored[NUM_DONE]), {name: stored[name] for name in stored.files if name != NUM_DONE}
    except UNREADABLE:
        return 0, {}


def _write(path: Path, num_done: int, results: dict[str, np.ndarray]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **{NUM_DONE: np.array(num_done)}, **results)  # type: ignore[arg-type]
    write_atomic(path, buffer.getvalue())


def without(prepared: Prepared, held_out: list[int], config: RunConfig) -> Prepared:
    """The same pictures with `held_out` as the test part, and train and val made anew of the rest."""
    # corrections are no fold's: they are trained on in each, and choose or judge nothing
    rest = np.setdiff1d(np.arange(len(prepared.labels)), [*held_out, *prepared.added])
    train, val = take_part(rest, prepared.labels, prepared.groups, config.val_fraction, config.seed)
    split = Split(train.tolist() + prepared.added, val.tolist(), sorted(held_out))
    return dataclasses.replace(prepared, split=split)
