"""The frame around every page: language, remembered choices, sidebar, theme."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tl_core.runs import run_folder
from tl_ui.frame import theme
from tl_ui.frame.text import catalogue
from tl_ui.stores.sets import datasets

ROOT = Path(__file__).resolve().parents[3]


def labels(app) -> list[str]:
    return [link.label for link in app.sidebar.page_link]


@pytest.mark.parametrize(("language", "name"), [("en", "2. Data"), ("ko", "2. 데이터")])
def test_the_language_is_the_browsers(open_page, language, name):
    assert name in labels(open_page("data", language))


def test_the_address_bar_wins_over_the_browser(open_page):
    assert "2. 데이터" in labels(open_page("data", "en", lang="ko"))


def test_the_language_switch_is_kept_in_the_address_bar(open_page):
    app = open_page("data", "en")
    app.segmented_control(key="language_switch").set_value("ko").run()
    assert app.title[0].value == catalogue("ko")["data.title"]
    assert app.query_params["lang"] == "ko"


def test_a_nonsense_language_falls_back_to_the_browsers(open_page):
    assert "2. Data" in labels(open_page("data", "en", lang="xx"))


def test_a_choice_survives_a_page_change_that_drops_the_parameters(open_page, two_classes):
    choice = datasets.add_folder(two_classes)
    app = open_page("start", data=choice.id)
    app.query_params.clear()
    app.switch_page("pages/train.py").run()
    assert app.query_params["data"] == choice.id


def test_locked_steps_say_what_is_missing(open_page):
    app = open_page("start")
    captions = [caption.value for caption in app.sidebar.caption]
    train = "Train a model first"
    # train, results, classify, export; explore, improve, compare
    assert captions == ["Choose pictures first", train, train, train, train, "Choose pictures first", train]


def test_every_page_has_one_link_in_the_sidebar(open_page):
    """A link with a help text is drawn twice by Streamlit, once hidden: a browser finds two."""
    assert not any(link.proto.help for link in open_page("start").sidebar.page_link)


@pytest.mark.parametrize("params", [{"run": "../../etc"}, {"data": "../../etc"}, {"run": "nothing"}])
def test_names_in_the_address_bar_are_only_looked_up(open_page, params):
    captions = [caption.value for caption in open_page("data", **params).sidebar.caption]
    assert captions == [caption.value for caption in open_page("data").sidebar.caption], "nothing is chosen"


def test_a_run_outside_the_folder_of_runs_is_not_reached_by_a_path_in_the_address_bar(own_runs_folder):
    run_folder.create(own_runs_folder / "inside", {})
    outside = run_folder.create(own_runs_folder.parent / f"{own_runs_folder.name}-outside", {})
    asked = AppTest.from_string("from tl_ui.frame import state\nstate.st.text(state.chosen_run())")
    names = ("inside", f"../{outside.name}", str(outside.path), "inside/../inside")
    found = {}
    for name in names:
        asked.query_params["run"] = name
        found[name] = asked.run().text[0].value != "None"
    assert found == dict(zip(names, (True, False, False, False), strict=True))


def test_both_themes_give_at_least_ten_chart_colours():
    set_up = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for name in ("light", "dark"):
        colours = set_up[name]["chartCategoricalColors"]
        assert len(set(colours)) == len(colours) >= 10


def test_charts_have_their_colours_where_the_app_was_started_in_another_folder(monkeypatch):
    set_up = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    monkeypatch.setattr(theme.st, "get_option", lambda name: None)
    for name, colours in (("light", theme.LIGHT), ("dark", theme.DARK)):
        assert colours.series == set_up[name]["chartCategoricalColors"]


def test_nothing_of_the_theme_is_fetched_from_the_network():
    text = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    text += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tl_ui" / "assets").iterdir())
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
