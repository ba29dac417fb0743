"""The Explore page: every view in both languages, for two classes and for six."""

import json
import os

import cv2
import numpy as np
import pytest
import streamlit as st

from tests.ui.explorable_run import explorable_run, write_answers
from tests.ui.open_page import has, open_page, words
from tests.ui.run_folder_builder import RunBuilder
from tl_core.data import curation
from tl_core.evaluation import paired
from tl_core.evaluation.threshold import at_threshold, cheapest
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import write_json
from tl_ui.frame.text import catalogue, percent
from tl_ui.screens.explore import feature_map as explore_map
from tl_ui.screens.explore import gallery as explore_gallery
from tl_ui.screens.explore import stage_models as explore_models
from tl_ui.screens.explore.view import VIEWS
from tl_ui.stores.runs import predictions
from tl_ui.widgets.html import pictures

SIX = ("가", "b & <c>", "NA", "d", "e", "f")
both = pytest.mark.parametrize("lang", ["en", "ko"])


def text(lang, key, **values):
    return catalogue(lang)[f"explore.{key}"].format(**values)


@pytest.fixture
def run(own_runs_folder, tmp_path):
    return explorable_run(own_runs_folder / "two", tmp_path / "pictures")


@pytest.fixture
def six(own_runs_folder, tmp_path):
    return explorable_run(own_runs_folder / "six", tmp_path / "six pictures", SIX)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    explore_models._memo._values.clear()


def found_of(run):
    return predictions.predictions(run, run.read_summary())


def click(app, key):
    app.button(key=key).click().run()
    assert not app.exception, app.exception


@both
def test_without_a_finished_run_the_page_says_where_to_get_one(lang, own_runs_folder):
    built = RunBuilder(own_runs_folder / "living").alive().start()
    assert catalogue(lang)["results.none_running"] in words(open_page("explore", lang=lang))
    built.let_go()


@both
@pytest.mark.parametrize("view", VIEWS)
def test_a_link_opens_its_view_and_every_view_draws(lang, run, view):
    app = open_page("explore", lang=lang, run="two", view=view)
    assert app.segmented_control(key="explore_view").value == view
    titles = {
        "race": "race_title", "pictures": "matrix_title", "threshold": "threshold_title",
        "calibration": "calibration_title", "map": "map_title",
    }  # fmt: skip
    assert text(lang, titles[view]) in words(app)
    assert not app.error


@both
@pytest.mark.parametrize("view", VIEWS)
def test_six_classes_are_shown_too(lang, six, view):
    app = open_page("explore", lang=lang, view=view)
    assert not app.error and "<c>" not in words(app), "a class name is text, never HTML"
    if view == "threshold":
        assert text(lang, "threshold_two", count=6) in [info.value for info in app.info]
        assert not has(app, "slider", "explore_threshold_six")


def test_choosing_a_view_puts_it_into_the_address(run):
    app = open_page("explore", run="two")
    assert app.query_params["explore_view"] in ("race", ["race"])
    app.segmented_control(key="explore_view").set_value("map").run()
    assert app.query_params["explore_view"] in ("map", ["map"])
    app.query_params["explore_view"] = "nonsense"
    app.run()
    assert app.segmented_control(key="explore_view").value == "race"


def test_the_view_of_the_lesson_is_another(run):
    """Both pages called theirs `view` once; such links still open."""
    app = open_page("explore", view="map")
    assert "view" not in app.query_params and app.segmented_control(key="explore_view").value == "map"
    app.switch_page("pages/lesson.py").run()
    app.button(key="see_glossary").click().run()
    app.switch_page("pages/explore.py").run()
    assert app.segmented_control(key="explore_view").value == "map"


