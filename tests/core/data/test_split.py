"""Nobody sits on both sides, every class sits on each, and given seats are kept."""

from __future__ import annotations

import numpy as np
import pytest

from tl_core.base.errors import TooFewGroups, TooFewPictures
from tl_core.data.folders import MIN_PER_CLASS
from tl_core.data.split import Split, leaks, split_dataset


def labels_of(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def split(
    labels: np.ndarray, groups: np.ndarray | None = None, given: list | None = None, **options
) -> Split:
    options = {"seed": 42, "val_fraction": 0.2, "test_fraction": 0.2, **options}
    groups = np.arange(len(labels)) if groups is None else groups
    return split_dataset(labels, groups, given or [None] * len(labels), **options)


def parts_of(result: Split) -> list[list[int]]:
    return [part for part in (result.train, result.val, result.test) if part]


@pytest.mark.parametrize(("val", "test"), [(0.2, 0.2), (0.1, 0.1), (0.15, 0.3), (0.05, 0.25), (0.5, 0.2)])
def test_parts_have_the_fractions_asked_for_in_every_class(val: float, test: float):
    labels = labels_of(300, 700, 200)
    result = split(labels, val_fraction=val, test_fraction=test)
    assert sorted(result.train + result.val + result.test) == list(range(1200))
    for part, fraction in ((result.val, val), (result.test, test)):
        shares = np.bincount(labels[part]) / np.bincount(labels)
        assert np.abs(shares - fraction).max() < 0.02
    assert result.folds == []


def test_the_same_seed_gives_the_same_split_and_another_a_different_one():
    labels = labels_of(100, 100)
    assert split(labels) == split(labels)
    assert split(labels).test != split(labels, seed=43).test


def test_a_group_is_never_divided():
    rng = np.random.default_rng(0)
    for seed in range(10):
        labels = labels_of(120, 90, 80)
        groups = np.arange(len(labels)) // rng.integers(1, 8)  # some straddle two classes
        result = split(labels, groups, seed=seed)
        seats = {}
        for number, part in enumerate(parts_of(result)):
            for index in part:
                assert seats.setdefault(groups[index], number) == number
            assert set(labels[part]) == {0, 1, 2}


def test_large_groups_still_leave_fractions_close():
    labels = labels_of(262, 453)
    groups = np.arange(715)
    groups[:21], groups[21:40], groups[300:315] = 0, 21, 300
    result = split(labels, groups)
    for part in (result.val, result.test):
        assert np.abs(np.bincount(labels[part]) / np.bincount(labels) - 0.2).max() < 0.05


def test_given_parts_are_kept_exactly():
    labels = np.tile([0, 1], 150)
    given = ["train"] * 200 + ["val"] * 40 + ["test"] * 60
    result = split(labels, given=given)
    assert result == Split(list(range(200)), list(range(200, 240)), list(range(240, 300)), [])


def test_a_missing_val_comes_out_of_train_alone():
    labels = np.tile([0, 1], 150)
    result = split(labels, given=["train"] * 200 + ["test"] * 100)
    assert result.test == list(range(200, 300))
    assert sorted(result.train + result.val) == list(range(200))
    assert len(result.val) == 40


def test_a_given_test_is_kept_however_small():
    labels = np.tile([0, 1], 20)
    result = split(labels, given=["train"] * 36 + ["test"] * 4)
    assert result.test == [36, 37, 38, 39]
    assert result.folds == []


def test_train_alone_gives_val_and_test():
    result = split(labels_of(100, 100), given=["train"] * 200)
    assert [len(part) for part in parts_of(result)] == [120, 40, 40]


@pytest.mark.parametrize(("count", "num_folds"), [(59, 5), (20, 5), (5, 5), (4, 3)])
def test_too_few_pictures_for_a_test_part_give_folds_instead(count: int, num_folds: int):
    labels = labels_of(count, 80)
    result = split(labels)
    assert result.test == []
    assert sorted(result.train + result.val) == list(range(len(labels)))
    assert len(result.folds) == num_folds
    assert sorted(sum(result.folds, [])) == list(range(len(labels)))
    for part in [result.train, result.val, *result.folds]:
        assert set(labels[part]) == {0, 1}


def test_enough_pictures_give_a_test_part():
    result = split(labels_of(60, 80))
    assert len(result.test) == 28
    assert result.folds == []


@pytest.mark.parametrize(("num_bursts", "has_test"), [(5, False), (59, False), (60, True)])
def test_a_burst_of_one_object_counts_once_towards_a_test_part(num_bursts: int, has_test: bool):
    labels = labels_of(num_bursts * 12, 80)
    groups = np.concatenate([np.arange(num_bursts).repeat(12), num_bursts + np.arange(80)])
    result = split(labels, groups)
    assert bool(result.test) == has_test
    if has_test:
        assert len(np.unique(groups[result.test][labels[result.test] == 0])) >= 12
    else:
        assert len(result.folds) == 5


def test_folds_keep_groups_together():
    labels = labels_of(40, 40)
    groups = np.arange(80) // 2
    for fold in split(labels, groups).folds:
        outside = set(range(80)) - set(fold)
        assert not set(groups[fold]) & set(groups[list(outside)])


def test_no_test_part_asked_for_means_folds():
    result = split(labels_of(100, 100), test_fraction=0)
    assert result.test == []
    assert len(result.folds) == 5


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_class_with_too_few_pictures_is_named(count: int):
    with pytest.raises(TooFewPictures) as caught:
        split(labels_of(50, count, 50), classes=["cats", "dogs", "mice"])
    assert caught.value.values == {"name": "dogs", "count": count, "need": MIN_PER_CLASS}


def test_copies_of_one_picture_count_once():
    groups = np.arange(60)
    groups[50:] = 50
    with pytest.raises(TooFewGroups, match="10 pictures"):
        split(labels_of(50, 10), groups)


@pytest.mark.parametrize("sizes", [(30, 10, 10), (10, 30, 25, 12)])
def test_three_bursts_of_a_class_are_enough_to_take_turns(sizes):
    groups = np.repeat(np.arange(2 * len(sizes)), [*sizes, *sizes])
    labels = labels_of(sum(sizes), sum(sizes))
    for seed in range(5):
        result = split(labels, groups, seed=seed)
        assert result.test == [] and len(result.folds) == 3
        for part in (result.train, result.val, *result.folds):
            outside = np.setdiff1d(np.arange(len(labels)), part)
            if part is not result.train and part is not result.val:
                assert not set(groups[part]) & set(groups[outside])
            assert set(labels[part]) == {0, 1}


def test_pictures_of_given_parts_do_not_count_for_training():
    labels = np.array([0] * 50 + [1] * 3 + [1] * 20)
    with pytest.raises(TooFewPictures):
        split(labels, given=["train"] * 53 + ["test"] * 20, classes=["a", "b"])


def test_leaks_across_given_parts_are_counted_once_per_held_out_picture():
    names = ["train/a", "train/b", "train/c", "val/a", "test/a", "test/b", "test/d"]
    hashes = ["A", "B", "C", "A", "A", "B'", "D"]
    groups = [0, 1, 2, 0, 0, 1, 3]
    report = leaks(names, groups, hashes, Split([0, 1, 2], [3], [4, 5, 6]))
    assert report.pairs == [("train/a", "val/a"), ("train/a", "test/a"), ("train/b", "test/b")]
    assert (report.exact, report.near) == (2, 1)


def test_copies_within_one_part_are_no_leak():
    report = leaks(["a", "b", "c"], [0, 0, 1], ["A", "A", "C"], Split([0, 1], [], [2]))
    assert (report.pairs, report.exact, report.near) == ([], 0, 0)


def test_a_split_of_our_own_never_leaks():
    labels = labels_of(100, 100)
    groups = np.arange(200) // 3
    names = [str(n) for n in range(200)]
    assert leaks(names, groups, names, split(labels, groups)).pairs == []
