"""Thresholds: what they count, and that the cheapest one is the cheapest."""

import numpy as np
import pytest

from tl_core.evaluation.metrics import wilson
from tl_core.evaluation.threshold import GRID, at_threshold, cheapest, precision_recall_curve, roc_curve


@pytest.fixture
def answers():
    rng = np.random.default_rng(3)
    is_positive = rng.random(400) < 0.3
    probability = 1 / (1 + np.exp(-rng.normal(np.where(is_positive, 1.0, -1.0), 1.2)))
    return is_positive, probability


def test_counts_by_hand():
    is_positive = np.arange(12) < 5
    found = at_threshold(is_positive, np.array([0.9, 0.5, 0.7, 0.2, 0.3, 0.6, 0.55, *[0.1] * 5]), 0.5)
    assert (found.num_found, found.num_missed, found.num_false, found.num_rest) == (3, 2, 2, 5)
    assert found.num == 12
    assert found.recall == pytest.approx(3 / 5) and found.precision == pytest.approx(3 / 5)
    assert found.f1 == pytest.approx(3 / 5) and found.false_alarm_rate == pytest.approx(2 / 7)
    assert found.cost(10) == 22
    assert found.recall_interval == found.precision_interval == wilson(3, 5)
    more = at_threshold(is_positive, np.array([0.9] * 3 + [0.2] * 2 + [0.9] * 6 + [0.1]), 0.5)
    assert more.recall_interval == wilson(3, 5) and more.precision_interval == wilson(3, 9)
    assert more.f1 == pytest.approx(2 * 3 / (2 * 3 + 2 + 6))


def test_what_cannot_be_computed_is_none():
    nothing = at_threshold(np.array([False]), np.array([0.1]), 0.5)
    assert nothing.recall is None and nothing.precision is None and nothing.f1 is None
    assert nothing.recall_interval is None and nothing.false_alarm_rate == 0
    assert at_threshold(np.array([True]), np.array([0.9]), 0.5).false_alarm_rate is None


def test_thresholds_are_those_that_a_slider_can_show():
    assert len(GRID) == 999 and (GRID[0], GRID[499], GRID[-1]) == (0.001, 0.5, 0.999)


@pytest.mark.parametrize("miss_cost", [0.1, 1, 5, 100])
def test_no_other_threshold_is_cheaper(answers, miss_cost):
    chosen = at_threshold(*answers, cheapest(*answers, miss_cost)).cost(miss_cost)
    assert chosen == min(at_threshold(*answers, t).cost(miss_cost) for t in GRID)


def test_dearer_misses_lower_the_threshold_and_are_fewer(answers):
    thresholds = [cheapest(*answers, cost) for cost in (0.2, 1, 5, 50)]
    assert thresholds == sorted(thresholds, reverse=True) and thresholds[0] > thresholds[-1]
    missed = [at_threshold(*answers, t).num_missed for t in thresholds]
    assert missed == sorted(missed, reverse=True)


def test_separated_classes_get_the_middle_of_the_gap():
    is_positive = np.array([True] * 5 + [False] * 5)
    probability = np.array([0.9] * 5 + [0.5] * 5)
    assert cheapest(is_positive, probability, 1) == pytest.approx(0.7, abs=0.01)


def test_of_several_equally_cheap_stretches_the_one_nearest_to_one_half_is_taken():
    is_positive = np.array([True, False, True, False])
    probability = np.array([0.95, 0.8, 0.45, 0.2])
    # one mistake each: above 0.8 (a miss), from 0.2 to 0.45 (a false alarm); the latter is nearer to 0.5
    assert cheapest(is_positive, probability, 1) == pytest.approx(0.325, abs=0.002)
    assert cheapest(~is_positive, 1 - probability, 1) == pytest.approx(0.675, abs=0.002)


def test_curves_go_from_corner_to_corner(answers):
    alarms, found = roc_curve(*answers)
    assert (alarms[0], found[0], alarms[-1], found[-1]) == (0, 0, 1, 1)
    recall, precision = precision_recall_curve(*answers)
    assert recall[0] == 1 and recall[-1] == 0 and precision[-1] == 1


def test_no_pictures_choose_no_threshold():
    with pytest.raises(ValueError, match="no pictures"):
        cheapest(np.zeros(0, bool), np.zeros(0), 1)
