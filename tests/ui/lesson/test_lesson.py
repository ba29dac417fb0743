"""The lesson: every idea of every step, in both languages, with a run and without."""

from __future__ import annotations

import re

import pytest
import streamlit as st

from tests.ui.open_page import has, open_page, words
from tests.ui.run_folder_builder import RunBuilder, finished_run
from tl_core.base.config import RunConfig
from tl_core.runs.event_log import EventLog
from tl_core.runs.run_folder import write_json
from tl_ui.frame.text import catalogue, literal
from tl_ui.lesson import path
from tl_ui.lesson.page import idea_of
from tl_ui.lesson.parts.runs import beginnings, which_run
from tl_ui.lesson.parts.runs import recorded_runs as recorded
from tl_ui.stores.sets import datasets

MAX_WORDS = 80
LANGUAGES = ("en", "ko")


@pytest.fixture(autouse=True)
def predicted(monkeypatch):
    """Everybody has predicted, so results are shown; one test below takes it back."""
    monkeypatch.setattr("tl_ui.lesson.quiz.prediction", lambda step: True)


def lesson(place: path.LessonPlace, lang: str = "en", **params: str):
    return open_page("lesson", lang=lang, step=place.step, idea=place.idea, **params)


def text(lang: str, key: str, **values) -> str:
    return catalogue(lang)[key].format(**values)


def ideas_of(step: str, lang: str, **params: str):
    """Every idea of a step after another, in one session: (idea, the page)."""
    app = open_page("lesson", lang=lang, step=step, **params)
    for idea in path.STEPS[step]:
        app.query_params["idea"] = idea
        app.run()
        assert not app.exception, (idea, app.exception)
        assert not app.error, (idea, [error.value for error in app.error])
        yield idea, app


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("step", path.STEPS)
def test_every_idea_of_the_step_is_shown_without_a_run(step, lang):
    for idea, app in ideas_of(step, lang):
        if idea != path.QUIZ:
            with pytest.MonkeyPatch.context() as page:
                page.setattr("tl_ui.frame.state.language", lambda: lang)
                given = idea_of(path.LessonPlace(step, idea)).given()
            said = text(lang, f"lesson_{step}.{idea}_says", **given)
            assert said in words(app)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("step", ["two_stages", "reading", "explain"])
def test_ideas_about_a_run_speak_of_the_persons_own_when_there_is_one(step, lang, own_runs_folder):
    finished_run(own_runs_folder / "mine")
    for _, app in ideas_of(step, lang, run="mine"):
        assert text(lang, "lesson.stand_in") not in words(app)


def test_without_a_run_a_recorded_one_stands_in_and_is_called_recorded():
    app = lesson(path.LessonPlace("reading", "matrix"))
    assert text("en", "lesson.stand_in") in words(app)
    assert text("en", "lesson.recorded") in words(app)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_practice_pictures_are_not_called_the_persons_own(lang, two_classes):
    place, own = path.LessonPlace("transferred", "tasks"), datasets.add_folder(two_classes).id
    mine, practice = (text(lang, f"lesson_transferred.task_b{end}") for end in ("", "_practice"))
    for params in ({}, {"data": "casting"}):
        assert practice in words(lesson(place, lang, **params)), params
        assert mine not in words(lesson(place, lang, **params)), params
    assert mine in words(lesson(place, lang, data=own))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_run_that_names_no_class_is_read_both_ways_round(lang, own_runs_folder):
    run = finished_run(own_runs_folder / "mine")
    summary = run.read_summary()
    write_json(run.summary_path, summary | {"positive_class": None})
    app = lesson(path.LessonPlace("reading", "matrix"), lang, run="mine")
    said = words(app)
    for name in summary["classes"]:
        assert text(lang, "results.positive_is", name=literal(name)) in said
    app = lesson(path.LessonPlace("reading", "threshold"), lang, run="mine")
    assert not app.exception
    assert app.segmented_control(key="threshold_class").options == [
        literal(name) for name in summary["classes"]
    ]


def test_a_run_that_is_training_tells_its_story_so_far(own_runs_folder):
    built = RunBuilder(own_runs_folder / "now").alive().start().epochs("head", 13)
    found = words(lesson(path.LessonPlace("two_stages", "story"), run="now"))
    assert "divided by 10" in found and "more than 3 epochs" in found
    built.let_go()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_head_calculated_in_one_go_has_no_learning_rate(own_runs_folder, lang):
    config = RunConfig(target_per_class=0)
    object.__setattr__(config.head, "learning_rate", 0.0)  # as the events of a solved head have it
    RunBuilder(own_runs_folder / "now", config=config).start().epochs("head", 2).stopped()
    found = words(lesson(path.LessonPlace("two_stages", "rate"), lang, run="now"))
    assert text(lang, "lesson_two_stages.no_rate") in found


