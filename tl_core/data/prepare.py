"""From a path to everything training needs: pictures in memory, labels, split, leak report.

The split is made of the pictures as the folders give them; the person's decisions are followed after it.
So a decision never moves a picture from one part to another, and a run before and a run after it are
judged on the same test pictures.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from tl_core.base.errors import DecisionsLeaveNone, NoReadableImages, OutputUnwritable, UnreadableImage
from tl_core.base.messages import say
from tl_core.data import curation as deciding
from tl_core.data import folders
from tl_core.data.curation import CurationEdit
from tl_core.data.dataset import Refused
from tl_core.data.duplicates import joined, near_duplicate_groups
from tl_core.data.layouts import name_groups
from tl_core.data.pixels import decode
from tl_core.data.pixels.sample_depth import Whites
from tl_core.data.split import LeakReport, Split, leaks, split_dataset


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
    hashes: list[str]
    # N, of `images`: equal hashes mean equal pixels
    leak: LeakReport
    found: folders.Dataset | None = None
    # the readable pictures as the folders give them, before decisions; None: no decision changed any
    added: list[int] = field(default_factory=list)
    # indices of corrections; always in split.train and in no fold
    whites: Whites = field(default_factory=Whites)
    # the scale of pictures of more than 8 bits, one for the whole set

    @property
    def decision_counts(self) -> dict[str, int]:
        """{"excluded", "relabelled", "added"}"""
        return deciding.counts(self.found or self.dataset, self.dataset)


def prepare(
    path: Path,
    *,
    image_px: int,
    seed: int,
    val_fraction: float,
    test_fraction: float,
    decisions: Sequence[CurationEdit] | None = None,
    groups: dict[str, str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Scan, decode each file once, find near-duplicates, split, follow the decisions.

    Args: image_px: side of the square in pixels. decisions: None = those beside the pictures, () = none.
        groups: {picture's name: group} beside what near-duplicates show; None = the table beside them.
        on_progress: called with (done, total) as pictures are read.
    Raises: what `folders.scan` raises; NoReadableImages; TooFewPictures; SplitClassMissing;
        BadDecisions; DecisionsLeaveNone; BadGroups; TooFewGroups;
        OutputUnwritable: pictures too many for memory, and no room for them on disk.
    """
    dataset = folders.scan(path)
    folders.refuse_without_training(dataset)
    rows = deciding.in_force(dataset.root) if decisions is None else list(decisions)
    added = deciding.added_pictures(dataset, rows)
    both = dataclasses.replace(dataset, pictures=[*dataset.pictures, *added])
    whites = whites_of(both.pictures)
    images, refused = _read_all(both, image_px, whites, on_progress)
    if sum(index < len(dataset.pictures) for index in refused) == len(dataset.pictures):
        first = refused[0]
        why = say(f"reason.{first.reason}", detail=first.detail)
        raise NoReadableImages(path=path, count=len(dataset.pictures), example=f"{first.name}: {why}")
    both = both.without(refused)
    names_added = {picture.name for picture in added}
    num_found = sum(picture.name not in names_added for picture in both.pictures)
    found = dataclasses.replace(both, pictures=both.pictures[:num_found])
    folders.check_splits(found)
    names = [picture.name for picture in found.pictures]
    group_of = name_groups.in_force("", dataset.root, names) if groups is None else groups
    alike = joined(near_duplicate_groups(images[:num_found]), [group_of.get(name) for name in names])
    split = split_dataset(
        np.array([picture.label for picture in found.pictures], dtype=np.int64),
        alike,
        [picture.given_split for picture in found.pictures],
        seed=seed,
        val_fraction=val_fraction,
        test_fraction=test_fraction,
        classes=found.classes,
    )
    return dataclasses.replace(_follow(rows, found, both, images, alike, split), whites=whites)