@both
def test_the_race_has_every_stage_of_one_split_and_counts_the_flips(lang, run):
    app = open_page("explore", lang=lang)
    table = app.dataframe[0].value
    assert len(table) == 6 and len(table.columns) == 4
    found = found_of(run)
    head, tuned = found.parts[("head", "test")], found.parts[("finetune", "test")]
    assert head.files.tolist() == tuned.files.tolist() and len(head.files) == 30
    expected = paired.compare(head.truth, head.said, tuned.said)
    assert len(expected.gained) and len(expected.lost)
    gained, lost = len(expected.gained), len(expected.lost)
    assert text(lang, "flips_count", gained=gained, lost=lost) in words(app)
    assert words(app).count('class="hs-look"') == min(gained, explore_gallery.PER_PAGE)
    app.segmented_control(key="flips_way").set_value("lost").run()
    assert words(app).count('class="hs-look"') == min(lost, explore_gallery.PER_PAGE)


@both
def test_a_cell_shows_its_pictures_a_page_at_a_time_surest_first(lang, run):
    app = open_page("explore", lang=lang, view="pictures")
    found = found_of(run).parts[("finetune", "test")]
    cell = app.selectbox(key="explore_cell")
    row, column = (int(v) for v in cell.value.split(","))
    assert row != column, "mistakes come first"
    cell.set_value("1,1").run()
    inside = np.flatnonzero((found.truth == 1) & (found.said == 1))
    assert words(app).count('class="hs-look"') == min(len(inside), explore_gallery.PER_PAGE)
    shown = [float(part.split(" %")[0]) for part in words(app).split("<figcaption>good ")[1:]]
    assert shown == sorted(shown, reverse=True)
    app.segmented_control(key="matrix_split").set_value("train").run()
    assert not app.exception and words(app).count('class="hs-look"')


def test_a_link_to_a_cell_opens_it_and_a_cell_that_is_not_there_gives_way(run):
    app = open_page("explore", run="two", view="pictures", split="train", stage="head", cell="1,1")
    shown = [app.segmented_control(key=key).value for key in ("matrix_split", "matrix_stage_train")]
    assert [*shown, app.selectbox(key="explore_cell").value] == ["train", "head", "1,1"]
    app.segmented_control(key="matrix_split").set_value("test").run()
    assert app.query_params["split"] in ("test", ["test"])
    app = open_page("explore", run="two", view="pictures", split="nonsense", stage="../x", cell="9,9")
    assert app.segmented_control(key="matrix_split").value == "test"
    assert app.query_params["cell"] in ("0,1", ["0,1"], "1,0", ["1,0"])


def test_what_nobody_chose_is_not_carried_to_another_run(run):
    app = open_page("explore", run="two", view="pictures")
    assert not {"split", "stage", "cell"} & set(app.query_params)
    app.selectbox(key="explore_cell").set_value("1,1").run()
    assert app.query_params["cell"] in ("1,1", ["1,1"])
    assert not {"split", "stage"} & set(app.query_params)


@both
def test_a_picture_is_explained_at_every_stage_and_has_neighbours(lang, run):
    app = open_page("explore", lang=lang, view="pictures")
    name = found_of(run).parts[("finetune", "test")].files[0]
    app.session_state[explore_gallery.PICKED] = name
    app.run()
    assert name in words(app)
    stages = [catalogue(lang)[f"terms.stage_{s}.name"] for s in ("before", "head", "finetune")]
    for stage in stages:
        assert f"<figcaption>{stage}</figcaption>" in words(app), "a Grad-CAM for each stage"
    first = words(app)
    app.segmented_control(key=f"cam_{name}").set_value(0).run()
    other = words(app)
    app.segmented_control(key=f"cam_{name}").set_value(1).run()
    assert len({first, other, words(app)}) == 2, "another class, another map"
    click(app, "near_features")
    assert text(lang, "near_says", stage=stages[-1], count=24) in words(app)


