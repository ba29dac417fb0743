"""One progress for a whole run, out of its events."""

import pytest

from tl_core.base import events as ev
from tl_ui.stores.runs.run_progress import per_second, whole
from tl_ui.stores.runs.run_view import fold


def started(time: float = 0.0) -> ev.RunStarted:
    return ev.RunStarted(
        class_to_idx={"a": 0, "b": 1}, num_train=1, num_val=1, num_test=1, weights={}, device="cpu",
        precision="fp32", time=time,
    )  # fmt: skip


def stage_started(stage: str, time: float) -> ev.StageStarted:
    return ev.StageStarted(
        stage=stage, epochs=2, learning_rate=1e-3, trainable_parts=[], frozen_parts=[], parameters={},
        num_trainable=1, num_parameters=1, feed="cached", feed_why="saves_work", views=1, time=time,
    )  # fmt: skip


def stage_ended(stage: str, time: float) -> ev.StageEnded:
    return ev.StageEnded(
        stage=stage, epochs_run=2, best_epoch=1, best_val_loss=1.0, best_val_accuracy=0.5, stage_seconds=1.0,
        time=time,
    )  # fmt: skip


def epoch(stage: str, number: int, time: float) -> ev.EpochEnd:
    return ev.EpochEnd(
        stage=stage, epoch=number, epochs=2, train_loss=1.0, train_accuracy=0.5, val_loss=1.0,
        val_accuracy=0.5, learning_rate=1e-3, epoch_seconds=1.0, images_per_second=1.0, time=time,
    )  # fmt: skip


def planned(*names: str) -> ev.PlanMade:
    steps = [{"name": name, "seconds": 10.0, "count": 0, "unit": "", "is_extra": False} for name in names]
    extra = {"name": "cross_validation", "seconds": 500.0, "count": 5, "unit": "folds", "is_extra": True}
    return ev.PlanMade(steps=[*steps, extra], time=0.0)


STEPS = ("reading", "starting", "frozen", "head", "views", "finetune", "finishing")


def test_the_whole_run_has_one_progress_that_never_goes_back():
    log = [
        planned(*STEPS),
        ev.Progress(phase="reading", done=0, total=80, time=1.0),
        ev.Progress(phase="reading", done=40, total=80, time=5.0),
        started(time=20.0),
        ev.Progress(phase="caching", done=40, total=80, time=25.0),
        stage_started("head", time=30.0),
        ev.Progress(stage="head", phase="solving", done=0, total=1, time=30.0),
        stage_ended("head", time=40.0),
        stage_started("finetune", time=40.0),
        ev.Progress(stage="finetune", phase="caching", done=40, total=80, time=45.0),
        epoch("finetune", 1, time=52.0),
        ev.Progress(stage="finetune", phase="training", epoch=2, done=40, total=80, time=55.0),
        stage_ended("finetune", time=60.0),
        ev.RunEnded(final_stage="head", run_seconds=70.0, time=70.0),
    ]
    places = [whole(fold(log[: number + 1])) for number in range(len(log))]
    shares = [place.share for place in places]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert shares[2] == pytest.approx(0.5 / 7) and shares[4] == pytest.approx(2.5 / 7)
    assert [place.seconds_left for place in places][0] == pytest.approx(70)
    assert places[-1].seconds_left == 0


def test_a_third_stage_is_a_step_of_its_own():
    log = [
        planned("reading", "frozen", "head", "views", "finetune", "whole", "finishing"),
        started(time=10.0),
    ]
    for stage in ("head", "finetune"):
        log += [epoch(stage, 1, 20.0), stage_ended(stage, 30.0)]
    log += [stage_started("whole", time=40.0), epoch("whole", 1, time=45.0), stage_ended("whole", time=50.0)]
    shares = [whole(fold(log[: number + 1])).share for number in range(len(log))]
    assert shares == sorted(shares)
    assert shares[-4:] == [pytest.approx(share / 7) for share in (5, 5, 5.5, 6)]


def test_what_is_left_follows_the_pace_of_the_machine():
    slow = [planned(*STEPS), ev.Progress(phase="reading", done=1, total=1, time=20.0)]
    assert whole(fold(slow)).seconds_left == pytest.approx(2 * 60)


def test_pictures_per_second_are_those_of_the_step_going_on():
    log = [
        ev.Progress(phase="reading", done=10, total=80, time=1.0),
        ev.Progress(phase="reading", done=50, total=80, time=3.0),
    ]
    assert per_second(fold(log)) == pytest.approx(20)
    log += [ev.Progress(phase="caching", done=8, total=80, time=9.0)]
    assert per_second(fold(log)) is None, "another step begins anew"


def test_a_run_without_a_plan_has_no_whole():
    assert whole(fold([started()])) is None
