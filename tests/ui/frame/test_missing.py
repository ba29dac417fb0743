"""A named thing that is missing is said on every page, and nothing takes its place."""

from __future__ import annotations

import pytest

from tests.ui.open_page import open_page
from tests.ui.run_folder_builder import RunBuilder, finished_run
from tl_core.runs import about, trash
from tl_ui.frame.steps import PAGES
from tl_ui.frame.text import catalogue
from tl_ui.widgets import run_picker

CHOOSERS = {"results": "results_run", "classify": "classify_run", "explore": "explore_run"}
CHOOSERS |= {"improve": "improve_run"}


def said(lang: str, key: str, **values: str) -> str:
    return catalogue(lang)[f"runs.{key}"].format(**values)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_page_says_that_the_named_run_is_gone_and_shows_no_other(lang, own_runs_folder):
    finished_run(own_runs_folder / "other")
    wrong = []
    for name in PAGES:
        app = open_page(name, lang=lang, run="gone")
        if said(lang, "gone", name="gone") not in [warning.value for warning in app.warning]:
            wrong.append(f"{name} says nothing")
        key = CHOOSERS.get(name)
        if key and app.selectbox(key=key).value is not None:
            wrong.append(f"{name} shows {app.selectbox(key=key).value}")
        if app.query_params.get("run") not in ("gone", ["gone"]):
            wrong.append(f"{name} forgets the name")
    assert not wrong


def test_a_deleted_run_can_be_restored_where_it_is_missed(own_runs_folder):
    trash.throw_away(finished_run(own_runs_folder / "mine"))
    app = open_page("results", lang="en", run="mine")
    assert said("en", "thrown_away", name="mine") in [warning.value for warning in app.warning]
    app.button(key="restore_missing").click().run()
    assert not app.warning and app.selectbox(key="results_run").value == "mine"


def test_pictures_that_are_gone_are_said(own_runs_folder):
    app = open_page("data", lang="en", data="u123")
    assert said("en", "data_gone", name="u123") in [warning.value for warning in app.warning]
    app.button(key="forget_data").click().run()
    assert not app.warning and "data" not in app.query_params


def test_nobody_is_given_a_helper_or_an_unfinished_run_by_default(own_runs_folder):
    mine = finished_run(own_runs_folder / "mine")
    about.write(finished_run(own_runs_folder / "measured"), is_helper=True)
    RunBuilder(own_runs_folder / "stopped").start().epochs("head", 1).stopped()
    runs = run_picker.all_runs()
    assert [run.name for run in runs] == ["stopped", "mine", "measured"]
    assert run_picker.default(runs) == mine
    assert open_page("results").selectbox(key="results_run").value == "mine"


def test_the_presenter_has_a_chooser_and_begins_with_a_finished_run_of_ones_own(own_runs_folder):
    finished_run(own_runs_folder / "mine")
    about.write(finished_run(own_runs_folder / "measured"), is_helper=True)
    RunBuilder(own_runs_folder / "stopped").start().epochs("head", 1).stopped()
    app = open_page("lesson", present="1", step="two_stages")
    shown = [box for box in app.selectbox if box.key == "lesson_run"]
    app_reading = open_page("lesson", present="1", step="reading")
    shown += [box for box in app_reading.selectbox if box.key == "lesson_run"]
    assert shown and {box.value for box in shown} == {"mine"}
