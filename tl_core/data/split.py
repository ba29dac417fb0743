"""Who is trained on, who chooses the best epoch, who gives the reported numbers.

The split is made on original pictures, before any augmentation; near-duplicates (one group)
stay on one side; every class has its share on every side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from tl_core.base.errors import TooFewGroups, TooFewPictures
from tl_core.data.folders import MIN_PER_CLASS

MIN_GROUPS = 3
"""Groups (bursts, videos, copies) that a class must have: to train on, to choose by and to test on."""
MIN_TEST_PER_CLASS = 12
"""Different pictures. With fewer the 95 % interval of a class's recall spans some 50 points, which says
nothing; all pictures take turns as test pictures instead (cross-validation)."""

_TURNS = 20
_FINEST = 20
# folds at most; a part is some of them, so its size comes out within a point or so


@dataclass(frozen=True)
class Split:
    """Indices into Dataset.pictures, ascending."""

    train: list[int]
    val: list[int]
    test: list[int]
    # empty when there are too few pictures for a test part of their own
    folds: list[list[int]] = field(default_factory=list)
    # then these, a partition of train + val: each is held out once for cross-validation


@dataclass(frozen=True)
class LeakReport:
    """Held-out pictures that have a copy among the pictures of an earlier part (train, val, test)."""

    pairs: list[tuple[str, str]]
    # (name of the copy in the earlier part, name of the held-out picture); one per held-out picture
    exact: int
    # of those, identical pixel by pixel
    near: int
    # of those, nearly identical


def split_dataset(
    labels: Sequence[int] | np.ndarray,
    groups: Sequence[int] | np.ndarray,
    given: Sequence[str | None],
    *,
    seed: int,
    val_fraction: float,
    test_fraction: float,
    classes: Sequence[str] | None = None,
) -> Split:
    """Split by class and group; parts that the folders give are kept as they are.

    The parts that are missing come out of the pictures that are not in a given val or test: all
    of them, or the train folder's. Both fractions are of that number. When a class would have
    fewer than MIN_TEST_PER_CLASS pictures in the test part (so also with test_fraction 0), there
    is none: `folds` holds five folds, or three when a class has fewer than five different pictures.

    Args: labels, groups, given: (N,) each. classes: names for the error message.
    Raises: TooFewPictures: a class with fewer than MIN_PER_CLASS pictures to divide.
        TooFewGroups: a class whose pictures are all copies of fewer than MIN_GROUPS.
    Source: scikit-learn's StratifiedGroupKFold.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    parts = np.array([part or "train" for part in given])
    pool = np.flatnonzero(parts == "train")
    val, test = np.flatnonzero(parts == "val"), np.flatnonzero(parts == "test")
    num_distinct = _check_enough(labels[pool], groups[pool], labels, classes)
    if not len(test) and num_distinct * test_fraction >= MIN_TEST_PER_CLASS:
        pool, test = take_part(pool, labels, groups, test_fraction, seed)
        val_fraction = val_fraction / (1 - test_fraction)
    if not len(val):
        pool, val = take_part(pool, labels, groups, val_fraction, seed + 1)
    folds: list[list[int]] = []
    if not len(test):
        together = np.sort(np.concatenate([pool, val]))
        folds = stratified_folds(together, labels, groups, 5 if num_distinct >= 5 else 3, seed + 2)
    return Split(pool.tolist(), val.tolist(), test.tolist(), folds)


def leaks(
    names: Sequence[str], groups: Sequence[int] | np.ndarray, hashes: Sequence[str], split: Split
) -> LeakReport:
    """Copies across the parts of a split. A split of our own has none; folders' splits often do.

    Args: names, groups, hashes: (N,) each; equal hashes mean equal pixels.
    """
    pairs, exact = [], 0
    same_pixels: dict[str, str] = {}  # of the parts seen so far: hash -> a name
    same_group: dict[int, str] = {}
    for part in (split.train, split.val, split.test):
        for index in part:
            twin = same_pixels.get(hashes[index])
            exact += twin is not None
            twin = twin or same_group.get(int(groups[index]))
            if twin is not None:
                pairs.append((twin, names[index]))
        for index in part:
            same_pixels.setdefault(hashes[index], names[index])
            same_group.setdefault(int(groups[index]), names[index])
    return LeakReport(pairs=pairs, exact=exact, near=len(pairs) - exact)


def _check_enough(
    labels: np.ndarray, groups: np.ndarray, all_labels: np.ndarray, classes: Sequence[str] | None
) -> int:
    """The fewest different pictures (groups) that any class has."""
    num_classes = len(classes) if classes else int(all_labels.max()) + 1
    distinct = [len(np.unique(groups[labels == label])) for label in range(num_classes)]
    fewest = int(np.argmin(distinct))
    count = int((labels == fewest).sum())
    name = classes[fewest] if classes else str(fewest)
    if count < MIN_PER_CLASS:
        raise TooFewPictures(name=name, count=count, need=MIN_PER_CLASS)
    if distinct[fewest] < MIN_GROUPS:
        raise TooFewGroups(name=name, count=count, distinct=distinct[fewest], need=MIN_GROUPS)
    return distinct[fewest]


def take_part(
    pool: np.ndarray, labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(what remains, what was taken): about `fraction` of the pool, as whole folds; ascending.

    pool: (P,) indices. labels, groups: (N,) of all pictures.
    """
    distinct = [len(np.unique(groups[pool][labels[pool] == label])) for label in np.unique(labels[pool])]
    num_folds, num_taken = _folds_for(fraction, min(distinct))
    folds = stratified_folds(pool, labels, groups, num_folds, seed)
    taken = np.sort(np.concatenate(folds[:num_taken]))
    return np.setdiff1d(pool, taken), taken


def _folds_for(fraction: float, most: int) -> tuple[int, int]:
    """(folds to make, folds to take): the fewest folds that come within a point of `fraction`,
    else the closest. Each class should reach every fold, hence `most`."""
    options = [(n, min(max(round(fraction * n), 1), n - 1)) for n in range(2, max(min(_FINEST, most), 2) + 1)]
    close = [(n, k) for n, k in options if abs(k / n - fraction) <= 0.01]
    return close[0] if close else min(options, key=lambda option: abs(option[1] / option[0] - fraction))


def stratified_folds(
    pool: np.ndarray, labels: np.ndarray, groups: np.ndarray, count: int, seed: int
) -> list[list[int]]:
    """`count` parts of the pool (indices into labels and groups, which are (N,)): each class in its share,
    a group in one part."""
    num_classes = len(np.unique(labels[pool]))
    found: list[list[int]] = []
    for turn in range(_TURNS):  # with few groups a class may miss a fold; another shuffle brings it there
        random = (seed + turn * 7919) % 2**32
        splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=random)
        parts = splitter.split(pool, labels[pool], groups[pool])
        folds = [np.sort(pool[held]).tolist() for _, held in parts]
        found = found or folds
        if all(len(np.unique(labels[fold])) == num_classes for fold in folds):
            return folds
    return found
