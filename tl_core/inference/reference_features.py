"""The training pictures' features, kept with the run, so that a new picture can be held against them."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np

from tl_core.base.errors import RunDamaged
from tl_core.base.files.atomic import UNREADABLE, write_atomic
from tl_core.evaluation.out_of_distribution import nearest
from tl_core.runs.run_folder import RunFolder


def path_of(run: RunFolder) -> Path:
    return run.models / "known_features.npz"


def save(run: RunFolder, features: np.ndarray) -> None:
    """features: (N, 1280), of training pictures under the final model; kept in half precision, 2.5 KB each.
    Raises: OutputUnwritable."""
    buffer = io.BytesIO()
    np.savez(buffer, features=features.astype(np.float16))
    write_atomic(path_of(run), buffer.getvalue())


def distance_to_training(run: RunFolder, features: np.ndarray) -> np.ndarray:
    """(N, 1280) of new pictures -> (N,) cosine distance to the nearest kept one. Raises: RunDamaged."""
    path = path_of(run)
    try:
        return nearest(_kept(path, path.stat().st_mtime_ns), features)[0][:, 0]
    except UNREADABLE as error:
        raise RunDamaged(file=path, detail=error) from error


@lru_cache(maxsize=4)
def _kept(path: Path, _changed: int) -> np.ndarray:
    """(M, 1280); read once for all the batches of a folder."""
    with np.load(path) as stored:
        return stored["features"].astype(np.float32)
