"""A run's events, added up."""

import pytest

from tests.ui.run_folder_builder import RunBuilder
from tl_core.base import events as ev
from tl_core.runs.event_log import EventLog
from tl_core.runs.execution.plan import rounded
from tl_ui.stores.runs.run_view import RunView, fold, seconds_left


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


def test_the_first_answer_is_known_once_the_head_stands(built):
    assert view_of(built).ready is None
    built.log.write(ev.ModelReady(stage="head", best_stage="head"))
    assert view_of(built).ready.best_stage == "head"
