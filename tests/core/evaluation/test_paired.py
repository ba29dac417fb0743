"""Flips between two stages."""

import numpy as np
import pytest

from tl_core.evaluation.paired import compare


def test_both_directions_are_found_and_other_changes_are_not():
    truth = np.array([0, 0, 1, 1, 2])
    before = np.array([0, 1, 0, 1, 0])
    after = np.array([1, 0, 1, 1, 1])
    found = compare(truth, before, after)
    assert found.gained.tolist() == [1, 2] and found.lost.tolist() == [0]


def test_an_even_split_is_chance_and_a_lopsided_one_is_not():
    truth = np.zeros(20, int)
    before = np.array([1] * 10 + [0] * 10)
    assert compare(truth, before, 1 - before).chance == pytest.approx(1)
    assert compare(truth, before, np.zeros(20, int)).chance == pytest.approx(2 / 1024)
    assert compare(truth, before, before).chance == 1
