"""Calibration: bins, their error, and one temperature that mends over-confidence."""

import numpy as np
import pytest

from tl_core.evaluation.calibration import (
    calibration_error,
    fit_temperature,
    log_loss,
    reliability,
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