@both
def test_a_wrong_label_is_corrected_where_the_picture_is_looked_at(lang, run, tmp_path):
    app = open_page("explore", lang=lang, view="pictures")
    name = str(found_of(run).parts[("finetune", "test")].files[0])
    app.session_state[explore_gallery.PICKED] = name
    app.run()
    folder = name.split("/")[0]
    other = next(label for label in ("bad", "good") if label != folder)
    choice = app.pills(key="explore_label")
    assert choice.value is None and len(choice.options) == 3, "keep, the other class, leave out"
    choice.set_value(f"as:{other}").run()
    [row] = curation.decided(tmp_path / "pictures")
    assert (row.file, row.decision, row.label) == (name, "relabel", other)
    improve = open_page("improve", lang=lang, run="two")
    improve.segmented_control(key="improve_panel").set_value("decisions").run()
    assert name in words(improve), "the same store"
    app.pills(key="explore_label").set_value(None).run()
    assert curation.decided(tmp_path / "pictures") == []


def test_names_under_pictures_are_whole():
    assert explore_gallery.own_name("def/te_cast_def_0_1059.jpg") == r"te\_cast\_def\_0\_1059.jpg"
    assert len(explore_gallery.own_name("x" * 200)) <= explore_gallery.MAX_NAME


def test_a_training_picture_that_is_gone_makes_room_for_another_and_breaks_nothing(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr(explore_models, "MOST", explore_models.MOST | {"train": 10})
    app = open_page("explore", view="pictures")
    app.session_state[explore_gallery.PICKED] = found_of(run).parts[("finetune", "test")].files[0]
    app.run()
    click(app, "near_features")
    paths = predictions.picture_paths(run)
    sample = explore_models.sample(found_of(run), paths)
    paths[next(name for name, (split, _) in sample.items() if split == "train")].unlink()
    st.cache_data.clear()
    app.run()
    assert not app.exception, app.exception
    assert has(app, "button", "near_features"), "the ten are others now"


def test_a_picture_that_goes_while_it_is_shown_is_said_to_be_gone(run):
    app = open_page("explore", view="pictures")
    name = found_of(run).parts[("finetune", "test")].files[0]
    predictions.picture_paths(run)[name].unlink()
    app.session_state[explore_gallery.PICKED] = name
    app.run()
    assert not app.exception, app.exception
    assert text("en", "pictures_gone") in words(app)


def test_pictures_that_are_gone_leave_names_and_numbers(run, tmp_path):
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    for view in VIEWS:
        app = open_page("explore", view=view)
        assert not app.error
    app = open_page("explore", view="pictures")
    assert text("en", "pictures_gone") in words(app)


@both
def test_the_slider_moves_all_numbers_together(lang, run):
    app = open_page("explore", lang=lang, view="threshold")
    answers = found_of(run).final("test")
    for value in (0.2, 0.8):
        app.slider(key="explore_threshold_two").set_value(value).run()
        now = at_threshold(answers.truth == 1, answers.p[:, 1], value)
        said = text(
            lang, "at_threshold", split=catalogue(lang)["terms.test.name"], name="good",
            found=now.num_found, total=15, missed=now.num_missed, false=now.num_false,
        )  # fmt: skip
        assert said in words(app)
        shown = {metric.label: metric.value for metric in app.metric}
        assert shown[catalogue(lang)["terms.recall.name"]] == percent(now.recall)
        assert shown[catalogue(lang)["terms.f1.name"]] == percent(now.f1)


@both
def test_a_run_that_names_no_class_is_asked_which_one_is_looked_for(lang, run):
    summary = json.loads(run.summary_path.read_text(encoding="utf-8"))
    write_json(run.summary_path, summary | {"positive_class": None})
    app = open_page("explore", lang=lang, view="threshold")
    assert not [slider for slider in app.slider if str(slider.key).startswith("explore_threshold")]
    for index, name in enumerate(("bad", "good")):
        app.segmented_control(key="explore_threshold_two_sought").set_value(name).run()
        assert not app.exception
        assert app.slider(key=f"explore_threshold_two_{index}").label == text(
            lang, "threshold_from", name=name
        )
    click(app, "save_threshold")
    assert decision_rule.read(run).positive_class == "good"


def test_the_cost_chooses_on_validation_alone_and_shows_the_test(run):
    app = open_page("explore", view="threshold")
    app.number_input(key="miss_cost").set_value(10.0).run()
    val = found_of(run).final("val")
    picked = cheapest(val.truth == 1, val.p[:, 1], 10)
    test = found_of(run).final("test")
    assert picked != cheapest(test.truth == 1, test.p[:, 1], 10), "these data can tell the two apart"
    click(app, "cost_take")
    assert app.slider(key="explore_threshold_two").value == pytest.approx(picked)
    click(app, "save_threshold")
    saved = json.loads((run.path / "decision.json").read_text(encoding="utf-8"))
    assert saved["threshold"] == pytest.approx(picked) and saved["positive_class"] == "good"
    assert saved["threshold_from"] == {"split": "val", "num": 40, "miss_cost": 10.0}


@both
def test_what_is_saved_is_used_by_classify_until_it_is_forgotten(lang, run, tmp_path):
    picture = min((tmp_path / "pictures" / "bad").iterdir()).read_bytes()

    def answer():
        app = open_page("classify", lang=lang)
        app.file_uploader(key="upload").set_value([("a.png", picture, "image/png")]).run()
        assert not app.exception
        return app

    for value, label in ((0.001, "good"), (0.999, "bad")):
        app = open_page("explore", lang=lang, view="threshold")
        app.slider(key="explore_threshold_two").set_value(value).run()
        click(app, "save_threshold")
        said = answer()
        assert f"<span>{label}</span>" in words(said).split("<article")[1].split("hs-bar")[1]
        used = catalogue(lang)["classify.decided_threshold"].format(name="good", threshold=percent(value))
        assert any(used in info.value for info in said.info)
    click(open_page("explore", lang=lang, view="threshold"), "forget_threshold")
    assert decision_rule.read(run).is_empty
    assert not answer().info


@both
def test_the_temperature_takes_the_threshold_along(lang, run):
    decision_rule.save(run, DecisionRule(positive_class="good", threshold=0.3))
    app = open_page("explore", lang=lang, view="calibration")
    click(app, "save_temperature")
    saved = decision_rule.read(run)
    assert saved.temperature and saved.temperature != 1
    assert saved.threshold == pytest.approx(
        DecisionRule(positive_class="good", threshold=0.3).warmed(saved.temperature).threshold
    )
    click(app, "forget_temperature")
    assert decision_rule.read(run).temperature is None
    assert decision_rule.read(run).threshold == pytest.approx(0.3)


@pytest.mark.parametrize("saved, shown", [(1e-12, 0.001), (0.9999999, 0.999), (0.25, 0.25)])
def test_a_saved_threshold_beyond_the_slider_stands_at_its_end(run, saved, shown):
    decision_rule.save(run, DecisionRule(positive_class="good", threshold=saved))
    app = open_page("explore", view="threshold")
    assert app.slider(key="explore_threshold_two").value == shown


def test_a_stricter_limit_leaves_more_to_a_person_and_can_be_saved(run):
    app = open_page("explore", view="calibration")
    shares = []
    for limit in (0.5, 0.9):
        app.slider(key="explore_sure_two").set_value(limit).run()
        shares.append(float(app.metric[0].value.rstrip(" %")))
    assert shares[0] == 0 < shares[1]
    click(app, "save_sure")
    assert decision_rule.read(run).sure_from == 0.9


@both
def test_pictures_unlike_training_are_warned_of_with_a_measured_false_alarm_rate(lang, run, tmp_path):
    app = open_page("explore", lang=lang, view="calibration")
    click(app, "novelty_features")
    alarms = text(lang, "novelty_alarms", num="§", total=30, share="§", low="§", high="§").split("§")
    assert all(part.strip() in words(app) for part in alarms[1:2])
    click(app, "save_novelty")
    limit = decision_rule.read(run).far_from
    assert limit > 0 and (run.models / "known_features.npz").is_file()
    # a training picture is near itself; with a limit of nothing every other one is far
    picture = (tmp_path / "pictures" / "bad" / "bad_00.png").read_bytes()
    app = open_page("classify", lang=lang)
    app.file_uploader(key="upload").set_value([("a.png", picture, "image/png")]).run()
    assert catalogue(lang)["classify.far"] not in words(app)
    decision_rule.save(run, DecisionRule(far_from=1e-9))
    app.run()
    assert catalogue(lang)["classify.far"] in words(app)


@both
def test_the_map_stands_still_until_fine_tuning(lang, run):
    app = open_page("explore", lang=lang, view="map")
    click(app, "map_features")

    def points():
        figure = json.loads(
            app.get("plotly_chart")[0].proto.spec or app.get("plotly_chart")[0].proto.figure.spec
        )
        return [trace["x"] for trace in figure["data"][:-1]], figure["layout"]["xaxis"]["range"]

    before, axes = points()
    assert text(lang, "map_still") in words(app)
    app.segmented_control(key="map_stage").set_value("head").run()
    assert points() == (before, axes)
    app.segmented_control(key="map_stage").set_value("finetune").run()
    assert text(lang, "map_moved") in words(app)
    assert points()[1] == axes, "the axes stay"
    app.segmented_control(key="map_method").set_value("tsne").run()
    assert not app.exception


def test_answers_that_were_written_anew_are_read_anew(run):
    assert len(found_of(run).final("test").files) == 30
    write_answers(run, ("bad", "good"), {"train": 12, "val": 20, "test": 10})
    os.utime(run.predictions_path, (2e9, 2e9))
    assert len(found_of(run).final("test").files) == 20


def test_a_picture_that_was_changed_is_shown_as_it_is_now(tmp_path):
    shown = []
    for light in (10, 240):
        cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 20, 3), light, np.uint8))
        os.utime(tmp_path / "a.png", (light, light))
        shown.append(pictures.thumbnail(tmp_path / "a.png", 40))
    assert shown[0] != shown[1]


