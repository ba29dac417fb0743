"""A run's events, added up."""

import pytest

from tests.ui.run_folder_builder import RunBuilder
from tl_core.base import events as ev
from tl_core.runs.event_log import EventLog
from tl_core.runs.plan import rounded
from tl_ui.stores.run_progress import per_second, whole
from tl_ui.stores.run_view import RunView, fold, seconds_left


@pytest.fixture
def built(tmp_path):
    return RunBuilder(tmp_path / "run").start()


def view_of(built) -> RunView:
    return fold(EventLog(built.run.events_path).read())


def resume(built, stage: str, epoch: int) -> None:
    built.log.write(
        ev.RunStarted(
            class_to_idx={"a": 0, "b": 1}, num_train=1, num_val=1, num_test=1, weights={}, device="cpu",
            precision="fp32", resumed_stage=stage, resumed_epoch=epoch,
        )
    )  # fmt: skip


def test_the_second_stage_goes_on_where_the_first_ended(built):
    view = view_of(built.epochs("head", 5).stage_end("head").epochs("finetune", 2))
    assert view.offset("head") == 0 and view.offset("finetune") == 5
    assert view.current.name == "finetune"
    assert [e.epoch for e in view.current.epochs] == [1, 2]


def test_a_resumed_run_forgets_what_it_does_again(built):
    built.epochs("head", 4).epochs("head", 3, first=5)
    resume(built, "head", 5)
    view = view_of(built)
    assert [e.epoch for e in view.stages["head"].epochs] == [1, 2, 3, 4, 5]
    built.stage_start("head").epoch("head", 6)
    assert [e.epoch for e in view_of(built).stages["head"].epochs] == [1, 2, 3, 4, 5, 6]


def test_a_run_resumed_in_the_first_stage_loses_its_second(built):
    built.epochs("head", 5).stage_end("head").epochs("finetune", 1)
    resume(built, "head", 5)
    assert list(view_of(built).stages) == ["head"]


def test_a_run_that_starts_from_the_beginning_has_no_old_epochs(built):
    built.epochs("head", 5)
    assert not view_of(built.start()).stages


def test_resuming_takes_back_that_it_had_stopped(built):
    built.epochs("head", 2)
    built.log.write(ev.RunStopped(epoch=2))
    assert view_of(built).stopped
    resume(built, "head", 2)
    assert view_of(built).stopped is None


def test_an_early_stop_shortens_the_axis(built):
    view = view_of(built.epochs("head", 6))
    assert view.current.num_planned == 15
    view = view_of(built.stage_end("head", is_early=True))
    assert view.current.num_planned == 6
    assert view.current.early_stop.epoch == 6


def test_the_same_warning_is_kept_once(built):
    view = view_of(built.warn("leak", count=3).warn("leak", count=3).warn("refused", count=1))
    assert [w.code for w in view.warnings] == ["leak", "refused"]


def test_progress_ends_when_something_else_happens(built):
    built.log.write(ev.Progress(phase="reading", done=3, total=9))
    assert view_of(built).progress.done == 3
    assert view_of(built.stage_start("head")).progress is None


def test_time_left_is_the_recent_pace_times_what_is_planned(built):
    view = view_of(built.epochs("head", 5))
    assert seconds_left(view.current) == pytest.approx(2.4 * 10)


def test_time_left_is_unknown_before_the_first_epoch(built):
    assert seconds_left(view_of(built.stage_start("head")).current) is None
    assert seconds_left(None) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (2, ("seconds", 5)),
        (43, ("seconds", 45)),
        (100, ("minutes", 2)),
        (1500, ("minutes", 25)),
        (9000, ("hours", 2)),
    ],
)
def test_durations_are_said_in_round_numbers(seconds, said):
    assert rounded(seconds) == said


def test_what_keeping_has_saved_is_added_up_over_the_stages_that_ended(built):
    assert view_of(built).times_faster() is None
    built.epochs("head", 5).stage_end("head", avoided_seconds=120.0)
    assert view_of(built).times_faster() == 4.0
    built.epochs("finetune", 2).stage_end("finetune", avoided_seconds=40.0)
    assert view_of(built).times_faster() == 3.0


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


def test_the_first_answer_is_known_once_the_head_stands():
    assert fold([started()]).ready is None
    assert fold([started(), ev.ModelReady(stage="head", best_stage="head")]).ready.best_stage == "head"
