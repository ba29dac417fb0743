"""The Start page: the idea, the machine, one button."""

from __future__ import annotations

import json

import pytest
import streamlit as st

from tests.ui.conftest import draw_pictures
from tests.ui.open_page import has, words
from tests.ui.run_folder_builder import RunBuilder, finished_run
from tests.ui.stores.sets.test_datasets import zip_of
from tl_core.base.config import RunConfig, preset
from tl_core.base.files.paths import cache_dir
from tl_core.base.messages import say
from tl_core.jobs import local
from tl_core.models.weights import locate
from tl_core.runs.run_folder import list_runs
from tl_core.synthetic import practice as samples
from tl_ui.frame import gate, visitor
from tl_ui.frame.text import catalogue
from tl_ui.stores import machine
from tl_ui.stores.runs import launching
from tl_ui.stores.sets import datasets
from tl_ui.widgets.sets import practice_sets

RUNS = {key.removeprefix("runs."): text for key, text in catalogue("en").items() if key.startswith("runs.")}


@pytest.fixture
def small_practice_set(monkeypatch, tmp_path):
    """Stands where the drawn practice set would: the real one takes half a minute to draw."""
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    folder = cache_dir() / "samples" / f"casting-v{samples.DRAWING_VERSION}"
    draw_pictures(
        folder, {"train/def_front": 8, "train/ok_front": 8, "test/def_front": 4, "test/ok_front": 4}
    )
    (folder / "README.txt").write_text("drawn", encoding="utf-8")
    return folder


@pytest.fixture
def launched(monkeypatch):
    """Names of the runs whose workers would have been started."""
    names = []
    monkeypatch.setattr(local, "launch", lambda run: names.append(run.name))
    return names


@pytest.mark.parametrize("language", ["en", "ko"])
def test_start_says_what_this_is_and_what_the_machine_has(open_page, language):
    app = open_page("start", language)
    words = catalogue(language)
    assert not app.exception
    assert app.title[0].value == words["start.title"]
    shown = " ".join(element.value for element in [*app.markdown, *app.caption])
    for term in ("device", "weights", "number_format"):
        assert words[f"terms.{term}.name"] in shown
    assert words["start.figure_old"] in app.html[1].proto.body + app.html[2].proto.body


