"""What the lesson shows is read off the real thing: code, counts, parts, maps, story, settings of a retry."""

from __future__ import annotations

import inspect
import shutil

import numpy as np
import pytest

from tests.ui.run_folder_builder import RunBuilder
from tl_core.base import events as ev
from tl_core.base.config import RunConfig, preset
from tl_core.runs.event_log import EventLog
from tl_ui.frame.text import catalogue
from tl_ui.frame.theme import LIGHT
from tl_ui.lesson import path, presenter
from tl_ui.lesson.page import idea_of
from tl_ui.lesson.parts import person_data
from tl_ui.lesson.parts.code_view import excerpt, without_docstring
from tl_ui.lesson.parts.network import map_tiles
from tl_ui.lesson.parts.runs import recorded_runs as recorded
from tl_ui.lesson.parts.runs.race_chart import Runner, race, rows
from tl_ui.lesson.parts.runs.story import story
from tl_ui.lesson.steps import freeze, labels, two_stages, which_model
from tl_ui.screens.train import again
from tl_ui.stores.runs.run_view import epoch_rows, fold
from tl_ui.stores.sets import datasets
from tl_ui.widgets.downloads import to_csv


def english(key: str, **values) -> str:
    return catalogue("en")[key].format(**values)


IDEAS = [place for place in path.PLACES if place.idea != path.QUIZ]


def test_the_code_behind_an_idea_is_found_in_the_running_source(subtests):
    for place in IDEAS:
        for name in idea_of(place).code:
            with subtests.test(step=place.step, idea=place.idea, code=name):
                found = excerpt(name)
                assert found.text.lstrip().startswith(("def ", "class ", "@"))
                assert len(found.text.splitlines()) < 90


def test_every_step_shows_some_code():
    for step in path.STEPS:
        if step != "explain":
            assert any(idea_of(place).code for place in IDEAS if place.step == step), step


def test_code_is_shown_without_its_docstring_and_otherwise_as_it_is():
    source = inspect.getsource(freeze.freeze_map.__wrapped__)
    shown = without_docstring(source)
    assert '"""' not in shown
    assert set(shown.splitlines()) <= set(source.splitlines())


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "efficientnet_b0"])
def test_the_table_of_models_has_the_parameters_that_are_counted_now(name):
    row = next(row for row in which_model.models() if row["timm"] == name)
    assert which_model.count(name) == row["parameters"]


def test_published_accuracies_are_those_that_torchvision_states():
    from torchvision import models

    stated = models.EfficientNet_B0_Weights.IMAGENET1K_V1.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert next(row for row in which_model.models() if row["name"] == "EfficientNet-B0")["top1"] == stated


@pytest.mark.parametrize("backbone", ["efficientnet_b0", "tf_efficientnet_lite0"])
@pytest.mark.parametrize("blocks", [0, 3, 7])
def test_the_freeze_map_fixes_batchnorm_exactly_where_nothing_learns(blocks, backbone):
    found = freeze.freeze_map(blocks, backbone)
    assert len(found) == 10
    for row in found:
        assert row.num_batchnorms == 0 or row.is_batchnorm_fixed is not row.is_trainable
    assert sum(row.is_trainable for row in found) == {0: 1, 3: 5, 7: 10}[blocks]


def test_recorded_changes_are_zero_where_the_recorded_run_was_frozen():
    for name in recorded.NAMES:
        started = {e.stage: e for e in recorded.events(name) if e.kind == "stage_started"}
        for stage, parts in recorded.changes(name).items():
            for part in parts:
                is_frozen = part["part"] in started[stage].frozen_parts
                assert (part["num_changed"] == 0) == is_frozen, (name, stage, part["part"])
                assert not is_frozen or part["num_statistics_changed"] == 0


def test_the_library_numbers_the_classes_of_the_guide_by_the_alphabet():
    assert labels.class_to_idx(("ok_front", "def_front")) == {"def_front": 0, "ok_front": 1}


def test_the_colour_scale_of_feature_maps_is_fixed():
    low, high = map_tiles.tile(np.full((2, 2), 3.0)), map_tiles.tile(np.full((2, 2), 99.0))
    assert low == high, "beyond the end of the scale nothing gets stronger"
    assert map_tiles.tile(np.zeros((2, 2))) != low


def test_a_replay_grows_epoch_by_epoch_on_axes_that_stay():
    runner = Runner(fold(recorded.events("transfer")), "transfer", "#000000", "solid")
    early, late = (race([runner], upto, LIGHT, english) for upto in (2, 13))
    assert len(early["data"][0]["x"]) == 2 and len(late["data"][0]["x"]) == 13
    assert early["layout"]["xaxis"]["range"] == late["layout"]["xaxis"]["range"]
    assert len(rows([runner], english)) == runner.num_epochs


