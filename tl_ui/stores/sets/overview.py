"""What a data set holds, as the Data page tells it: read once, kept small, shared by all browsers.

The split is the one a run with standard settings makes: same reader, same seed, same fractions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from tl_core.base.config import RunConfig
from tl_core.data.curation import in_force
from tl_core.data.dataset import SPLITS, Dataset, Refused
from tl_core.data.folders import scan
from tl_core.data.layouts import name_groups
from tl_core.data.layouts.name_groups import Proposal
from tl_ui.stores.memo import Memo

MAX_EXAMPLES = 8
"""Pictures kept per class to look at; fewer when there are many classes."""
MAX_EXAMPLES_TOTAL = 60
MAX_PAIRS = 6
_EXAMPLE_PX = 224


@dataclass(frozen=True)
class Overview:
    root: Path
    classes: list[str]
    class_to_idx: dict[str, int]
    counts: dict[str, int]
    # readable pictures per class
    refused: list[Refused]
    empty: tuple[str, ...]
    # class folders in which no picture is read
    bits: int | None
    # that the integers of deep pictures use, the scale of the whole set; None: 8 bits only
    given_splits: tuple[str, ...]
    parts: dict[str, dict[str, int]]
    # {train, val, test: {class: pictures}}
    proposals: list[Proposal]
    # pictures that belong together by their names, where no table says it yet
    num_folds: int
    # > 0: too few pictures for a test part, cross-validation instead
    num_near: int
    # pictures that have a near-duplicate in the set
    leak_exact: int
    leak_near: int
    leak_pairs: list[tuple[np.ndarray, str, np.ndarray, str]]
    # the first few: (earlier part's picture, name, held-out picture, name)
    examples: dict[str, list[tuple[str, np.ndarray]]]
    # {class: [(name, uint8 (224, 224, 3))]}, of the training part

    @property
    def num_pictures(self) -> int:
        return sum(self.counts.values())


def read(path: Path, on_progress: Callable[[int, int], None] | None = None) -> Overview:
    """Read the data set at `path`, or take what was read before if no file has changed.

    Raises: DataError in all its kinds.
    """
    dataset = _scan(str(path))
    return _memo().get((str(path), signature(dataset, with_decisions=True)), lambda: _look(path, on_progress))


def scanned(path: Path) -> Dataset:
    """The folders and file names only. Raises: DataError."""
    return _scan(str(path))


def forget() -> None:
    """Look at the disk again on the next reading."""
    _scan.clear()


@st.cache_data(ttl=20, max_entries=16, show_spinner=False)
def _scan(path: str) -> Dataset:
    return scan(Path(path))


@st.cache_resource(show_spinner=False)
def _memo() -> Memo:
    return Memo(max_entries=8)


def signature(dataset: Dataset, with_decisions: bool = False) -> str:
    """Changes when a picture is added, removed or written, and if asked when a decision is; reads no
    picture. Raises: BadDecisions."""
    digest = hashlib.sha256()
    if with_decisions:
        digest.update(repr(in_force(dataset.root)).encode())
        digest.update(repr(name_groups.read(dataset.root / name_groups.FILE, is_optional=True)).encode())
    for picture in dataset.pictures:
        try:
            about = picture.path.stat()
        except OSError:
            continue
        digest.update(f"{picture.name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _look(path: Path, on_progress: Callable[[int, int], None] | None) -> Overview:
    from tl_core.data.prepare import prepare

    standard = RunConfig()
    prepared = prepare(
        path,
        image_px=_EXAMPLE_PX,
        seed=standard.seed,
        val_fraction=standard.val_fraction,
        test_fraction=standard.test_fraction,
        on_progress=on_progress,
    )
    data, split = prepared.dataset, prepared.split
    indices = dict(zip(SPLITS, (split.train, split.val, split.test), strict=True))
    sizes = np.bincount(prepared.groups)
    index_of = {picture.name: index for index, picture in enumerate(data.pictures)}

    def copy_of(name: str) -> np.ndarray:
        return prepared.images[index_of[name]].copy()

    pairs = prepared.leak.pairs[:MAX_PAIRS]
    return Overview(
        root=data.root,
        classes=data.classes,
        class_to_idx=data.class_to_idx,
        counts=data.counts(),
        refused=data.refused,
        empty=data.empty,
        bits=prepared.whites.bits,
        given_splits=data.given_splits,
        parts={part: _count(data, chosen) for part, chosen in indices.items()},
        proposals=[] if (data.root / name_groups.FILE).is_file() else name_groups.proposals(list(index_of)),
        num_folds=len(split.folds),
        num_near=int(sum(size for size in sizes if size > 1)),
        leak_exact=prepared.leak.exact,
        leak_near=prepared.leak.near,
        leak_pairs=[(copy_of(a), a, copy_of(b), b) for a, b in pairs],
        examples=_examples(data, prepared.images, split.train),
    )


def _count(data: Dataset, indices: list[int]) -> dict[str, int]:
    counts = dict.fromkeys(data.classes, 0)
    for index in indices:
        counts[data.classes[data.pictures[index].label]] += 1
    return counts


def _examples(
    data: Dataset, images: np.ndarray, indices: list[int]
) -> dict[str, list[tuple[str, np.ndarray]]]:
    """Training pictures spread evenly over each class's files: neighbours in a folder look alike."""
    each = max(1, min(MAX_EXAMPLES, MAX_EXAMPLES_TOTAL // len(data.classes)))
    found = {}
    for label, name in enumerate(data.classes):
        members = [index for index in indices if data.pictures[index].label == label]
        step = max(1, len(members) // each)
        chosen = members[::step][:each]
        found[name] = [(data.pictures[index].name, images[index].copy()) for index in chosen]
    return found
