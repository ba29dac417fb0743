"""The figures of Train and Results, without a page."""

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.ui.run_folder_builder import RunBuilder
from tl_core.base.config import preset
from tl_core.runs.event_log import EventLog
from tl_core.runs.report.epoch_axis import whole_step
from tl_ui.frame.theme import LIGHT
from tl_ui.stores.runs.run_view import fold
from tl_ui.widgets.plotting import charts
from tl_ui.widgets.plotting.curves import curves, legend, rate


def t(key, **values):
    return f"{key} {values}" if values else key


@pytest.fixture(autouse=True)
def palette(monkeypatch):
    monkeypatch.setattr(type(LIGHT), "series", property(lambda self: ["#111111", "#222222", "#333333"]))
    return LIGHT


@pytest.fixture
def view(tmp_path):
    built = RunBuilder(tmp_path / "run").start().epochs("head", 15).stage_end("head")
    built.epochs("finetune", 14).stage_end("finetune", is_early=True)
    return fold(EventLog(built.run.events_path).read())


def named(figure, key):
    return next(trace for trace in figure["data"] if trace["name"] == key)


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_curves_are_a_figure_plotly_accepts_with_every_mark(view, metric):
    figure = curves(view, metric, LIGHT, t)
    go.Figure(figure)
    assert named(figure, "train.line_val")["x"] == list(range(1, 30))
    assert len(named(figure, "train.mark_best")["x"]) == 2
    assert named(figure, "train.mark_stop")["x"] == [29]
    assert named(figure, "train.mark_drop")["x"][0] == 12
    boundary = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    assert [shape["x0"] for shape in boundary] == [15.5]


