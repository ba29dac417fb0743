"""What a finished run says of itself, in words."""

import numpy as np

from tl_core.base.messages import say
from tl_core.cli import report
from tl_core.evaluation import metrics
from tl_core.runs.execution import results

SCORES = ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "roc_auc")


def summary(classes: list[str], **others) -> dict:
    truth = np.arange(12) % len(classes)
    scores = metrics.evaluate(truth, np.eye(len(classes))[truth], classes, classes[0])
    return {
        "run": "first", "created": "2026-01-31", "classes": classes, "positive_class": classes[0],
        "weights": {"label": "drawn", "source": "formula", "sha256": "f" * 64, "is_pretrained": True},
        "split": {"train": 80, "val": 20, "test": 12, "folds": 0}, "final_stage": "head",
        "reported": {"stage": "head", "split": "test", "metrics": scores}, "stages": {},
        "leak": {"pairs": []}, "refused": [], "seconds": 1.0, "device": "cpu", "precision": "fp32",
    } | others  # fmt: skip


def test_only_with_two_classes_is_one_the_positive():
    assert "positive: a" in results.text(summary(["a", "b"]))
    three = summary(["a", "b", "c"])
    assert "positive" not in results.text(three)
    scores = three["reported"]["metrics"]
    for language in ("en", "ko"):
        assert say("cli.averaged", language, count=3) in report.scores(scores, language)


def test_every_score_stands_in_the_text_with_its_interval():
    found = summary(["a", "b"])
    scores = found["reported"]["metrics"]
    scores |= dict(zip(SCORES, (0.91, 0.82, 0.73, 0.64, 0.55, 0.46), strict=True))
    lines = results.text(found).splitlines()
    for name in SCORES:
        low, high = scores["intervals"][name]
        assert f"  {name:<18}{scores[name]:.3f}  [{low:.3f}, {high:.3f}]" in lines


def test_a_score_that_could_not_be_computed_is_left_out_of_the_text():
    found = summary(["a", "b"])
    found["reported"]["metrics"] |= {"roc_auc": None}
    assert "roc_auc" not in results.text(found) and "recall" in results.text(found)


def test_copies_in_training_and_files_left_out_stand_in_the_text_too():
    refused = [{"name": "a/broken.jpg", "reason": "damaged", "detail": ""}]
    text = results.text(summary(["a", "b"], leak={"pairs": [("a/1.png", "a/2.png")]}, refused=refused))
    assert "in training: 1" in text and "a/broken.jpg: damaged" in text
