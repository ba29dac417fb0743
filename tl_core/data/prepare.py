"""From a path to everything training needs: pictures in memory, labels, split, leak report."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from tl_core.data import decode, folders
from tl_core.data.duplicates import near_duplicate_groups
from tl_core.data.splitting import LeakReport, Split, leaks, split_dataset
from tl_core.errors import NoReadableImages, OutputUnwritable, UnreadableImage
from tl_core.messages import say


@dataclass(frozen=True)
class Prepared:
    """What one path gave. N pictures could be read; everything below is in their order."""

    dataset: folders.Dataset
    # its `pictures` are those that could be read, its `refused` the others
    images: np.ndarray
    # uint8 (N, px, px, 3), RGB, unaugmented
    labels: np.ndarray
    # int64 (N,), indices into dataset.classes
    split: Split
    groups: np.ndarray
    # int64 (N,), near-duplicates share a number
    leak: LeakReport


def prepare(
    path: Path,
    *,
    image_px: int,
    seed: int,
    val_fraction: float,
    test_fraction: float,
    on_progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Scan, decode each file once, find near-duplicates, split.

    Args: image_px: side of the square in pixels. on_progress: called with (done, total) as
        pictures are read.
    Raises: what `folders.scan` raises; NoReadableImages; TooFewPictures; SplitClassMissing;
        OutputUnwritable: pictures too many for memory, and no room for them on disk.
    """
    dataset = folders.scan(path)
    images, refused = _read_all(dataset, image_px, on_progress)
    if len(refused) == len(dataset.pictures):
        first = refused[0]
        why = say(f"reason.{first.reason}", detail=first.detail)
        raise NoReadableImages(path=path, count=len(refused), example=f"{first.name}: {why}")
    kept = folders.without(dataset, refused)
    folders.check_splits(kept)
    images = images[: len(kept.pictures)]
    labels = np.array([picture.label for picture in kept.pictures], dtype=np.int64)
    groups = near_duplicate_groups(images)
    split = split_dataset(
        labels,
        groups,
        [picture.given_split for picture in kept.pictures],
        seed=seed,
        val_fraction=val_fraction,
        test_fraction=test_fraction,
        classes=kept.classes,
    )
    hashes = [hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest() for image in images]
    leak = leaks([picture.name for picture in kept.pictures], groups, hashes, split)
    return Prepared(kept, images, labels, split, groups, leak)


def _read_all(
    dataset: folders.Dataset, image_px: int, on_progress: Callable[[int, int], None] | None
) -> tuple[np.ndarray, dict[int, folders.Refused]]:
    """(N, px, px, 3) with the readable pictures first, in order, and the others with their reason."""
    pictures = dataset.pictures
    images = _allocate((len(pictures), image_px, image_px, 3))
    refused: dict[int, folders.Refused] = {}

    def read(picture: folders.Picture) -> np.ndarray | UnreadableImage:
        try:
            return decode.resize_square(
                decode.read_image(picture.path, picture.name, max_px=image_px), image_px
            )
        except UnreadableImage as error:
            return error

    num_kept = 0
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:  # decoders let go of the interpreter
        for index, result in enumerate(pool.map(read, pictures)):
            if isinstance(result, UnreadableImage):
                values = result.values
                refused[index] = folders.Refused(
                    pictures[index].name, str(values["reason"]), str(values["detail"])
                )
            else:
                images[num_kept] = result
                num_kept += 1
            if on_progress:
                on_progress(index + 1, len(pictures))
    return images, refused


def _allocate(shape: tuple[int, ...]) -> np.ndarray:
    """In memory if it takes at most a quarter of what is free, else in a file that the system
    deletes with the last reference to it."""
    num_bytes = int(np.prod(shape))
    if num_bytes <= psutil.virtual_memory().available // 4:
        return np.zeros(shape, np.uint8)
    folder = tempfile.gettempdir()
    if shutil.disk_usage(folder).free < num_bytes:  # a sparse file on a full disk would crash later
        raise OutputUnwritable(path=folder, reason="disk_full", detail="")
    return np.memmap(tempfile.TemporaryFile(), np.uint8, "w+", shape=shape)
