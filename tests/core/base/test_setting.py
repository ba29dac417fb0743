"""A setting's bounds stand with its field: the record, the command line and its help keep the same ones."""

from __future__ import annotations

from operator import attrgetter

import pytest

from tl_core.base.config import DEFAULT_PRESET, RunConfig, preset, setting_named
from tl_core.base.errors import ConfigError
from tl_core.base.messages import LANGUAGES, catalogue
from tl_core.base.setting import all_settings
from tl_core.base.stages import STAGES
from tl_core.cli.commands import settings
from tl_core.cli.parser import UsageError, build_parser

# what one setting alone may not be: no fine-tuning without blocks, a thousand of them only of a named network
BESIDE = {"unfreeze_blocks": {"finetune": {"epochs": 0}, "backbone": "resnet18"}}
NUMBERS = [
    name for name, one in all_settings(RunConfig).items() if one.low is not None and dict not in one.kinds
]


def by_record(name: str, value: float) -> RunConfig:
    stage, _, own = name.rpartition(".")
    return preset(
        DEFAULT_PRESET, **BESIDE.get(name, {}), **({stage: {own: value}} if stage else {own: value})
    )


def by_command(name: str, value: float) -> RunConfig:
    stage, _, own = name.rpartition(".")
    flag = (f"{STAGES[stage].log_name}-{own}" if stage else own).replace("_", "-")
    beside = ("--stage2-epochs", "0", "--backbone", "resnet18") if name in BESIDE else ()
    return settings(build_parser("en").parse_args(["train", "d", f"--{flag}={value}", *beside]))


@pytest.mark.parametrize("take", [by_record, by_command])
def test_every_number_is_taken_at_its_bounds_and_refused_beyond_them(take):
    for name in NUMBERS:
        one = setting_named(name)
        for value in (one.low, one.high):
            assert attrgetter(name)(take(name, value)) == value, name
        for value in (one.low - one.step, one.high + one.step):
            with pytest.raises((ConfigError, UsageError)) as caught:
                take(name, value)
            assert one.need in str(caught.value) and str(value) in str(caught.value), name


def test_every_choice_is_taken_and_another_refused():
    chosen = {name: one for name, one in all_settings(RunConfig).items() if one.choices}
    assert {"preset", "library", "precision", "head_solver"} <= set(chosen)
    for name, one in chosen.items():
        for value in one.choices:
            assert attrgetter(name)(by_record(name, value) if name != "preset" else preset(value)) == value
        with pytest.raises(ConfigError):
            RunConfig.from_dict({name: "none of them"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_of_training_says_every_range_and_default(language, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    parser = build_parser(language)
    helped = parser._subparsers._group_actions[0].choices["train"].format_help()
    words = catalogue(language)
    for name in NUMBERS:
        one = setting_named(name)
        default = words["setting.default"].format(value=f"{attrgetter(name)(preset(DEFAULT_PRESET)):.10g}")
        unit = words[f"unit.{one.unit}"] if one.unit else ""
        low, high = f"{one.low:.10g}", f"{one.high:.10g}"
        both = words["setting.range"].format(low=low, high=high, unit=unit).strip()
        assert f"({both}; {default})" in helped, name
    assert "help." not in helped, "a missing sentence shows its key"


def test_what_passes_a_bound_comes_back_to_it():
    assert setting_named("finetune.epochs").nearest(1200) == 1000
    assert setting_named("class_weights").nearest({"a": 1001.0, "b": 2.0}) == {"a": 1000, "b": 2.0}
    assert setting_named("precision").nearest("auto") == "auto"