def test_three_stages_are_three_bands_with_their_names(tmp_path):
    built = RunBuilder(tmp_path / "run", config=preset("gradual")).start()
    for stage in ("head", "finetune", "whole"):
        built.epochs(stage, 3).stage_end(stage)
    figure = curves(fold(EventLog(built.run.events_path).read()), "loss", LIGHT, t)
    boundary = [shape["x0"] for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    assert boundary == [3.5, 6.5]
    names = [label["text"] for label in figure["layout"]["annotations"]]
    assert names == ["train.band_head", "train.band_finetune", "train.band_whole"]


def test_the_star_stands_over_the_number_that_words_give_the_best_epoch(view):
    figure = curves(view, "loss", LIGHT, t)
    stage = view.stages["finetune"]
    place = named(figure, "train.mark_best")["x"][-1]
    axis = figure["layout"]["xaxis"]
    assert place == 15 + stage.best_epoch
    line = named(figure, "train.line_val")
    assert line["text"][place - 1].startswith(f"{stage.best_epoch}: ")
    marked = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert all(int(word) == (place if place <= 15 else place - 15) for place, word in marked.items())
    assert len(set(axis["ticktext"])) < len(axis["ticktext"]), "the second stage counts anew"


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_dots_at_the_edge_are_whole(view, metric):
    assert all(trace.get("cliponaxis") is False for trace in curves(view, metric, LIGHT, t)["data"][:2])


def test_a_row_without_pictures_has_no_shares():
    figure = charts.confusion({"classes": ["1", "2"], "confusion_matrix": [[3, 1], [0, 0]]}, LIGHT, t)
    assert figure["data"][0]["text"][1] == ["<b>0</b>", "<b>0</b>"]


def test_accuracy_is_always_seen_on_the_whole_scale(view):
    assert curves(view, "accuracy", LIGHT, t)["layout"]["yaxis"]["range"] == [0, 1.02]


def test_the_axis_is_as_long_as_the_plan_while_a_stage_goes_on(tmp_path):
    built = RunBuilder(tmp_path / "run").start().epochs("head", 3)
    figure = curves(fold(EventLog(built.run.events_path).read()), "loss", LIGHT, t)
    assert figure["layout"]["xaxis"]["range"] == [0.5, 15.5]


def test_a_run_without_epochs_has_empty_axes_and_no_marks(tmp_path):
    built = RunBuilder(tmp_path / "run").start()
    figure = curves(fold(EventLog(built.run.events_path).read()), "loss", LIGHT, t)
    go.Figure(figure)
    assert [trace["x"] for trace in figure["data"]] == [[], []]


def test_the_legend_names_only_what_is_drawn(view, tmp_path):
    assert "train.mark_stop" in legend(view, LIGHT, t)
    young = RunBuilder(tmp_path / "young").start().epochs("head", 1)
    words = legend(fold(EventLog(young.run.events_path).read()), LIGHT, t)
    assert "train.line_val" in words and "train.mark_stop" not in words


def test_rates_are_written_as_people_read_them():
    rates = {1e-3: "0.001", 1e-5: "0.00001", 0.25: "0.25", 1.7764e-6: "0.00000178", 0: "0"}
    assert {value: rate(value) for value in rates} == rates


def test_confusion_shades_rows_on_a_fixed_scale():
    figure = charts.confusion({"classes": ["1", "2"], "confusion_matrix": [[3, 1], [0, 0]]}, LIGHT, t)
    go.Figure(figure)
    heat = figure["data"][0]
    assert heat["z"] == [[0.75, 0.25], [0, 0]] and (heat["zmin"], heat["zmax"]) == (0, 1)
    assert figure["layout"]["xaxis"]["type"] == "category", "class “1” is a name, not a number"


def test_axis_titles_of_one_chart_do_not_overwrite_each_other():
    layout = charts.confusion({"classes": ["a", "b"], "confusion_matrix": [[1, 0], [0, 1]]}, LIGHT, t)[
        "layout"
    ]
    assert layout["xaxis"]["title"]["text"] != layout["yaxis"]["title"]["text"]


def test_histogram_counts_every_picture_once_and_draws_the_threshold():
    truth, p = ["a", "a", "b", "b"], [0.0, 0.51, 0.99, 1.0]
    figure = charts.histogram(truth, p, ["a", "b"], "a", 0.6, LIGHT, t)
    go.Figure(figure)
    bars = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert [sum(trace["y"]) for trace in bars] == [2, 2]
    assert figure["data"][-1]["x"] == [0.6, 0.6]
    assert figure["layout"]["xaxis"]["range"] == [0, 1]


def test_bars_with_a_pattern_keep_their_colour():
    figure = charts.histogram(["a", "b"], [0.2, 0.9], ["a", "b"], "a", None, LIGHT, t)
    patterns = [bar["marker"]["pattern"] for bar in figure["data"]]
    assert [bar["marker"]["color"] for bar in figure["data"]] == ["#111111", "#222222"]
    # "replace", plotly's default, draws the lines alone: in the page's colour nobody would see them
    assert all(pattern["fillmode"] == "overlay" for pattern in patterns)


def test_histogram_without_a_threshold_draws_no_line():
    figure = charts.histogram(["a"], np.array([0.5]), ["a", "b"], "a", None, LIGHT, t)
    assert all(trace["type"] == "bar" for trace in figure["data"])


def test_stage_scores_draw_intervals_around_the_value_and_leave_out_what_is_unknown():
    rows = [
        {"stage": "before", "split": "test", "value": 0.5, "low": 0.4, "high": 0.65},
        {"stage": "head", "split": "test", "value": None, "low": None, "high": None},
        {"stage": "head", "split": "val", "value": 0.9, "low": None, "high": None},
    ]
    figure = charts.stage_scores(rows, "Accuracy", LIGHT, t)
    go.Figure(figure)
    test = named(figure, "test")
    assert test["x"] == ["before"]
    assert test["error_y"]["array"] == [pytest.approx(0.15)]
    assert test["error_y"]["arrayminus"] == [pytest.approx(0.1)]
    assert named(figure, "val")["error_y"]["array"] == [0]


def test_an_axis_that_counts_has_whole_steps_and_few_marks():
    for highest in (0, 1, 2, 3, 7, 12, 40, 99, 1234):
        step = whole_step(highest)
        assert isinstance(step, int) and step >= 1 and highest / step <= 6
    few = charts.histogram(["a", "b"], [0.2, 0.8], ["a", "b"], "a", None, LIGHT, lambda key, **values: key)
    assert few["layout"]["yaxis"]["dtick"] == 1


def test_a_cell_of_the_matrix_rounds_as_the_page_does():
    figure = charts.confusion({"confusion_matrix": [[7, 1], [0, 0]], "classes": ["a", "b"]}, LIGHT, t)
    assert figure["data"][0]["text"] == [["<b>7</b><br>88%", "<b>1</b><br>13%"], ["<b>0</b>", "<b>0</b>"]]