def test_one_button_makes_a_run_on_the_practice_set_and_goes_to_train(
    open_page, small_practice_set, launched, own_runs_folder
):
    app = open_page("start")
    app.button(key="run_practice").click().run()
    assert not app.exception
    (run,) = list_runs(own_runs_folder)
    assert launched == [run.name]
    config = json.loads(run.config_path.read_text(encoding="utf-8"))
    assert config["data"] == str(small_practice_set)
    assert config["preset"] == "casting"
    assert config["weights"] == "auto"
    assert app.query_params["run"] == run.name
    assert app.title[0].value == catalogue("en")["train.title"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_second_choice_is_explained_without_the_advice_to_use_it(open_page, monkeypatch, language):
    missing = (("imagenet", "no_network", ""),)
    monkeypatch.setattr(machine, "auto_weights", lambda: machine.AutoWeights("imagenet-lite0", None, missing))
    found = "\n".join(caption.value for caption in open_page("start", language).caption)
    assert say("why.auto_no_network", language) in found
    assert say("reason.no_network", language, detail="") not in found


@pytest.mark.parametrize("language", ["en", "ko"])
def test_faces_get_settings_that_suit_the_built_in_weights_and_the_page_says_so(
    open_page, monkeypatch, language
):
    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    app = open_page("start", language)
    sentence = catalogue(language)["start.small_pictures"].format(px=112)
    assert sentence not in [caption.value for caption in app.caption]
    app.segmented_control(key="practice_set").set_value("expression").run()
    assert sentence in [caption.value for caption in app.caption]


def test_better_weights_leave_the_preset_as_it_is():
    assert practice_sets.settings("expression", "auto", "imagenet-lite0") == preset("expression")
    assert practice_sets.settings("expression", "auto", "imagenet") == preset("expression")
    small = practice_sets.settings("expression", "auto", "formula")
    assert (small.image_px, small.unfreeze_blocks) == (112, 7)
    assert practice_sets.settings("casting", "auto", "formula") == preset("casting")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_without_pre_trained_weights_it_is_called_training_from_scratch(
    open_page, small_practice_set, launched, own_runs_folder, monkeypatch, tmp_path, language
):
    monkeypatch.setattr(locate, "FORMULA", tmp_path / "not shipped.safetensors")
    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    app = open_page("start", language)
    assert catalogue(language)["start.scratch"] in [warning.value for warning in app.warning]
    button = app.button(key="run_practice")
    assert button.label == catalogue(language)["start.run_scratch"]
    button.click().run()
    (run,) = list_runs(own_runs_folder)
    assert run.read_config()["weights"] == "random"


def test_a_full_or_forbidden_place_is_said_in_words(
    open_page, small_practice_set, launched, monkeypatch, tmp_path
):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("HEADSWAP_RUNS", str(blocked))
    app = open_page("start")
    app.button(key="run_practice").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert str(blocked) in app.error[0].value
    assert launched == []


def test_the_first_visit_shows_nothing_of_ones_own(open_page):
    app = open_page("start")
    assert not [word for word in app.subheader if word.value in (RUNS["title"], RUNS["sets_title"])]


def test_my_runs_are_called_opened_noted_and_cloned(open_page, own_runs_folder, two_classes):
    finished_run(own_runs_folder / "mine", data=datasets.add_folder(two_classes).path)
    app = open_page("start")
    assert "mine" in words(app) and "pets" in words(app)
    app.text_input(key="title_mine").set_value("Cats, first try").run()
    app.text_area(key="note_mine").set_value("more dogs").run()
    assert not app.exception and "Cats, first try" in words(app) and "more dogs" in words(app)
    assert "Cats, first try" in open_page("results").selectbox(key="results_run").options[0]
    app.button(key="again_mine").click().run()
    assert app.title[0].value == catalogue("en")["train.title"]
    assert "run" not in app.query_params and app.query_params["data"] == datasets.at(two_classes).id
    assert RUNS["again_of"].format(name="Cats, first try") in words(app)


def test_a_deleted_run_is_restored_with_one_press(open_page, own_runs_folder):
    finished_run(own_runs_folder / "mine")
    app = open_page("start", run="mine")
    app.button(key="delete_mine").click().run()
    assert not list_runs(own_runs_folder) and "run" not in app.query_params
    app.button(key="restore_mine").click().run()
    assert [run.name for run in list_runs(own_runs_folder)] == ["mine"]


def test_what_runs_now_is_shown_and_cannot_be_deleted(open_page, own_runs_folder):
    built = RunBuilder(own_runs_folder / "living").alive().start().epochs("head", 2)
    app = open_page("start")
    assert RUNS["running_title"] in [word.value for word in app.subheader]
    assert has(app, "button", "watch_living") and not has(app, "button", "delete_living")
    built.let_go()


def test_my_pictures_are_picked_again_renamed_and_deleted_with_undo(open_page, two_classes):
    choice = datasets.add_zip("pets.zip", zip_of(two_classes))
    app = open_page("start")
    app.text_input(key=f"name_{choice.id}").set_value("Our pets").run()
    assert "Our pets" in words(app)
    app.button(key=f"delete_{choice.id}").click().run()
    assert datasets.own() == []
    app.button(key="restore_set").click().run()
    assert [one.label for one in datasets.own()] == ["Our pets"]
    app.button(key=f"pick_{choice.id}").click().run()
    assert app.query_params["data"] == choice.id
    assert app.title[0].value == catalogue("en")["data.title"]


def test_another_machine_of_the_class_sees_only_its_own_pictures(open_page, two_classes, monkeypatch):
    choice = datasets.add_zip("pets.zip", zip_of(two_classes))
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda context: "192.168.0.7"))
    assert not has(open_page("start"), "button", f"pick_{choice.id}")
    assert has(open_page("start", data=choice.id), "button", f"pick_{choice.id}")


def test_a_browser_that_is_known_again_finds_what_it_brought_and_no_other_does(
    open_page, two_classes, monkeypatch, cookies
):
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda context: "192.168.0.7"))
    cookies[gate.cookie_name()] = gate.new_cookie()
    choice = datasets.add_zip("pets.zip", zip_of(two_classes))
    datasets.note_sender(choice.id, visitor.sender())
    app = open_page("start")
    assert has(app, "button", f"pick_{choice.id}") and has(app, "button", f"delete_{choice.id}"), (
        "a new session"
    )
    cookies[gate.cookie_name()] = gate.new_cookie()
    assert not has(open_page("start"), "button", f"pick_{choice.id}")
    by_link = open_page("data", data=choice.id)
    assert not has(by_link, "button", f"delete_{choice.id}") and not has(
        by_link, "text_input", f"name_{choice.id}"
    )


def test_deleted_pictures_are_gone_at_once_where_that_is_wanted(open_page, two_classes):
    choice = datasets.add_zip("pets.zip", zip_of(two_classes))
    app = open_page("start")
    assert " MB" in words(app)
    app.button(key=f"delete_{choice.id}").click().run()
    assert choice.path.exists()
    app.button(key="erase_set").click().run()
    assert not app.exception and not choice.path.exists()
    assert datasets.deleted() == [] and not has(app, "button", "restore_set")


def test_ones_own_pictures_lead_to_the_question_for_them(open_page):
    app = open_page("start", data="casting")
    app.button(key="own_pictures").click().run()
    assert app.title[0].value == catalogue("en")["data.title"]
    assert app.segmented_control(key="data_source").value == "upload"


def test_an_own_run_is_named_after_its_data(own_runs_folder, two_classes, launched):
    run = launching.start_run(datasets.add_folder(two_classes), RunConfig())
    assert run.name.endswith("-pets")
