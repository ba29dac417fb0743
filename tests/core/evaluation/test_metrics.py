"""Scores agree with arithmetic done by hand, and intervals stay honest at the edges."""

import json

import numpy as np
import pytest

from tl_core.evaluation import metrics
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


def test_auc_interval_matches_the_defining_equation():
    # Newcombe 2006, method 5: an end lies 1.96 standard errors away, and the error is that at the end itself
    def away(end: float, auc: float, m: int, n: int) -> float:
        more = ((m + n) / 2 - 1) * ((1 - end) / (2 - end) + end / (1 + end))
        return abs(end - auc) / np.sqrt(end * (1 - end) * (1 + more) / (m * n))

    for auc, m, n in ((0.8, 50, 50), (0.7, 20, 90), (0.55, 15, 8)):
        low, high = auc_interval(auc, m, n)
        assert low < auc < high
        for end in (low, high):
            assert away(end, auc, m, n) == pytest.approx(1.96, abs=0.01)


def test_auc_interval_holds_the_true_area_in_95_of_100_samples():
    rng, held = np.random.default_rng(5), []
    for _ in range(400):
        positives, others = rng.normal(1, 1, 30), rng.normal(0, 1, 40)
        low, high = auc_interval(float((positives[:, None] > others).mean()), 30, 40)
        held.append(low <= 0.7602 <= high)  # of two normal distributions one deviation apart
    assert np.mean(held) == pytest.approx(0.95, abs=0.035)


def test_an_area_without_one_of_the_classes_has_no_interval():
    assert auc_interval(None, 3, 3) is auc_interval(0.5, 0, 3) is auc_interval(0.5, 3, 0) is None
    assert wilson(0, 0) is None


def test_intervals_of_recall_precision_and_auc_rest_on_their_own_counts():
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    scores = evaluate(truth, one_hot([0, 0, 0, 1, 1, 1, 1, 1, 0, 0]), CLASSES, "def_front")
    assert scores["intervals"]["accuracy"] == wilson(7, 10)
    assert scores["intervals"]["precision"] == wilson(3, 5)
    assert scores["intervals"]["recall"] == wilson(3, 4)
    assert scores["intervals"]["roc_auc"] == auc_interval(scores["roc_auc"], 4, 6)


def test_intervals_of_f1_and_balanced_accuracy_have_the_width_of_their_posterior():
    # recall of 300 and of 100 pictures: independent proportions, nearly normal
    truth = np.repeat([0, 1], [300, 100])
    said = np.concatenate([np.repeat([0, 1], [240, 60]), np.repeat([1, 0], [70, 30])])
    scores = evaluate(truth, one_hot(said.tolist()), CLASSES, "def_front")
    spread = np.sqrt(0.8 * 0.2 / 300 + 0.7 * 0.3 / 100) / 2
    low, high = scores["intervals"]["balanced_accuracy"]
    assert (high - low) / 2 == pytest.approx(1.96 * spread, rel=0.05)
    assert (low + high) / 2 == pytest.approx(0.75, abs=0.01)
    # F1 by the delta method: 2h / (2h + missed + false), h and false binomial
    h, missed, false = 240.0, 60.0, 30.0
    whole = 2 * h + missed + false
    of_h = 2 * (missed + false + h) / whole**2  # missed falls as h grows
    variance = of_h**2 * 300 * 0.8 * 0.2 + (2 * h / whole**2) ** 2 * 100 * 0.7 * 0.3
    low, high = scores["intervals"]["f1"]
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(variance), rel=0.06)


def test_loss_is_the_mean_of_the_logarithms_and_certain_mistakes_stay_finite():
    probabilities = np.array([[0.8, 0.2], [0.5, 0.5], [1.0, 0.0]])
    scores = evaluate(np.array([0, 1, 1]), probabilities, CLASSES, "def_front")
    assert scores["loss"] == pytest.approx(-(np.log(0.8) + np.log(0.5) + np.log(1e-12)) / 3)


def test_what_is_said_counts_where_it_is_not_the_most_probable():
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4]])
    scores = evaluate(np.array([0, 1]), probabilities, CLASSES, "def_front", predicted=np.array([1, 1]))
    assert scores["confusion_matrix"] == [[0, 1], [0, 1]] and scores["accuracy"] == 0.5


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
    assert scores["intervals"]["recall"][0] > 0.6


def test_a_split_with_one_class_only_has_no_auc_and_does_not_fail():
    scores = evaluate(np.zeros(5, int), one_hot([0, 0, 0, 0, 1]), CLASSES, "def_front")
    assert scores["roc_auc"] is None
    assert scores["balanced_accuracy"] == pytest.approx(0.8)


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError):
        evaluate(np.zeros(0, int), np.zeros((0, 2)), CLASSES, "def_front")


def test_intervals_count_a_burst_once_however_many_pictures_it_has():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 10)
    said = np.where(rng.random(20) < 0.2, 1 - truth, truth)
    once = metrics.evaluate(truth, np.eye(2)[said], ["a", "b"], "b")
    truth, said, groups = (np.repeat(values, 25) for values in (truth, said, np.arange(20)))
    many = metrics.evaluate(truth, np.eye(2)[said], ["a", "b"], "b", groups=groups)
    assert (many["num"], many["num_groups"], many["accuracy"]) == (500, 20, once["accuracy"])
    for name, interval in once["intervals"].items():
        assert many["intervals"][name] == pytest.approx(interval, abs=0.01), name
    naive = metrics.evaluate(truth, np.eye(2)[said], ["a", "b"], "b")["intervals"]["accuracy"]
    assert naive[1] - naive[0] < 0.5 * (once["intervals"]["accuracy"][1] - once["intervals"]["accuracy"][0])


def test_scores_stand_beside_guessing_and_the_majority_and_a_class_never_found_is_named():
    truth = np.array([0] * 4 + [1] * 110)
    scores = metrics.evaluate(truth, np.tile([0.1, 0.9], (114, 1)), ["rare", "usual"], "usual")
    assert scores["accuracy"] == scores["majority"] == 110 / 114
    assert scores["chance"] == 0.5 and scores["f1"] > 0.98
    assert metrics.never_found(scores) == ["rare"]


def test_what_divides_by_nothing_is_no_zero():
    never_said = evaluate(np.array([0, 0, 1, 1]), one_hot([1, 1, 1, 1]), CLASSES, "def_front")
    assert metrics.defined(never_said, "precision") is None
    assert metrics.defined(never_said, "recall") == 0, "two pictures, none of them found"
    assert metrics.defined(never_said, "accuracy") == 0.5
    by_class = metrics.defined_per_class(never_said)
    assert by_class["def_front"] == {"precision": None, "recall": 0.0, "f1": 0.0}
    absent = evaluate(np.array([1, 1]), one_hot([1, 1]), CLASSES, "def_front")
    assert metrics.defined_per_class(absent)["def_front"] == {"precision": None, "recall": None, "f1": None}
    assert metrics.defined(absent, "recall") is None
