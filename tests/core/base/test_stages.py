"""The table of stages: each row is whole, and every recipe is made of its rows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from tl_core.base.config import PRESETS_NAMES, RunConfig, preset
from tl_core.base.messages import LANGUAGES, say
from tl_core.base.stages import STAGES

RECORDED = Path(__file__).parents[3] / "tl_ui" / "lesson" / "recorded" / "transfer" / "config.json"


def test_stages_are_counted_from_one_and_each_learns_more_by_smaller_steps():
    rows = list(STAGES.values())
    assert [row.number for row in rows] == [1, 2, 3]
    assert [row.num_units(3, 7) for row in rows] == [0, 3, 7]
    rates = [row.learning_rate for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert [row.best_file for row in rows] == ["stage1_best", "stage2_best", "stage3_best"]


def test_every_stage_is_a_setting_and_has_its_words_in_every_language():
    for name in STAGES:
        assert name in {field.name for field in dataclasses.fields(RunConfig)}
        for language in LANGUAGES:
            for key in (f"report.stage_{name}", f"help.stage{STAGES[name].number}_epochs"):
                assert say(key, language) != key, (key, language)


def test_only_the_gradual_recipe_has_a_third_stage():
    stages = {name: list(preset(name).stages) for name in PRESETS_NAMES}
    assert stages.pop("gradual") == ["head", "finetune", "whole"]
    assert set(map(tuple, stages.values())) == {("head", "finetune")}


def test_settings_of_a_run_from_before_there_was_a_third_are_two_stages():
    known = {field.name for field in dataclasses.fields(RunConfig)}
    values = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert "whole" not in values
    config = RunConfig.from_dict({name: value for name, value in values.items() if name in known})
    assert list(config.stages) == ["head", "finetune"] and config.trains_backbone
