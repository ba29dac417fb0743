"""Scores agree with arithmetic done by hand, and intervals stay honest at the edges."""

import json

import numpy as np
import pytest

from tl_core.evaluation.metrics import auc_interval, evaluate, wilson

CLASSES = ["def_front", "ok_front"]


def one_hot(predicted: list[int], num_classes: int = 2) -> np.ndarray:
    return np.eye(num_classes)[predicted] * 0.9 + 0.1 / num_classes


def test_scores_of_a_small_confusion_matrix_match_arithmetic_by_hand():
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    probabilities = one_hot([0, 0, 0, 1, 1, 1, 1, 1, 0, 0])
    scores = evaluate(truth, probabilities, CLASSES, "def_front")
    assert scores["confusion_matrix"] == [[3, 1], [2, 4]]
    assert scores["accuracy"] == pytest.approx(0.7)
    assert scores["balanced_accuracy"] == pytest.approx((3 / 4 + 4 / 6) / 2)
    assert scores["precision"] == pytest.approx(3 / 5)
    assert scores["recall"] == pytest.approx(3 / 4)
    assert scores["f1"] == pytest.approx(2 * 3 / (2 * 3 + 2 + 1))
    assert scores["per_class"]["ok_front"]["support"] == 6


def test_choosing_the_other_positive_class_changes_precision_and_recall_but_not_accuracy():
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    probabilities = one_hot([0, 0, 0, 1, 1, 1, 1, 1, 0, 0])
    defect = evaluate(truth, probabilities, CLASSES, "def_front")
    sound = evaluate(truth, probabilities, CLASSES, "ok_front")
    assert sound["precision"] == pytest.approx(4 / 5)
    assert sound["accuracy"] == defect["accuracy"]
    assert sound["roc_auc"] == pytest.approx(defect["roc_auc"])


def test_wilson_interval_matches_the_published_example():
    # 81 of 263: Newcombe 1998, Statistics in Medicine 17, table I: 0.2553 to 0.3662
    low, high = wilson(81, 263)
    assert low == pytest.approx(0.2553, abs=1e-4)
    assert high == pytest.approx(0.3662, abs=1e-4)


def test_twenty_right_of_twenty_is_not_certainty():
    truth = np.array([0, 1] * 10)
    scores = evaluate(truth, one_hot(truth.tolist()), CLASSES, "def_front")
    for name in ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc"):
        low, high = scores["intervals"][name]
        assert scores[name] == 1.0
        assert low < 0.97 and high == pytest.approx(1.0), name


def test_intervals_contain_their_point_and_shrink_with_more_pictures():
    rng = np.random.default_rng(0)
    widths = []
    for n in (40, 4000):
        truth = rng.integers(0, 2, n)
        raw = np.clip(truth * 0.3 + rng.normal(0.35, 0.25, n), 0.01, 0.99)
        scores = evaluate(truth, np.stack([1 - raw, raw], axis=1), CLASSES, "ok_front")
        for name, (low, high) in scores["intervals"].items():
            assert low <= scores[name] <= high, name
        widths.append(np.diff(scores["intervals"]["roc_auc"]).item())
    assert widths[1] < widths[0] / 4


def test_auc_interval_of_a_coin_contains_one_half():
    low, high = auc_interval(0.52, 50, 50)
    assert low < 0.5 < high


def test_six_classes_give_macro_averages_and_plain_json():
    classes = list("abcdef")
    truth = np.repeat(np.arange(6), 5)
    predicted = truth.copy()
    predicted[:3] = 1
    scores = evaluate(truth, one_hot(predicted.tolist(), 6), classes, "f")
    assert scores["recall"] == pytest.approx((2 / 5 + 5) / 6)
    assert scores["roc_auc"] is not None
    for name in ("precision", "recall", "f1"):
        low, high = scores["intervals"][name]
        assert low < scores[name] <= high <= 1 and high - low < 0.4, name
    json.dumps(scores)


def test_averages_are_over_the_classes_that_occur():
    truth = np.repeat([0, 1], 10)
    predicted = truth.copy()
    predicted[0] = 2
    scores = evaluate(truth, one_hot(predicted.tolist(), 6), list("abcdef"), "a")
    assert scores["precision"] == 1
    assert scores["recall"] == scores["balanced_accuracy"] == pytest.approx(0.95)
    assert scores["f1"] == pytest.approx((2 * 9 / 19 + 1) / 2)
    assert scores["intervals"]["recall"] == scores["intervals"]["balanced_accuracy"]


def test_a_split_with_one_class_only_has_no_auc_and_does_not_fail():
    scores = evaluate(np.zeros(5, int), one_hot([0, 0, 0, 0, 1]), CLASSES, "def_front")
    assert scores["roc_auc"] is None
    assert scores["balanced_accuracy"] == pytest.approx(0.8)


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError):
        evaluate(np.zeros(0, int), np.zeros((0, 2)), CLASSES, "def_front")