def _follow(
    rows: Sequence[CurationEdit],
    found: folders.Dataset,
    both: folders.Dataset,
    images: np.ndarray,
    groups: np.ndarray,
    split: Split,
) -> Prepared:
    """Leave out, rename and add what the decisions say; the parts stay as they were otherwise.

    both: `found` and then the corrections. images: in its order, perhaps longer. groups, split: of `found`.
    """
    num_found, num = len(found.pictures), len(both.pictures)
    copies: set[int] = set()
    if num > num_found:
        groups, copies = _group_added(images[:num], groups, split)
    names = deciding.excluded_names(rows)
    left_out = {i for i in range(num_found) if found.pictures[i].name in names}
    kept = [i for i in range(num) if i not in left_out | copies]
    place = {old: new for new, old in enumerate(kept)}
    if len(kept) < num:
        for old, new in place.items():
            images[new] = images[old]  # in place: the pictures may be more than memory holds twice
    images = images[: len(kept)]
    held_out = [Refused(both.pictures[i].name, "copy_of_held_out", "") for i in sorted(copies)]
    used = dataclasses.replace(
        both, pictures=[both.pictures[i] for i in kept], refused=[*both.refused, *held_out]
    )
    used = deciding.relabelled(used, rows)
    added = [place[i] for i in range(num_found, num) if i in place]

    def moved(part: list[int]) -> list[int]:
        return [place[i] for i in part if i in place]

    folds = [moved(fold) for fold in split.folds]
    parts = Split(moved(split.train) + added, moved(split.val), moved(split.test), folds)
    _check_parts(used, parts)
    groups = groups[kept]
    hashes = [decode.pixels_hash(image) for image in images]
    labels = np.array([picture.label for picture in used.pictures], dtype=np.int64)
    leak = leaks([picture.name for picture in used.pictures], groups, hashes, parts)
    is_changed = any(deciding.counts(found, used).values())
    return Prepared(used, images, labels, parts, groups, hashes, leak, found if is_changed else None, added)


def _group_added(images: np.ndarray, groups: np.ndarray, split: Split) -> tuple[np.ndarray, set[int]]:
    """(groups of all pictures, corrections that are copies of pictures that judge the model)."""
    held = {*split.val, *split.test, *(i for fold in split.folds for i in fold)}
    together = near_duplicate_groups(images)
    grown, copies = groups.tolist(), set()
    for i in range(len(groups), len(images)):
        twins = np.flatnonzero(together[: len(groups)] == together[i]).tolist()
        if held.intersection(twins):
            copies.add(i)
        grown.append(groups[twins[0]] if twins else int(groups.max()) + 1 + int(together[i]))
    return np.array(grown, dtype=np.int64), copies


def _check_parts(used: folders.Dataset, split: Split) -> None:
    """Raises: DecisionsLeaveNone."""
    for name, part in (("train", split.train), ("val", split.val), ("test", split.test)):
        present = {used.pictures[i].label for i in part}
        missing = [label for label in range(len(used.classes)) if label not in present]
        if missing and (part or name != "test" or not split.folds):
            raise DecisionsLeaveNone(split=name, name=used.classes[missing[0]])


def whites_of(pictures: Sequence[folders.Picture]) -> Whites:
    """The scale of the deep pictures of a set; reads those files."""
    with ThreadPoolExecutor(_num_threads()) as pool:
        return Whites.together(pool.map(decode.whites_needed, [picture.path for picture in pictures]))


def _num_threads() -> int:
    return min(os.cpu_count() or 1, 8)  # decoders let go of the interpreter


def _read_all(
    dataset: folders.Dataset,
    image_px: int,
    whites: Whites,
    on_progress: Callable[[int, int], None] | None,
) -> tuple[np.ndarray, dict[int, Refused]]:
    """(N, px, px, 3) with the readable pictures first, in order, and the others with their reason."""
    pictures = dataset.pictures
    images = _allocate((len(pictures), image_px, image_px, 3))
    refused: dict[int, Refused] = {}

    def read(picture: folders.Picture) -> np.ndarray | UnreadableImage:
        try:
            return decode.read_square(picture.path, picture.name, px=image_px, whites=whites)
        except UnreadableImage as error:
            return error

    num_kept = 0
    with ThreadPoolExecutor(_num_threads()) as pool:
        for index, result in enumerate(pool.map(read, pictures)):
            if isinstance(result, UnreadableImage):
                values = result.values
                refused[index] = Refused(pictures[index].name, str(values["reason"]), str(values["detail"]))
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