def test_the_story_gives_the_reason_for_a_lower_rate_and_tells_a_row_of_bests_once():
    best = [ev.NewBest(stage="head", epoch=n, val_loss=1 / n, val_accuracy=0.5) for n in (1, 2, 3)]
    drop = ev.LearningRateReduced(stage="head", epoch=7, before=1e-3, after=1e-4, patience=3)
    lines = story([*best, drop], english)
    assert [line.epoch for line in lines] == [3, 7]
    assert "divided by 10" in lines[1].text and "3 epochs" in lines[1].text


def test_the_story_of_a_run_of_one_stage_compares_no_stages():
    def told(*stages):
        begun = [
            ev.StageStarted(
                stage=stage, epochs=1, learning_rate=1e-3, trainable_parts=[], frozen_parts=[], parameters={},
                num_trainable=1, num_parameters=2, feed="cached", feed_why="saves_work", views=1,
            )
            for stage in stages
        ]  # fmt: skip
        return story([*begun, ev.RunEnded(final_stage="head", run_seconds=1.0)], english)[-1].text

    assert told("head") == english("lesson_story.ended_only")
    assert told("head", "finetune") == english("lesson_story.ended_head")


def test_an_own_runs_pictures_stand_before_the_practice_castings(own_runs_folder, tmp_path, monkeypatch):
    ants = datasets.DataChoice("ants", "folder", "ants", tmp_path / "ants")
    monkeypatch.setattr(datasets, "own", lambda: [ants])
    monkeypatch.setattr(person_data.state, "read", lambda name: None)
    run = RunBuilder(own_runs_folder / "mine", data=tmp_path / "ants").let_go().run
    gone = RunBuilder(own_runs_folder / "gone", data=tmp_path / "gone").let_go().run
    assert person_data.of_run(run) == ants
    assert person_data.of_run(gone) is None, "nothing stands in for pictures that are not known"
    assert person_data.choice() in (ants, datasets.find(person_data.PRACTICE))
    shutil.rmtree(gone.path)
    assert person_data.choice() == ants


def test_a_retry_keeps_the_runs_settings_and_changes_what_was_advised():
    config = preset("casting", unfreeze_blocks=2, weights="file:a.safetensors").to_dict()
    found = again.settings(config, {"dropout": 0.6, "finetune.epochs": 5, "class_weights": {"a": 2.0}})
    assert found["dropout"] == 0.6 and found["finetune.epochs"] == 5 and found["unfreeze_blocks"] == 2
    assert found["use_class_weights"] and found["class_weight.a"] == 2.0
    assert (found["weights"], found["weights_file"]) == ("file", "a.safetensors")
    assert found["strategy"] == "last"


def test_a_retry_of_a_head_only_run_stays_head_only():
    config = RunConfig.from_dict({"finetune": {"epochs": 0}, "unfreeze_blocks": 0}).to_dict()
    assert again.settings(config, {})["strategy"] == "head"


def test_a_retry_of_a_run_from_before_a_setting_existed_takes_its_default():
    config = RunConfig().to_dict()
    del config["use_decisions"]
    assert again.settings(config, {})["use_decisions"] is True


def test_numbers_are_taken_away_in_a_form_that_spreadsheets_read():
    written = to_csv([{"part": "줄기", "n": 1}])
    assert written.decode("utf-8-sig").splitlines() == ["part,n", "줄기,1"]


def test_a_chart_for_the_projector_has_larger_letters_and_nothing_else(monkeypatch):
    monkeypatch.setattr(presenter, "is_on", lambda: True)
    layout = {"font": {"size": 10}, "xaxis": {"tickfont": {"size": 20}}}
    figure = {"data": [{"marker": {"size": 10}}], "layout": layout}
    found = presenter.sized(figure)
    assert found["layout"] == {"font": {"size": 13}, "xaxis": {"tickfont": {"size": 26}}}
    assert found["data"] == figure["data"]


def test_the_epochs_of_a_run_are_counted_as_its_words_count_them(tmp_path, monkeypatch):
    """In the table to take away and on the chart of the rate: each stage from 1, "the best was epoch 2"."""
    monkeypatch.setattr("tl_ui.frame.state.language", lambda: "en")
    built = RunBuilder(tmp_path / "run").start().epochs("head", 15).stage_end("head").epochs("finetune", 2)
    view = fold(EventLog(built.run.events_path).read())
    rows = epoch_rows(view)
    last = [(row["stage"], row["epoch"], row["epoch_of_run"]) for row in rows[-2:]]
    assert last == [("finetune", 1, 16), ("finetune", 2, 17)]
    chart = two_stages.rate_chart(rows, view)
    assert chart["data"][0]["text"][-1].startswith("2: ")
    assert all(word.isdigit() for word in chart["layout"]["xaxis"]["ticktext"])
