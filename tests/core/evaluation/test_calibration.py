"""Calibration: bins, their error, and one temperature that mends over-confidence."""

import numpy as np
import pytest

from tl_core.evaluation.calibration import (
    bootstrap,
    calibration_error,
    fit_temperature,
    log_loss,
    loss_change,
    reliability,
    right_from,
    with_temperature,
)


def drawn(num, factor, classes=3, seed=0):
    """Truth drawn from honest probabilities, and what a network says whose logits are `factor` too large."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(num, classes)) * 1.5
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(classes, p=row) for row in honest])
    return truth, with_temperature(honest, 1 / factor)


def test_temperature_one_changes_nothing_and_none_changes_the_best_class():
    _, p = drawn(200, 1)
    np.testing.assert_allclose(with_temperature(p, 1.0), p, atol=1e-5)
    for temperature in (0.3, 4.0):
        warmed = with_temperature(p, temperature)
        np.testing.assert_allclose(warmed.sum(axis=1), 1)
        assert (warmed.argmax(axis=1) == p.argmax(axis=1)).all()


def test_the_temperature_of_an_overconfident_network_is_found_again():
    assert fit_temperature(*drawn(4000, 2.5)) == pytest.approx(2.5, rel=0.1)
    assert fit_temperature(*drawn(4000, 0.5)) == pytest.approx(0.5, rel=0.1)


def test_fitting_lowers_the_loss_on_the_fitted_pictures_and_the_error_on_others():
    truth, p = drawn(500, 3)
    temperature = fit_temperature(truth, p)
    assert log_loss(truth, with_temperature(p, temperature)) < log_loss(truth, p)
    truth, p = drawn(2000, 3, seed=1)
    before = calibration_error(reliability(truth, p))
    after = calibration_error(reliability(truth, with_temperature(p, temperature)))
    assert after < before / 2


def test_certain_and_wrong_answers_stay_finite():
    truth, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    assert np.isfinite(log_loss(truth, with_temperature(p, fit_temperature(truth, p))))


def test_bins_by_hand():
    p = np.array([[0.95, 0.05], [0.92, 0.08], [0.3, 0.7], [0.55, 0.45]])
    bins = reliability(np.array([0, 1, 1, 0]), p)
    assert [(b.low, b.num, b.accuracy) for b in bins] == [(0.5, 1, 1), (0.6, 1, 1), (0.9, 2, 0.5)]
    expected = (1 * 0.45 + 1 * 0.3 + 2 * (0.935 - 0.5)) / 4
    assert calibration_error(bins) == pytest.approx(expected)
    assert all(b.interval[0] <= b.accuracy <= b.interval[1] for b in bins)


def test_a_confidence_on_the_edge_of_two_bins_lies_in_the_lower():
    p = np.array([[0.7, 0.3], [0.1 + 0.2 + 0.4, 0.3], [1.0, 0.0], [0.5, 0.5]])
    assert [(b.low, b.high, b.num) for b in reliability(np.zeros(4, int), p)] == [
        (0.4, 0.5, 1), (0.6, 0.7, 2), (0.9, 1.0, 1),
    ]  # fmt: skip


def test_bootstrap_intervals_are_as_wide_as_the_scatter_over_pictures_drawn_again():
    truth, p = drawn(300, 2.5)
    found, rng = bootstrap(truth, p), np.random.default_rng(9)
    errors, losses = [], []
    for _ in range(500):
        again = rng.integers(0, len(truth), len(truth))
        errors.append(calibration_error(reliability(truth[again], p[again])))
        losses.append(log_loss(truth[again], p[again]))
    for name, values in (("calibration_error", errors), ("log_loss", losses)):
        low, high = np.quantile(values, [0.025, 0.975])
        assert found[name] == pytest.approx((low, high), abs=0.15 * (high - low)), name


def test_the_change_of_the_loss_has_the_width_of_its_paired_differences():
    truth, before = drawn(400, 2.5)
    after = with_temperature(before, 2.5)
    each = np.log(before[np.arange(400), truth]) - np.log(after[np.arange(400), truth])
    low, high = loss_change(truth, before, after)
    half = 1.96 * each.std() / 20
    assert (low, high) == pytest.approx((each.mean() - half, each.mean() + half), abs=0.15 * half)


def test_no_pictures_fit_no_temperature():
    with pytest.raises(ValueError, match="no pictures"):
        fit_temperature(np.zeros(0, int), np.zeros((0, 2)))


def test_the_temperature_is_looked_for_between_a_twentieth_and_twenty():
    sure = np.tile([0.52, 0.48], (10, 1))
    assert fit_temperature(np.zeros(10, int), sure) == pytest.approx(0.05, rel=0.02)
    assert fit_temperature(np.ones(10, int), sure) == pytest.approx(20, rel=0.02)


def test_every_picture_may_be_drawn_again_and_several_times():
    truth, p = np.array([1, 0]), np.array([[0.9, 0.1], [0.9, 0.1]])  # the first is wrong, the second right
    found = bootstrap(truth, p)
    assert found["log_loss"] == pytest.approx((-np.log(0.9), -np.log(0.1)))
    assert found["calibration_error"] == pytest.approx((0.1, 0.9))
    change = loss_change(truth, p, p[:, ::-1])
    assert change == pytest.approx((-np.log(9), np.log(9)))


def test_the_least_confidence_that_is_right_often_enough_by_hand():
    confidence = np.array([0.9, 0.6, 0.5, 0.8, 0.7])
    is_right = np.array([True, False, False, True, True])
    assert right_from(confidence, is_right, 1.0) == 0.7, "from there on every answer is right"
    mixed = np.array([True, True, False, False, False])
    assert (right_from(confidence, mixed, 0.3), right_from(confidence, mixed, 0.4)) == (0.6, 0.9)
    assert right_from(confidence, np.zeros(5, bool), 0.5) is None


def test_a_share_that_is_just_as_wanted_is_enough():
    assert right_from(np.array([0.5, 0.6]), np.array([True, False]), 0.5) == 0.5


def test_of_many_classes_the_least_confident_answers_lie_in_the_first_bin():
    p = np.full((2, 20), 0.05)
    p[1, :2] = 0.1, 0.0
    assert [(b.low, b.high, b.num) for b in reliability(np.zeros(2, int), p)] == [(0.0, 0.1, 2)]


def test_a_confidence_a_last_bit_above_its_bin_stays_in_it_and_a_thousandth_does_not():
    p = np.array([[0.7 + 1e-12, 0.3], [0.701, 0.299]])
    assert [b.low for b in reliability(np.zeros(2, int), p)] == [0.6, 0.7]


def test_without_bins_there_is_no_error_and_one_picture_has_its_own():
    assert calibration_error([]) == 0
    assert calibration_error(reliability(np.array([0]), np.array([[0.8, 0.2]]))) == pytest.approx(0.2)


def test_what_was_called_impossible_counts_as_the_least_that_is_kept():
    assert log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-np.log(5e-7))


@pytest.mark.parametrize(("num", "num_wrong", "low", "high"), [(100, 50, 40, 60), (10, 1, 0, 3)])
def test_intervals_end_where_the_binomial_distribution_has_its_outer_fortieths(num, num_wrong, low, high):
    """Scipy: binom.ppf([0.025, 0.975], num, num_wrong / num); the wrong ones last."""
    truth = np.zeros(num, int)
    truth[num - num_wrong :] = 1
    p = np.tile([0.9, 0.1], (num, 1))

    def wrong(interval):
        """How many wrong answers a mean loss comes to."""
        return [num * (end + np.log(0.9)) / np.log(9) for end in interval]

    assert wrong(bootstrap(truth, p)["log_loss"]) == pytest.approx([low, high], abs=0.9)
    change = loss_change(truth, np.tile([0.5, 0.5], (num, 1)), p)
    assert wrong(np.array(change) + np.log(2)) == pytest.approx([low, high], abs=0.9)
