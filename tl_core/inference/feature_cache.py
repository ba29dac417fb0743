"""Pooled features of a run's pictures at one stage, computed once and kept in the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tl_core.base.errors import UnreadableImage
from tl_core.base.files import cache_folder
from tl_core.base.files.atomic import UNREADABLE
from tl_core.base.files.paths import cache_dir
from tl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from tl_core.inference.predictor import Predictor  # brings torch along

BATCH = 32
MAX_BYTES = 256 * 2**20
"""Kept at most; what was unused for longest goes first. A picture takes 5 KB."""


@dataclass(frozen=True)
class Embedded:
    names: list[str]
    # of the pictures that could be read, in the order asked
    features: np.ndarray
    # (N, 1280) float32


def kept(run: RunFolder, stage: str, pictures: Sequence[tuple[str, Path]]) -> Embedded | None:
    """What was computed before for exactly these pictures and this model; None when it was not."""
    try:
        content = cache_folder.read_checked(cache_path(run, stage, pictures))
        if content is None:
            return None
        with np.load(io.BytesIO(content)) as stored:
            return Embedded([str(name) for name in stored["names"]], stored["features"])
    except UNREADABLE:
        return None


def embed(
    predictor: Predictor,
    stage: str,
    pictures: Sequence[tuple[str, Path]],
    on_progress: Callable[[int, int], None] | None = None,
) -> Embedded:
    """Features of the pictures (name, file) that can still be read. A full disk only means computing again.

    on_progress: called with (done, total) after each batch.
    """
    found = kept(predictor.run, stage, pictures)
    if found is not None:
        return found
    names: list[str] = []
    parts = [np.zeros((0, predictor.model.feature_dim), np.float32)]
    for start in range(0, len(pictures), BATCH):
        images = []
        for name, path in pictures[start : start + BATCH]:
            try:
                images.append(predictor.read(path, name))
                names.append(name)
            except UnreadableImage:
                continue  # gone or changed since the run: the others are still worth seeing
        parts.append(predictor.predict_with_features(images)[1])
        if on_progress:
            on_progress(min(start + BATCH, len(pictures)), len(pictures))
    found = Embedded(names, np.concatenate(parts))
    _keep(cache_path(predictor.run, stage, pictures), found)
    return found


def cache_path(run: RunFolder, stage: str, pictures: Sequence[tuple[str, Path]]) -> Path:
    """Where they are kept, under a name that no other pictures and no other model have: of the model's
    files and each picture's name, size and time."""
    key = hashlib.blake2b(digest_size=12)
    for file in sorted(run.models.glob("*.safetensors")):
        key.update(os.fsencode(f"{file}{_stamp(file)}"))
    for name, path in pictures:
        key.update(os.fsencode(f"{name}{path}{_stamp(path)}"))
    return cache_dir() / "features" / f"{run.name}-{stage}-{key.hexdigest()}.npz"


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - twice as fast for thousands of pictures
        return found.st_size, found.st_mtime_ns
    except OSError:
        return 0, 0


def _keep(place: Path, found: Embedded) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, names=np.array(found.names, dtype=str), features=found.features)
    with contextlib.suppress(OSError):
        cache_folder.write_checked(place, buffer.getvalue())
        cache_folder.prune(place.parent, MAX_BYTES)
