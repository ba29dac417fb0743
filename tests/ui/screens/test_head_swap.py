"""The Head swap page: counted on the real network, never typed."""

from __future__ import annotations

import dataclasses

import pytest
import timm
from safetensors.torch import save_file

from tl_core.models.weights import locate
from tl_core.models.weights.sources import choose
from tl_ui.frame.text import catalogue
from tl_ui.stores import shared_network
from tl_ui.stores.sets import datasets


def body(app) -> str:
    return "\n".join(element.proto.body for element in app.html)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_head_is_replaced_and_the_parameters_are_counted(open_page, language):
    app = open_page("head_swap", language)
    assert not app.exception
    assert [metric.value for metric in app.metric] == ["3,371,008", "− 1,281,000", "+ 2,562"]


def test_the_counts_follow_the_number_of_classes(open_page):
    app = open_page("head_swap")
    app.number_input(key="head_swap_classes").set_value(6).run()
    assert app.metric[2].value == "+ 7,686"


def test_adding_the_classes_is_answered_as_wrong(open_page):
    app = open_page("head_swap")
    app.segmented_control(key="question_2").set_value(1002).run()
    assert "1,002" in app.error[0].value
    app.segmented_control(key="question_2").set_value(2).run()
    assert not app.error
    assert len(app.success) == 1


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_way_of_a_picture_shows_every_shape(open_page, two_classes, language):
    app = open_page("head_swap", language, data=datasets.add_folder(two_classes).id)
    app.segmented_control(key="head_swap_panel").set_value("way").run()
    assert not app.exception
    for shape in ("3 × 224 × 224", "32 × 112 × 112", "80 × 14 × 14", "1,280 × 7 × 7", "1,280"):
        assert f"<span>{shape}</span>" in body(app)


def test_the_untrained_head_guesses_about_the_classes_of_the_data(open_page, two_classes):
    app = open_page("head_swap", data=datasets.add_folder(two_classes).id)
    app.segmented_control(key="head_swap_panel").set_value("answers").run()
    assert not app.exception
    assert "<span>cats</span>" in body(app)
    assert catalogue("en")["head_swap.no_run"] in [caption.value for caption in app.caption]


def test_without_weights_it_says_that_the_answers_mean_nothing(open_page, monkeypatch, tmp_path):
    monkeypatch.setattr(locate, "FORMULA", tmp_path / "not shipped.safetensors")
    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    app = open_page("head_swap")
    assert not app.exception
    assert catalogue("en")["head_swap.random"] in [warning.value for warning in app.warning]
    assert [metric.value for metric in app.metric] == ["4,007,548", "− 1,281,000", "+ 2,562"]
    app.segmented_control(key="head_swap_panel").set_value("answers").run()
    assert catalogue("en")["head_swap.no_old_head"] in [caption.value for caption in app.caption]


@pytest.fixture(scope="module")
def sees_daisies(tmp_path_factory):
    """A network with ImageNet's head that takes everything for a daisy."""
    path = tmp_path_factory.mktemp("weights") / "b0.safetensors"
    state = timm.create_model("efficientnet_b0", pretrained=False).state_dict()
    state["classifier.bias"][985] = 100.0
    save_file(state, path)
    return dataclasses.replace(choose(f"file:{path}", backbone="efficientnet_b0"), source="imagenet")


@pytest.mark.parametrize("language, name", [("en", "daisy"), ("ko", "데이지")])
def test_imagenets_old_head_answers_in_the_pages_language_and_says_who_named_it(
    open_page, monkeypatch, sees_daisies, language, name
):
    monkeypatch.setattr(shared_network, "choose", lambda *_, **__: sees_daisies)
    source = catalogue(language)["head_swap.names_source"]
    app = open_page("head_swap", language)
    app.segmented_control(key="head_swap_panel").set_value("answers").run()
    assert not app.exception
    assert f"<span>{name}</span>" in body(app)
    assert source in [caption.value for caption in app.caption]

    lesson = open_page("lesson", language, step="head_swap", idea="old")
    assert not lesson.exception
    assert name in lesson.dataframe[0].value.iloc[985].tolist()
    assert source in [caption.value for caption in lesson.caption]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_old_classes_are_those_of_the_weights_in_use(open_page, monkeypatch, language):
    app = open_page("head_swap", language)
    app.segmented_control(key="head_swap_panel").set_value("classes").run()
    assert not app.exception and len(app.dataframe[0].value) == 1000
    said = catalogue(language)["head_swap.classes_photographs"].format(classes="1,000")
    assert said in [text.value for text in app.markdown]

    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    shared_network.weights.clear()
    app = open_page("head_swap", language)
    app.segmented_control(key="head_swap_panel").set_value("classes").run()
    assert not app.exception and not app.dataframe
    said = catalogue(language)["head_swap.classes_formula"].format(classes="1,000")
    assert said in [text.value for text in app.markdown]


def test_names_of_other_weights_are_not_said_to_be_imagenets(open_page, monkeypatch):
    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    app = open_page("head_swap")
    app.segmented_control(key="head_swap_panel").set_value("answers").run()
    assert catalogue("en")["head_swap.names_source"] not in [caption.value for caption in app.caption]