def test_networks_that_were_trained_anew_are_loaded_and_asked_anew(run, monkeypatch):
    monkeypatch.setattr("tl_core.inference.stage_models.load", lambda run, stage: object())
    monkeypatch.setattr(explore_map.projection, "project", lambda features, method: features)
    names = ("a", "b")
    points, models = [], []
    for time in (2e9, 2e9, 3e9):
        os.utime(run.models / "stage2_best.safetensors", (time, time))
        features = {"finetune": np.full((2, 2), len(points))}
        found = explore_map._points(run, "pca", names, features)
        points.append(found["finetune"][0, 0])
        models.append(explore_models.model(run, "finetune"))
    assert points == [0, 0, 2]
    assert models[0] is models[1] and models[1] is not models[2]


def test_features_of_networks_that_were_trained_anew_are_computed_anew(run):
    app = open_page("explore", view="map")
    click(app, "map_features")
    assert not has(app, "button", "map_features")
    os.utime(run.models / "stage2_best.safetensors", (2e9, 2e9))
    app.run()
    assert has(app, "button", "map_features")


def test_a_damaged_decision_is_an_error_in_words(run):
    (run.path / "decision.json").write_text("{", encoding="utf-8")
    app = open_page("explore", view="threshold")
    assert len(app.error) == 1 and "decision.json" in app.error[0].value


def test_stage_models_that_are_gone_are_said(run):
    for name in ("stage1_best", "stage2_best"):
        (run.models / f"{name}.safetensors").unlink()
    for view in ("map", "calibration"):
        assert text("en", "models_gone") in words(open_page("explore", view=view))
