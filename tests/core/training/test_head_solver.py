"""The solved head is the minimum of its own loss, and its strength is chosen without a held-out picture."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tl_core.training import head_solver


def features_of(labels: np.ndarray, width: int = 40, apart: float = 1.0, seed: int = 0) -> np.ndarray:
    """(N, width): every class around its own centre; a third of the numbers is nearly always 0."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, apart, (labels.max() + 1, width))
    features = centres[labels] + rng.normal(0, 1, (len(labels), width))
    features[:, ::3] = np.where(rng.random((len(labels), len(features[0, ::3]))) < 0.05, 1.0, 0.0)
    return features


@pytest.mark.parametrize(("num", "width"), [(60, 200), (300, 20)])
def test_the_solution_is_the_one_that_scikit_learn_finds(num, width):
    labels = np.arange(num) % 3
    x = features_of(labels, width, 0.3)
    weights = np.array([1.0, 2.0, 1.0])
    solution = head_solver.solve(x, labels, np.arange(num), weights, seed=0)
    scaled = (x - x.mean(axis=0)) / head_solver._scale(x)
    peer = LogisticRegression(
        C=solution.strength, class_weight=dict(enumerate(weights)), max_iter=5000, tol=1e-8
    )
    p = np.exp(solution.head.log_probabilities(x))
    np.testing.assert_allclose(p, peer.fit(scaled, labels).predict_proba(scaled), atol=0.01)
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_every_step_comes_nearer_to_the_truth_of_the_training_pictures():
    labels = np.arange(80) % 2
    x = features_of(labels, apart=0.4)
    solution = head_solver.solve(x, labels, np.arange(80), np.ones(2), seed=0)
    losses = [-step.log_probabilities(x)[np.arange(80), labels].mean() for step in solution.steps]
    assert len(losses) > 2 and losses[-1] < losses[0]


def test_noise_gets_the_stiffest_head_and_a_clear_class_a_freer_one():
    labels = np.arange(80) % 2
    noise = np.random.default_rng(0).normal(0, 1, (80, 200))
    groups = np.arange(80)
    assert head_solver.solve(noise, labels, groups, np.ones(2), 0).strength == head_solver.STRENGTHS[0]
    clear = features_of(labels, 200, 2.0)
    assert head_solver.solve(clear, labels, groups, np.ones(2), 0).strength > head_solver.STRENGTHS[0]


def test_a_heavier_class_is_said_more_often():
    labels = np.arange(100) % 2
    x = features_of(labels, 5, 0.2)
    said = [
        (
            head_solver.solve(x, labels, np.arange(100), weights, 0).head.log_probabilities(x).argmax(axis=1)
        ).mean()
        for weights in (np.ones(2), np.array([1.0, 5.0]))
    ]
    assert said[1] > said[0]


def test_a_class_of_one_picture_is_solved_with_the_usual_strength():
    labels = np.array([0, 0, 0, 1])
    x = features_of(labels, 10)
    assert head_solver.solve(x, labels, np.arange(4), np.ones(2), 0).strength == head_solver.DEFAULT_STRENGTH


def test_cross_validation_learns_nothing_from_the_pictures_it_tests():
    """With labels drawn at random a head knows its own pictures and guesses all others."""
    rng = np.random.default_rng(0)
    labels, x = rng.integers(0, 2, 120), rng.normal(0, 1, (120, 400))
    folds = [np.arange(120)[number::5].tolist() for number in range(5)]
    p = np.zeros((120, 2))
    answers = head_solver.cross_validated(x, labels, np.arange(120), np.ones(2), folds, np.arange(120), 0)
    for held_out, own in answers:
        p[held_out] = own
    assert 0.35 < (p.argmax(axis=1) == labels).mean() < 0.65
    own = head_solver.solve(x, labels, np.arange(120), np.ones(2), 0).head.log_probabilities(x).argmax(axis=1)
    assert (own == labels).mean() > 0.75


def test_pictures_outside_of_what_may_be_learnt_from_change_no_answer():
    labels = np.arange(60) % 2
    x = features_of(labels)
    folds = [list(range(0, 20)), list(range(20, 40))]
    wild = x.copy()
    wild[40:] *= 1000
    first, second = (
        list(head_solver.cross_validated(f, labels, np.arange(60), np.ones(2), folds, np.arange(40), 0))
        for f in (x, wild)
    )
    for (_, ours), (_, theirs) in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours, theirs)
