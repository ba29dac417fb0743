"""decision.json: what it may hold, and that answers follow it."""

import json

import numpy as np
import pytest

from tl_core.base.errors import RunDamaged
from tl_core.evaluation.calibration import with_temperature
from tl_core.runs import decision_rule, run_folder
from tl_core.runs.decision_rule import DecisionRule

CLASSES = ["bad", "good"]


@pytest.fixture
def run(tmp_path):
    return run_folder.create(tmp_path / "run", {"class_to_idx": {"bad": 0, "good": 1}})


@pytest.fixture
def rows():
    p = np.array([0.05, 0.3, 0.45, 0.55, 0.9])
    return np.stack([p, 1 - p], axis=1)


def test_without_a_file_nothing_is_decided(run, rows):
    found = decision_rule.read(run)
    assert found.is_empty and found == DecisionRule()
    assert found.probabilities(rows) is rows
    assert found.answers(rows, CLASSES).tolist() == rows.argmax(axis=1).tolist()
    np.testing.assert_allclose(found.confidence(rows, CLASSES), rows.max(axis=1))


def test_what_is_saved_is_read_and_is_plain_to_read(run):
    saved = DecisionRule(positive_class="bad", threshold=0.312, threshold_from={"split": "val", "num": 52})
    decision_rule.save(run, saved)
    assert decision_rule.read(run) == saved
    assert json.loads((run.path / "decision.json").read_text()) == {
        "positive_class": "bad", "threshold": 0.312, "threshold_from": {"split": "val", "num": 52},
    }  # fmt: skip


@pytest.mark.parametrize(("threshold", "expected"), [(0.3, [1, 0, 0, 0, 0]), (0.6, [1, 1, 1, 1, 0])])
def test_the_label_follows_the_threshold_of_the_positive_class(rows, threshold, expected):
    decided = DecisionRule(positive_class="bad", threshold=threshold)
    assert decided.answers(rows, CLASSES).tolist() == expected
    mirrored = DecisionRule(positive_class="good", threshold=threshold)
    assert mirrored.answers(rows[:, ::-1], CLASSES).tolist() == [1 - c for c in expected]


def test_sureness_is_half_at_the_threshold_and_grows_on_both_sides():
    decided = DecisionRule(positive_class="bad", threshold=0.2)
    p = np.array([0.02, 0.1, 0.2, 0.5, 0.9])
    sure = decided.confidence(np.stack([p, 1 - p], axis=1), CLASSES)
    assert sure[2] == pytest.approx(0.5) and sure.argmin() == 2
    assert sure[0] > sure[1] > sure[2] < sure[3] <= sure[4] <= 1


def test_an_answer_well_above_a_low_threshold_is_sure():
    decided = DecisionRule(positive_class="bad", threshold=0.28)
    p = np.array([0.15, 0.30, 0.45])
    sure = decided.confidence(np.stack([p, 1 - p], axis=1), CLASSES)
    assert sure[2] >= decision_rule.usual_sure_from(2) > sure[1]
    even = DecisionRule(positive_class="bad", threshold=0.5)
    rows = np.stack([p, 1 - p], axis=1)
    np.testing.assert_allclose(even.confidence(rows, CLASSES), rows.max(axis=1))


def test_sure_begins_lower_the_more_classes_there_are():
    limits = [decision_rule.usual_sure_from(number) for number in (2, 3, 6, 10)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] == 0.7 and limits[2] == 0.5
    assert all(limit > 1 / number for limit, number in zip(limits, (2, 3, 6, 10), strict=True))


def with_answers(run, confidence, is_right):
    """Validation answers of class "bad" or "good", so sure and so right."""
    lines = ["file,truth,predicted,split,stage,p_bad,p_good"]
    for number, (p, right) in enumerate(zip(confidence, is_right, strict=True)):
        truth = "bad" if right else "good"
        lines.append(f"{number}.png,{truth},bad,val,head,{p:.6f},{1 - p:.6f}")
    run.predictions_path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run


def test_sure_begins_where_the_validation_answers_are_right_often_enough(run):
    confidence = np.linspace(0.5, 0.99, 100)
    boasting = with_answers(run, confidence, confidence > 0.9)
    assert decision_rule.sure_from(boasting, DecisionRule(), CLASSES, "head") == pytest.approx(0.9, abs=0.02)
    modest = with_answers(run, confidence, confidence > 0.55)
    assert decision_rule.sure_from(modest, DecisionRule(), CLASSES, "head") == pytest.approx(0.55, abs=0.02)


def test_what_cannot_be_measured_takes_the_usual_limit_and_what_is_saved_wins(run):
    never = with_answers(run, np.linspace(0.5, 0.99, 100), np.zeros(100, bool))
    assert decision_rule.sure_from(never, DecisionRule(), CLASSES, "head") == 0.7
    few = with_answers(run, np.linspace(0.5, 0.99, 10), np.ones(10, bool))
    assert decision_rule.sure_from(few, DecisionRule(), CLASSES, "head") == 0.7
    assert decision_rule.sure_from(few, DecisionRule(sure_from=0.85), CLASSES, "head") == 0.85


def test_another_temperature_takes_the_threshold_along_and_changes_no_answer():
    p = np.linspace(0.01, 0.99, 99)
    raw = np.stack([p, 1 - p], axis=1)
    decided = DecisionRule(positive_class="bad", threshold=0.3)
    warmed = decided.warmed(2.5)
    shown = warmed.probabilities(raw)
    np.testing.assert_allclose(shown, with_temperature(raw, 2.5))
    assert warmed.threshold > 0.3
    off_the_edge = np.abs(p - 0.3) > 1e-6
    assert (warmed.answers(shown, CLASSES) == decided.answers(raw, CLASSES))[off_the_edge].all()
    assert warmed.warmed(None).threshold == pytest.approx(0.3)
    assert DecisionRule().warmed(2.0) == DecisionRule(temperature=2.0)


def test_the_coldest_temperature_leaves_a_threshold_that_can_be_read_again(run):
    for threshold in (0.9, 0.001):
        decided = DecisionRule(positive_class=CLASSES[0], threshold=threshold).warmed(0.05)
        decision_rule.save(run, decided)
        assert decision_rule.read(run) == decided


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"threshold": 1.5, "positive_class": "bad"}',
        '{"threshold": "half", "positive_class": "bad"}',
        '{"threshold": 0.5, "positive_class": "unknown"}',
        '{"threshold": 0.5}',
        '{"temperature": 0}',
        '{"temperature": true}',
        f'{{"temperature": {10**400}}}',
        f'{{"far_from": {10**400}}}',
    ],
)
def test_what_cannot_be_is_refused_with_the_file(run, content):
    (run.path / "decision.json").write_text(content)
    with pytest.raises(RunDamaged, match=r"decision\.json"):
        decision_rule.read(run)


def test_what_a_later_version_writes_is_left_alone(run):
    (run.path / "decision.json").write_text('{"temperature": 2, "mood": "good"}')
    assert decision_rule.read(run) == DecisionRule(temperature=2)


def test_more_than_two_classes_have_no_threshold(tmp_path):
    run = run_folder.create(tmp_path / "three", {"class_to_idx": {"a": 0, "b": 1, "c": 2}})
    decision_rule.save(run, DecisionRule(positive_class="a", threshold=0.5))
    with pytest.raises(RunDamaged, match="positive_class"):
        decision_rule.read(run)
