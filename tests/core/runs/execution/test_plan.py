"""What a run announces: all that it does, in order, with times that this machine's runs have taught."""

from __future__ import annotations

import pytest

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.base.events import PlanMade
from tl_core.compute import speeds
from tl_core.data import folders
from tl_core.runs.execution import plan, work, workflow

PACE = {"start": 5.0, "finish": 7.0, "solve": 2.0, "frozen": 0.02, "views": 0.03, "train": 0.1}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))


def taught(config, pace=PACE):
    speeds.learn(plan.setting(config, "formula"), pace)
    return plan.make(config, [50, 50], "formula", read_seconds=0.01)


def test_steps_are_in_the_order_of_the_run_and_their_sum_is_the_whole():
    config = preset("standard", weights="formula", finetune={"epochs": 6}, views=3)
    made = taught(config)
    names = [step.name for step in made.steps if not step.is_extra]
    assert names == ["reading", "starting", "frozen", "head", "views", "finetune", "finishing"]
    by_name = {step.name: step for step in made.steps}
    assert by_name["reading"].seconds == pytest.approx(100 * 0.01)
    assert by_name["head"].seconds == pytest.approx(2 * plan.solve_seconds(100))
    assert by_name["frozen"].seconds == pytest.approx(100 * 0.02)
    assert by_name["views"].seconds == pytest.approx(80 * 3 * 0.03) and by_name["views"].count == 240
    assert by_name["finetune"].seconds == pytest.approx(6 * 80 * 0.1 + plan.EVALUATE_SHARE * 100 * 0.1)
    assert made.seconds == pytest.approx(sum(s.seconds for s in made.steps if not s.is_extra))
    assert made.first_answer_seconds < made.seconds / 2


def test_the_times_that_are_said_add_up():
    seconds = {"reading": 1.2, "starting": 4.0, "frozen": 2.6, "head": 1.3, "cross_validation": 99.0}
    steps = [plan.PlanStep(name, s, is_extra=s > 90) for name, s in seconds.items()]
    said = plan.RunPlan((*steps, plan.PlanStep("finishing", 31.0)), is_measured=True).to_say()
    assert [step.seconds for step in said.steps] == [0, 5, 5, 0, 99.0, 30]
    assert (said.first_answer_seconds, said.seconds) == (10, 40)
    assert [plan.step_time(step, "en") for step in said.steps[:2]] == ["under 5 s", "5 s"]


def test_cross_validation_is_an_extra_with_its_own_time_or_a_step_where_it_is_asked_for():
    for asked in (False, True):
        made = taught(preset("standard", weights="formula", cross_validation=asked))
        (crossed,) = (step for step in made.steps if step.name == "cross_validation")
        assert (crossed.is_extra, crossed.count) == (not asked, 5)
    assert made.seconds > crossed.seconds > made.seconds / 2


def test_with_pictures_enough_for_a_test_part_nothing_is_cross_validated():
    made = plan.make(preset("standard", weights="formula"), [100, 100], "formula")
    assert "cross_validation" not in [step.name for step in made.steps]


def test_filling_up_and_fresh_views_are_counted():
    filled = plan.make(preset("expression", weights="formula"), [50, 50], "formula")
    assert next(step for step in filled.steps if step.name == "views").count == 500 * 8
    fresh = plan.make(preset("expression", weights="formula", views=0), [50, 50], "formula")
    assert next(step for step in fresh.steps if step.name == "views").count == 500 * 20


def test_a_measured_speed_takes_the_place_of_a_guess_and_belongs_to_its_setting():
    config = preset("standard", weights="formula")
    guessed = plan.make(config, [50, 50], "formula")
    assert not guessed.is_measured
    made = taught(config)
    assert made.is_measured and made.seconds != guessed.seconds
    other = preset("standard", weights="formula", image_px=448)
    assert not plan.make(other, [50, 50], "formula").is_measured
    assert plan.make(other, [50, 50], "formula").seconds > guessed.seconds, "more pixels take longer"


def test_one_disturbed_run_is_half_forgotten_by_the_next():
    config = preset("standard", weights="formula")
    of = plan.setting(config, "formula")
    speeds.learn(of, {"train": 1.0})
    speeds.learn(of, {"train": 0.1})
    assert 0.1 < speeds.read(of)["train"] < 0.5


def test_a_damaged_file_of_speeds_is_as_none():
    config = preset("standard", weights="formula")
    taught(config)
    speeds._place().write_text('{"x": 3}', encoding="utf-8")
    assert not plan.make(config, [50, 50], "formula").is_measured


@pytest.mark.parametrize(
    ("seconds", "said"), [(3, "5 s"), (61, "60 s"), (100, "2 min"), (3000, "50 min"), (9000, "2 h")]
)
def test_a_time_is_said_in_round_numbers(seconds, said):
    assert plan.in_words(seconds, "en") == said


def test_a_run_says_its_plan_first_and_teaches_the_next_one(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 10, "stripes": 10})
    config = preset("standard", weights="random", image_px=32, device="cpu", finetune={"epochs": 1})
    run, events = workflow.create_run(data, tmp_path / "run", config), []
    workflow.execute(run, on_event=events.append)
    assert isinstance(events[0], PlanMade) and not events[0].is_measured
    known = speeds.read(plan.setting(config, "random"))
    assert plan.make(config, [10, 10], "random").is_measured
    learnt = speeds.GUESS.keys() - {"read"}
    assert all(known[name] > 0 and known[name] != speeds.GUESS[name] for name in learnt)


def test_reading_is_timed_on_the_pictures_themselves(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 10, "stripes": 10})
    pictures = folders.scan(data).pictures
    assert plan.read_seconds(pictures, 32) > 0
    for picture in pictures:
        picture.path.write_bytes(b"no picture")
    assert plan.read_seconds(pictures, 32) is None


def test_measuring_the_processor_once_is_no_part_of_the_next_start(monkeypatch):
    told = iter([None, {"frozen": "fp32"}])
    monkeypatch.setattr(work.cpu_probe, "cached_probe", lambda: next(told))
    measured = []
    monkeypatch.setattr(work.device, "cpu_probe", lambda: measured.append(1))
    assert work._probing_seconds() > 0 and work._probing_seconds() == 0
    assert measured == [1]
