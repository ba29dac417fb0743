"""Advice from a run's own numbers: each rule fires on its case, is silent otherwise, and can be followed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tl_core.base.config import RunConfig
from tl_core.runs.report.advice import advise

CLASSES = ["def_front", "ok_front"]


def scores(accuracy: float, f1: float | None = None, recalls: tuple[float, float] = (0.95, 0.95)) -> dict:
    per_class = {name: {"recall": r, "support": 50} for name, r in zip(CLASSES, recalls, strict=True)}
    return {"accuracy": accuracy, "f1": accuracy if f1 is None else f1, "per_class": per_class}


def summary(**changes: Any) -> dict[str, Any]:
    """A good run without a fault; its test part is bad on purpose, since no rule may look at it."""
    found = {
        "classes": CLASSES,
        "positive_class": "def_front",
        "final_stage": "finetune",
        "best": {"head": {"val_loss": 0.5}, "finetune": {"val_loss": 0.2}},
        "split": {"train": 400, "val": 100, "test": 100},
        "stages": {
            "finetune": {"train": scores(0.97), "val": scores(0.95), "test": scores(0.2, 0.1, (0, 1))}
        },
    }
    return {**found, **changes}


def with_scores(train: dict, val: dict) -> dict[str, Any]:
    return summary(stages={"finetune": {"train": train, "val": val, "test": scores(0.9)}})


def codes(found: list) -> list[str]:
    return [one.code for one in found]


def settings(**changes: Any) -> dict[str, Any]:
    return RunConfig(**changes).to_dict()


def test_a_good_run_gets_no_advice_whatever_its_test_says():
    assert advise(settings(), summary()) == []


def test_memory_advice_takes_the_batch_that_was_found_to_fit():
    error = {"code": "out_of_memory", "values": {"batch_size": 32, "fits": 8}}
    (one,) = advise(settings(), None, error)
    assert one.code == "memory" and one.changes["batch_size"] == 8


def test_memory_advice_halves_the_batch_when_nothing_was_found():
    (one,) = advise(settings(batch_size=32), None, {"code": "out_of_memory", "values": {}})
    assert one.changes["batch_size"] == 16


def test_another_error_is_no_matter_of_memory():
    assert advise(settings(), None, {"code": "non_finite_loss"}) == []


def test_learning_by_heart_is_seen_in_the_gap_and_answered_as_the_guide_does():
    (one,) = advise(settings(), with_scores(scores(1.0), scores(0.88)))
    assert one.code == "overfitting"
    assert one.changes["dropout"] == 0.5 and one.changes["early_stopping_patience"] == 3


def test_settings_that_are_strict_already_are_not_loosened():
    config = settings(dropout=0.6, early_stopping_patience=2)
    (one,) = advise(config, with_scores(scores(1.0), scores(0.88)))
    assert one.changes == {}


def test_an_overlooked_class_gets_a_higher_weight_and_the_other_keeps_its_own():
    config = settings(positive_weight=1.0)
    (one,) = advise(config, with_scores(scores(0.95), scores(0.9, recalls=(0.7, 0.99))))
    assert one.code == "overlooked" and one.values["worst"] == "def_front"
    assert one.changes["class_weights"] == {"def_front": 2.0, "ok_front": 1.0}


def test_a_class_without_validation_pictures_is_not_called_overlooked():
    val = scores(0.95, recalls=(0.0, 0.95))
    val["per_class"]["def_front"]["support"] = 0
    assert advise(settings(), with_scores(scores(0.97), val)) == []


def test_few_pictures_are_named_per_class():
    (one,) = advise(settings(), summary(split={"train": 60, "val": 20, "test": 20}))
    assert one.code == "few_pictures" and one.values["per_class"] == 30
    assert one.changes["target_per_class"] == 500


def test_a_second_stage_that_did_harm_should_walk_more_slowly():
    harmed = summary(final_stage="head")
    harmed["stages"]["head"] = harmed["stages"]["finetune"]
    harmed["best"]["finetune"]["val_loss"] = 0.8
    (one,) = advise(settings(), harmed)
    assert one.code == "stage_did_harm"
    assert (one.values["kept"], one.values["last"]) == (1, 2)
    assert one.changes["finetune.learning_rate"] == pytest.approx(1e-4 / 3)


def test_of_three_stages_the_last_is_told_to_walk_more_slowly():
    harmed = summary()
    harmed["best"]["whole"] = harmed["best"]["finetune"] | {"val_loss": 0.8}
    (one,) = advise(settings(), harmed)
    assert (one.code, one.values["kept"], one.values["last"]) == ("stage_did_harm", 2, 3)
    assert one.changes == {"whole.learning_rate": pytest.approx(1e-5 / 3)}


@pytest.mark.parametrize(
    ("blocks", "epochs", "change"),
    [
        (3, 0, {"finetune.epochs": 20, "unfreeze_blocks": 3}),
        (3, 20, {"unfreeze_blocks": 7}),
        (7, 20, {"finetune.epochs": 40}),
    ],
)
def test_a_weak_result_lets_more_learn(blocks, epochs, change):
    config = settings(unfreeze_blocks=blocks)
    config["finetune"]["epochs"] = epochs
    (one,) = advise(config, with_scores(scores(0.72), scores(0.7)))
    assert one.code == "weak" and one.changes == change


@pytest.mark.parametrize(
    ("code", "silent", "heard"),
    [
        ("overfitting", with_scores(scores(0.97), scores(0.88)), with_scores(scores(0.97), scores(0.86))),
        (
            "overlooked",
            with_scores(scores(0.95), scores(0.95, recalls=(0.81, 0.95))),
            with_scores(scores(0.95), scores(0.95, recalls=(0.79, 0.95))),
        ),
        (
            "few_pictures",
            summary(split={"train": 200, "val": 50, "test": 50}),
            summary(split={"train": 198, "val": 50, "test": 50}),
        ),
        ("weak", with_scores(scores(0.9), scores(0.85, 0.85)), with_scores(scores(0.9), scores(0.86, 0.84))),
    ],
)
def test_a_rule_is_silent_up_to_its_limit_and_heard_beyond_it(code, silent, heard):
    assert codes(advise(settings(), silent)) == []
    assert codes(advise(settings(), heard)) == [code]


def test_a_gap_as_large_as_its_limit_is_one():
    from_nothing = with_scores(scores(0.1), scores(0.0, recalls=(0.0, 0.15)))  # differences without rounding
    assert {"overfitting", "overlooked"} <= set(codes(advise(settings(), from_nothing)))


@pytest.mark.parametrize(("size", "half"), [(3, 1), (1, 1)])
def test_no_batch_is_smaller_than_one_picture(size, half):
    (one,) = advise(settings(batch_size=size), None, {"code": "out_of_memory", "values": None})
    assert (one.values["fits"], one.changes["batch_size"], one.changes["precision"]) == (half, half, "auto")


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        ({"early_stopping_patience": 4}, {"early_stopping_patience": 3}),
        ({"early_stopping_patience": 3}, {}),
        ({"early_stopping_patience": 0}, {"early_stopping_patience": 3}),
        ({"early_stopping_patience": 3, "views": 1}, {"augment": True, "views": 0}),
        ({"early_stopping_patience": 3, "augment": False}, {"augment": True, "views": 0}),
    ],
)
def test_only_what_is_too_loose_against_learning_by_heart_is_tightened(config, changes):
    (one,) = advise(settings(dropout=0.5, **config), with_scores(scores(1.0), scores(0.88)))
    assert one.changes == changes and one.values == {"train": 1.0, "val": 0.88}


def test_the_weight_of_the_positive_class_stays_where_another_is_overlooked():
    val = scores(0.9, recalls=(0.99, 0.7))
    (one,) = advise(settings(positive_weight=3.0), with_scores(scores(0.95), val))
    assert one.changes["class_weights"] == {"def_front": 3.0, "ok_front": 2.0}
    assert one.values == {"worst": "ok_front", "best": "def_front", "low": 0.7, "high": 0.99}


@pytest.mark.parametrize(("before", "after"), [(499, 998), (100, 500), (500, None), (600, None)])
def test_few_pictures_are_varied_more_up_to_a_point(before, after):
    few = summary(split={"train": 60, "val": 20, "test": 20})
    (one,) = advise(settings(target_per_class=before), few)
    assert one.changes == {"augment": True} | ({"target_per_class": after} if after else {})


def test_every_change_gives_settings_that_a_run_accepts():
    harmed = with_scores(scores(1.0), scores(0.6, recalls=(0.4, 0.9)))
    harmed["split"] = {"train": 60, "val": 20, "test": 20}
    config = settings()
    found = advise(config, harmed, {"code": "out_of_memory", "values": {"fits": 4}})
    assert {"memory", "overfitting", "overlooked", "few_pictures", "weak"} == set(codes(found))
    for one in found:
        changed = copy.deepcopy(config)
        for name, value in one.changes.items():
            place, *rest = name.split(".")
            if rest:
                changed[place][rest[0]] = value
            else:
                changed[place] = value
        RunConfig.from_dict(changed)