def test_the_story_goes_on_reading_where_it_was(own_runs_folder, monkeypatch):
    built = RunBuilder(own_runs_folder / "now").alive().start().epochs("head", 2)
    opened = []
    begin = EventLog.__init__
    monkeypatch.setattr(EventLog, "__init__", lambda log, path: (opened.append(path), begin(log, path))[1])
    app = lesson(path.LessonPlace("two_stages", "story"), run="now")
    before = words(app)
    built.epochs("head", 12, first=3)
    app.run()
    assert not app.exception and words(app) != before
    assert opened == [built.run.events_path], "one log for all browsers and all looks"
    built.let_go()


@pytest.mark.parametrize("idea", ["first", "story"])
def test_the_lesson_looks_again_seldom_at_a_run_that_rests_and_draws_anew_what_has_changed(
    idea, own_runs_folder, monkeypatch
):
    RunBuilder(own_runs_folder / "rests").start().epochs("head", 2).stopped()
    looks = []
    fragment = st.fragment
    monkeypatch.setattr(
        st, "fragment", lambda **given: (looks.append(given["run_every"]), fragment(**given))[1]
    )
    lesson(path.LessonPlace("two_stages", idea), run="rests")
    assert looks == [5.0]
    looks.clear()
    # resumed between drawing the page and its first look
    states = iter(["stopped", "stopped"])
    monkeypatch.setattr(which_run.Shown, "state", property(lambda shown: next(states, "running")))
    lesson(path.LessonPlace("two_stages", idea), run="rests")
    assert looks == [5.0, 1.0]


def test_a_recorded_run_is_over_and_not_looked_at_again():
    assert which_run.Shown(recorded.run(recorded.STAND_IN), is_recorded=True).poll_seconds is None


def test_a_failed_run_gets_advice_on_memory(own_runs_folder):
    RunBuilder(own_runs_folder / "big").start().failed("out_of_memory", batch_size=32, fits=8)
    app = lesson(path.LessonPlace("reading", "advice"), run="big", data="casting")
    assert text("en", "lesson_reading.advice_memory", batch_size="32", fits="8") in words(app)


def test_advice_opens_train_with_the_changed_setting(own_runs_folder):
    RunBuilder(own_runs_folder / "big").start().failed("out_of_memory", batch_size=32, fits=8)
    app = lesson(path.LessonPlace("reading", "advice"), run="big", data="casting")
    app.button(key="try_0").click().run()
    app.switch_page("pages/train.py").run()
    assert app.session_state["set_batch_size"] == 8
    assert not app.exception


def test_back_from_advice_leads_to_the_advice_about_the_same_run(own_runs_folder):
    for name in ("big", "newer"):
        RunBuilder(own_runs_folder / name).start().failed("out_of_memory", batch_size=32, fits=8)
    app = lesson(path.LessonPlace("reading", "advice"), run="big", data="casting", done="456")
    app.button(key="try_0").click().run()
    app.switch_page("pages/train.py").run()
    app.query_params.clear()  # what a browser finds on its way back
    app.switch_page("pages/lesson.py").run()
    assert {name: app.query_params.get(name) for name in ("step", "idea", "done", "run")} == {
        "step": "reading", "idea": "advice", "done": "456", "run": "big"
    }  # fmt: skip


def test_nothing_is_revealed_before_the_prediction(monkeypatch):
    monkeypatch.setattr("tl_ui.lesson.quiz.prediction", lambda step: False)
    for place in (path.LessonPlace("head_swap", "swap"), path.LessonPlace("freeze", "change")):
        app = lesson(place)
        assert text("en", "lesson.predict_first") in words(app)
        said = text("en", f"lesson_{place.step}.{place.idea}_says", **idea_of(place).given())
        assert said not in words(app), "the words tell it too"
        assert not app.metric


def test_the_steps_that_predict_are_those_of_the_plan():
    asking = [p.step for p in path.PLACES if p.idea != path.QUIZ and idea_of(p).predicts]
    assert asking == ["transferred", "head_swap", "freeze", "two_stages", "reading"]


def test_next_goes_through_all_ideas_and_marks_the_steps_done():
    app = open_page("lesson")
    for place in path.PLACES[1:6]:
        app.button(key="lesson_next").click().run()
        assert app.query_params["step"] == place.step and app.query_params["idea"] == place.idea
    assert app.query_params["done"] == "1"
    app.button(key="lesson_back").click().run()
    assert app.query_params["idea"] == path.PLACES[4].idea


