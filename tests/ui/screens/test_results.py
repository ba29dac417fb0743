"""The Results page: the one number with its range and source, and what is behind it."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st

from tests.ui.open_page import has, open_page, words
from tests.ui.run_folder_builder import RunBuilder, finished_run
from tl_core.base.config import preset
from tl_core.base.files.atomic import write_json
from tl_core.models.weights.record import source_name
from tl_ui.frame.text import catalogue, percent

pytestmark = pytest.mark.parametrize("lang", ["en", "ko"])


def text(lang, key, **values):
    return catalogue(lang)[f"results.{key}"].format(**values)


@pytest.fixture
def runs(own_runs_folder):
    return own_runs_folder


def summary_of(run):
    return json.loads(run.summary_path.read_text(encoding="utf-8"))


def test_without_a_run_the_page_says_where_to_get_one(lang):
    assert text(lang, "none") in words(open_page("results", lang=lang))


def test_with_a_run_that_goes_on_the_page_says_to_wait(lang, runs):
    built = RunBuilder(runs / "living").alive().start().epochs("head", 2)
    assert text(lang, "none_running") in words(open_page("results", lang=lang, run="living"))
    built.let_go()


def test_no_run_takes_the_place_of_one_that_still_trains(lang, runs):
    finished_run(runs / "done")
    built = RunBuilder(runs / "mine_*").alive().start().epochs("head", 2)
    app = open_page("results", lang=lang, run="mine_*")
    assert app.selectbox(key="results_run").value is None and not app.metric
    said = catalogue(lang)["runs.trains"].format(name=r"mine\_\*")
    assert [info.value for info in app.info if info.value == said]
    built.stopped()
    app.run()
    said = catalogue(lang)["runs.unfinished"].format(name=r"mine\_\*")
    assert [info.value for info in app.info if info.value == said]
    app.selectbox(key="results_run").set_value("done").run()
    assert app.query_params["run"] == "done" and app.metric
    assert not [info for info in app.info if r"mine" in info.value]


def test_a_run_of_three_stages_shows_each_beside_the_others(lang, runs):
    built = RunBuilder(runs / "done", config=preset("gradual")).start()
    for stage in ("head", "finetune", "whole"):
        built.epochs(stage, 2).stage_end(stage)
    built.finish(final="whole")
    for page in ("results", "explore", "compare"):
        app = open_page(page, lang=lang, run="done")
        assert not app.exception
        if page != "compare":
            assert catalogue(lang)["terms.stage_whole.name"] in words(app) + str(app.dataframe), page


def test_the_headline_has_its_interval_its_source_and_its_weights(lang, runs):
    run = finished_run(runs / "done")
    scores = summary_of(run)["reported"]["metrics"]
    found = words(open_page("results", lang=lang))
    assert percent(scores["accuracy"]) in found
    low, high = scores["intervals"]["accuracy"]
    assert text(lang, "between", low=f"{100 * low:.0f} %", high=f"{100 * high:.0f} %") in found
    assert text(lang, "from_test", count=80, folds=0) in found
    assert "efficientnet_b0.ra_in1k" in found
    stage = catalogue(lang)["terms.stage_finetune.name"]
    best = summary_of(run)["best"]["finetune"]["epoch"]
    assert text(lang, "final_is", stage=stage, epoch=best) in found


def test_cross_validation_is_said(lang, runs):
    built = RunBuilder(runs / "small").start().epochs("head", 3).stage_end("head").epochs("finetune", 2)
    built.stage_end("finetune").finish(splits=("train", "val", "cross_validation"))
    app = open_page("results", lang=lang)
    assert text(lang, "from_cross_validation", count=60, folds=5) in words(app)
    assert text(lang, "head_alone") not in words(app)
    app.segmented_control(key="panel").set_value("sureness").run()
    assert not app.exception and has(app, "slider", "threshold"), "each round's own final answers are found"


def test_a_score_of_the_head_alone_is_not_given_to_the_fine_tuned_model(lang, runs):
    built = RunBuilder(runs / "small").start().epochs("head", 3).stage_end("head").epochs("finetune", 2)
    built.stage_end("finetune").finish(splits=("train", "val", "cross_validation"))
    summary = summary_of(built.run)
    write_json(built.run.summary_path, summary | {"cross_validated": "head"})
    app = open_page("results", lang=lang)
    assert text(lang, "head_alone") in words(app)
    table = app.dataframe[0].value
    assert catalogue(lang)["terms.stage_final.name"] not in table.iloc[:, 0].tolist()


def test_the_table_has_the_chosen_metric_of_every_stage_and_split(lang, runs):
    summary = summary_of(finished_run(runs / "done"))
    app = open_page("results", lang=lang)
    app.segmented_control(key="metric").set_value("recall").run()
    table = app.dataframe[0].value
    terms = catalogue(lang)
    stages, splits = ("before", "head", "finetune"), ("train", "val", "test")
    assert list(table.iloc[:, 0]) == [terms[f"terms.stage_{name}.name"] for name in stages]
    for row, stage in enumerate(stages):
        for column, split in enumerate(splits, start=1):
            scores = summary["stages"][stage][split]
            assert table.columns[column] == f"{terms[f'terms.{split}.name']} ({scores['num']})"
            assert table.iloc[row, column].startswith(percent(scores["recall"]))


@pytest.mark.parametrize("panel", ["stages", "mistakes", "sureness", "curves"])
def test_every_panel_draws(lang, runs, panel):
    finished_run(runs / "done")
    app = open_page("results", lang=lang)
    app.segmented_control(key="panel").set_value(panel).run()
    assert not app.exception
    assert app.get("plotly_chart")


def test_a_higher_threshold_finds_fewer_and_errs_less(lang, runs):
    finished_run(runs / "done")
    app = open_page("results", lang=lang)
    app.segmented_control(key="panel").set_value("sureness").run()

    def scores():
        shown = {metric.label: metric.value for metric in app.metric}
        return [shown[catalogue(lang)[f"terms.{name}.name"]] for name in ("recall", "precision")]

    app.slider(key="threshold").set_value(0.05).run()
    recall_low, precision_low = (float(value.rstrip(" %")) for value in scores())
    app.slider(key="threshold").set_value(0.9).run()
    recall_high, precision_high = (float(value.rstrip(" %")) for value in scores())
    assert recall_high < recall_low and precision_high > precision_low


def test_answers_that_were_written_anew_are_counted_anew(lang, runs):
    run = finished_run(runs / "done")
    app = open_page("results", lang=lang)
    app.segmented_control(key="panel").set_value("sureness").run()
    before = words(app)
    lines = run.predictions_path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines) if number % 2 == 0]
    run.predictions_path.write_text("".join(kept), encoding="utf-8")
    os.utime(run.predictions_path, (2e9, 2e9))
    app.run()
    assert not app.exception and words(app) != before


def test_sureness_without_the_answers_says_so(lang, runs):
    run = finished_run(runs / "done")
    run.predictions_path.unlink()
    app = open_page("results", lang=lang)
    app.segmented_control(key="panel").set_value("sureness").run()
    assert not app.exception
    assert text(lang, "no_predictions") in [info.value for info in app.info]


def test_many_classes_are_shown_too(lang, runs):
    finished_run(runs / "three", classes=("가", "b & <c>", "d"))
    app = open_page("results", lang=lang)
    for panel in ("mistakes", "sureness"):
        app.segmented_control(key="panel").set_value(panel).run()
        assert not app.exception
    assert has(app, "selectbox", "sureness_class")
    assert "<c>" not in words(app), "a class name is text, never HTML"


def test_few_pictures_are_pointed_out(lang, runs):
    run = finished_run(runs / "done")
    summary = summary_of(run)
    summary["reported"]["metrics"]["num"] = 12
    run.summary_path.write_text(json.dumps(summary), encoding="utf-8")
    assert text(lang, "few_pictures", count=12) in words(open_page("results", lang=lang))


def test_a_clone_that_was_computed_otherwise_says_so(lang, runs):
    run = finished_run(runs / "again")
    used, theirs = {"tail_precision": "fp32"}, {"tail_precision": "bf16"}
    said = text(lang, "computed_otherwise", name="first", ours="fp32", theirs="bf16")
    for other, is_said in ((theirs, True), (used, False)):
        again = {"run": "first", "device_used": other}
        write_json(run.config_path, run.read_config() | {"device_used": used, "again_of": again})
        assert (said in words(open_page("results", lang=lang, run=run.name))) is is_said


def test_the_weights_are_named_in_the_persons_language(lang, runs):
    run = finished_run(runs / "formula")
    summary = summary_of(run)
    summary["weights"] |= {"source": "formula"}
    run.summary_path.write_text(json.dumps(summary), encoding="utf-8")
    assert text(lang, "knowledge", label=source_name("formula", lang)) in words(
        open_page("results", lang=lang)
    )


def test_training_from_scratch_is_never_called_knowledge(lang, runs):
    run = finished_run(runs / "scratch")
    summary = summary_of(run)
    summary["weights"] |= {"is_pretrained": False, "source": "random"}
    run.summary_path.write_text(json.dumps(summary), encoding="utf-8")
    found = words(open_page("results", lang=lang))
    name = source_name("random", lang)
    assert text(lang, "no_knowledge", label=name) in found
    assert text(lang, "knowledge", label=name) not in found


def test_what_is_there_can_be_taken_along(lang, runs):
    run = finished_run(runs / "done")
    (run.plots / "curves.png").write_bytes(b"png")
    keys = {
        button.proto.id.rsplit("get_", 1)[-1]
        for button in open_page("results", lang=lang).get("download_button")
    }
    assert {
        "report",
        "summary.json",
        "summary.txt",
        "predictions.csv",
        "training_log.json",
        "curves.png",
    } <= keys
    assert "confusion_matrix.png" not in keys


def test_the_report_is_in_the_persons_language_though_it_is_made_outside_the_page(lang, runs, monkeypatch):
    finished_run(runs / "done")
    offered = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, key, **rest: offered.update({key: data}))
    open_page("results", lang=lang)
    with ThreadPoolExecutor() as pool:
        report = pool.submit(offered["get_report"]).result().decode()
    assert f'<html lang="{lang}">' in report


def test_a_damaged_summary_is_an_error_in_words(lang, runs):
    run = finished_run(runs / "done")
    run.summary_path.write_text("{", encoding="utf-8")
    app = open_page("results", lang=lang)
    assert len(app.error) == 1 and "summary.json" in app.error[0].value
