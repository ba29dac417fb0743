"""Kept activations outlive a run: the next one with the same frozen part and pictures reads them.

A file in the cache folder holds what the frozen part said, and its checksum. Its name is a hash of
all that decides the content, so nothing ever has to be compared or updated; what does not agree with
its checksum is deleted and computed again. The folder is bounded; what is unused for longest goes first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch

from tl_core.base.files import cache_folder
from tl_core.base.files.atomic import is_left_behind
from tl_core.compute.cpu_probe import cpu_name
from tl_core.data.pixels.augment import recipe
from tl_core.models.parts import part_state_hash

if TYPE_CHECKING:
    from tl_core.models.backbone import TransferModel
    from tl_core.training.feeding.batches import AugmentedPictures

log = logging.getLogger(__name__)

FORMAT = 2
"""Goes up when the frozen part is computed in another way, so that a run is not fed another's rounding."""
MAX_BYTES = 2 << 30
"""Of the folder: a run of 500 entries and 8 views takes 140 MB."""
MAX_SHARE = 4
"""A single file takes at most this part of it."""
LIBRARIES = ("torch", "timm", "torchvision", "numpy", "albumentations", "opencv-python-headless")

Stored = dict[str, torch.Tensor]
"""{station: (V, E, ...)}"""


def key_of(
    model: TransferModel, pictures: AugmentedPictures, stations: list[str], dtype: torch.dtype, device: str
) -> str:
    """Weights of the frozen parts, pixels, views, their augmentation and seeds, number format, processor,
    versions."""
    digest = hashlib.blake2b(digest_size=16)
    for part in model.stations[1 : model.stations.index(stations[-1]) + 1]:
        if part != "pooled":
            digest.update(part_state_hash(model, part).encode())
    digest.update(pictures.images.tobytes())
    about = [
        FORMAT, model.library, model.name, stations, str(dtype), device, cpu_name(), torch.get_num_threads(),
        pictures.images.shape, pictures.entries, pictures.mean, pictures.std, pictures.seed,
        recipe(pictures.strength) if pictures.is_augmented else None, pictures.num_views,
        [metadata.version(name) for name in LIBRARIES],
    ]  # fmt: skip
    digest.update(json.dumps(about).encode())
    return digest.hexdigest()


def load(folder: Path, key: str) -> tuple[Stored, dict[str, float]] | None:
    """What was kept under `key`: the activations, and seconds of one view per station, as measured then."""
    path = folder / f"{key}.safetensors"
    try:
        content = cache_folder.read_checked(path)
        if content is None:
            return None
        seconds = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        return safetensors.torch.load(content), {name: float(value) for name, value in seconds.items()}
    except Exception as error:
        log.warning("Kept activations are thrown away: %s", error)
        cache_folder.forget(path)
        return None


def save(folder: Path, key: str, stored: Stored, view_seconds: dict[str, float]) -> None:
    """Best effort: a full disk is not worth a run."""
    if sum(t.numel() * t.element_size() for t in stored.values()) > MAX_BYTES // MAX_SHARE:
        return
    told = {name: repr(value) for name, value in view_seconds.items()}
    try:
        content = safetensors.torch.save({k: v.cpu().contiguous() for k, v in stored.items()}, told)
        cache_folder.write_checked(folder / f"{key}.safetensors", content)
        cache_folder.prune(folder, MAX_BYTES)
    except OSError as error:
        log.warning("Activations could not be kept: %s", error)


def on_disk(shape: tuple[int, ...], dtype: torch.dtype, folder: Path) -> torch.Tensor:
    """An empty tensor in a file that the system deletes with the last reference to it. Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    cache_folder.forget(*filter(is_left_behind, folder.glob(".spill-*")))  # of processes that were killed
    size = torch.Size(shape).numel()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".spill-{os.getpid()}-", delete=False) as file:
        file.truncate(size * dtype.itemsize)
    tensor = torch.from_file(file.name, shared=True, size=size, dtype=dtype).view(shape)
    cache_folder.forget(Path(file.name))  # Windows refuses while it is in use: pruned later
    return tensor