def test_an_unknown_step_in_the_link_begins_at_the_beginning():
    assert has(open_page("lesson", step="../etc", idea="x"), "button", "lesson_next")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_presenter_hides_the_stepper_and_keeps_the_notes_closed(lang):
    app = open_page("lesson", lang=lang, present="1", step="labels")
    assert not has(app, "button", "to_freeze") and has(app, "button", "present_next")
    assert text(lang, "lesson_labels.folders_teacher") not in words(app)
    app.button(key="present_next").click().run()
    assert app.query_params["idea"] == "numbers"
    app.button(key="present_next_page").click().run()
    assert app.query_params["idea"] == "quiz"
    app.button(key="present_leave").click().run()
    assert has(app, "button", "to_freeze") and "present" not in app.query_params


def test_presenter_listens_to_arrows_and_to_clickers():
    app = open_page("lesson", present="1", step="labels")
    keys = {button.key: button.proto.shortcut for button in app.button if button.proto.shortcut}
    assert {keys["present_next"], keys["present_next_page"]} == {"right", "pagedown"}
    assert {keys["present_back"], keys["present_back_page"]} == {"left", "pageup"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", ["start", "data", "train", "results", "classify", "head_swap"])
def test_teaching_mode_adds_one_note_and_is_off_at_first(page, lang):
    note = text(lang, f"teaching.note_{page}")
    assert note not in words(open_page(page, lang=lang))
    assert note in words(open_page(page, lang=lang, teach="1"))


def test_the_teaching_switch_is_remembered_in_the_address_bar():
    app = open_page("data")
    app.toggle(key="teaching_switch").set_value(True).run()
    assert app.query_params["teach"] == "1"
    assert text("en", "teaching.note_data") in words(app)
    app.toggle(key="teaching_switch").set_value(False).run()
    assert "teach" not in app.query_params


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_idea_has_a_title_words_and_a_note_and_none_needs_more_than_eighty_words(lang):
    known = catalogue(lang)
    for place in path.PLACES:
        if place.idea == path.QUIZ:
            continue
        for end in ("title", "says", "teacher"):
            assert known[f"lesson_{place.step}.{place.idea}_{end}"], place
    for key, sentence in known.items():
        if key.startswith(("lesson", "teaching")):
            assert len(sentence.split()) <= MAX_WORDS, (key, len(sentence.split()))


def test_both_languages_have_the_same_ideas():
    ideas = {lang: {k for k in catalogue(lang) if re.match(r"lesson_\w+\.\w+_says", k)} for lang in LANGUAGES}
    assert ideas["en"] == ideas["ko"]


def test_recorded_runs_are_small_and_name_no_place_of_a_machine():
    for name in recorded.NAMES:
        files = [file for file in recorded.run(name).path.rglob("*") if file.is_file()]
        assert files and sum(file.stat().st_size for file in files) < 200_000
        for file in files:
            assert not re.search(r'"(/|[A-Z]:\\)', file.read_text(encoding="utf-8")), file


def test_the_two_recorded_rivals_differ_in_their_weights_alone():
    one, other = recorded.config("transfer"), recorded.config("scratch")
    different = {key for key in one if one[key] != other[key]}
    assert different <= {"weights", "weights_used", "created", "device_used"}
    assert one["data_fingerprint"] == other["data_fingerprint"]


def test_the_three_beginnings_show_what_the_words_say():
    """Nothing is guessing; drawings lie clearly above it, and photographs clearly above them."""
    found = beginnings.scores()
    (nothing, low, high), (drawings, drawn_low, drawn_high), (photographs, seen_low, _) = found.values()
    assert list(found) == ["nothing", "drawings", "photographs"]
    assert low < 0.5 < high, "guessing"
    assert nothing < drawings < photographs
    assert high < drawn_low and drawn_high < seen_low


def test_the_three_beginnings_have_one_recipe_and_the_same_pictures():
    given = [recorded.config(name) for name in beginnings.BEGINNINGS.values()]
    of_the_weights = {"weights", "weights_used", "backbone", "created", "device_used"}
    for other in given[1:]:
        assert {key for key in other if other[key] != given[0][key]} <= of_the_weights
    assert given[0]["preset"] == "standard"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("view", ["glossary", "plan"])
def test_glossary_and_plan_stand_beside_the_path(view, lang):
    app = open_page("lesson", lang=lang)
    app.button(key=f"see_{view}").click().run()
    assert not app.exception and app.query_params["lesson_view"] == view
    assert app.title[0].value == text(lang, f"lesson.view_{view}")
    app.button(key="to_lesson").click().run()
    assert "lesson_view" not in app.query_params and has(app, "button", "lesson_next")
    assert open_page("lesson", lang=lang, view=view).title[0].value == text(lang, f"lesson.view_{view}")


@pytest.mark.parametrize(("present", "px"), [("1", 184), (None, 290)])
def test_the_chart_of_three_beginnings_is_low_on_a_projector(present, px):
    given = {"present": present} if present else {}
    app = open_page("lesson", lang="en", step="transferred", idea="beginnings", **given)
    [chart] = app.get("plotly_chart")
    assert f'"height": {px}' in chart.proto.spec or f'"height":{px}' in chart.proto.spec
