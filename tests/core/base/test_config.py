"""Settings: the guides' numbers, and values that cannot be are refused by name."""

from __future__ import annotations

import dataclasses

import pytest

from tl_core.base.config import PRESETS_NAMES, RunConfig, StageConfig, preset, read_toml
from tl_core.base.errors import ConfigError


def test_the_expression_preset_holds_the_numbers_of_its_guide():
    config = preset("expression")
    assert (config.library, config.dropout, config.batch_size, config.weight_decay) == ("timm", 0.3, 32, 1e-4)
    assert (config.head, config.finetune) == (StageConfig(15, 1e-3), StageConfig(20, 1e-4))
    assert (config.unfreeze_blocks, config.target_per_class, config.positive_weight) == (3, 250, 2.0)
    assert (config.schedule, config.scheduler_patience) == ("plateau", 3)
    assert (config.batchnorm, config.label_smoothing) == ("measured", 0)


def test_the_casting_preset_holds_the_numbers_of_its_guide():
    config = preset("casting")
    assert (config.library, config.dropout, config.head) == ("torchvision", 0.5, StageConfig(10, 1e-3))


@pytest.mark.parametrize("name", PRESETS_NAMES)
def test_settings_survive_being_written_down(name):
    config = preset(name, class_weights={"a": 1, "b": 2.5}, positive_class="a")
    assert RunConfig.from_dict(config.to_dict()) == config


def test_a_stage_given_in_part_keeps_the_presets_other_numbers():
    assert preset("casting", head={"epochs": 2}).head == StageConfig(2, 1e-3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("seed", 2**32),
        ("seed", "a"),
        ("seed", 1.0),
        ("weights", 3),
        ("device", 3),
        ("head", 5),
        ("preset", ["casting"]),
        ("class_weights", 3),
        ("class_weights", {"a": "much"}),
        ("class_weights", {"a": 0}),
        ("augment", "no"),
        ("batch_size", 2.5),
        ("batch_size", True),
        ("dropout", "much"),
        ("dropout", 1.0),
        ("image_px", 16),
        ("views", -1),
        ("precision", "int8"),
        ("device", "gpu"),
        ("device", "cuda0"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_its_setting_named(name, value):
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_dict({name: value})
    assert caught.value.values["name"] == name
    assert str(caught.value.values["value"]) == str(value)


@pytest.mark.parametrize(("name", "value"), [("epochs", 1.5), ("epochs", -1), ("learning_rate", "fast")])
def test_a_stages_value_that_cannot_be_is_refused_and_named(name, value):
    with pytest.raises(ConfigError) as caught:
        preset("expression", head={name: value})
    assert caught.value.values["name"] == name


def test_an_unknown_setting_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        preset("expression", epochs=3)
    assert all(field.name in str(caught.value) for field in dataclasses.fields(RunConfig))


def test_training_nothing_is_refused():
    with pytest.raises(ConfigError):
        preset("expression", head={"epochs": 0}, finetune={"epochs": 0})
    with pytest.raises(ConfigError):
        preset("expression", unfreeze_blocks=0)


@pytest.mark.parametrize(("val", "test"), [(0.5, 0.5), (0.5, 0.35), (0.35, 0.5)])
def test_shares_that_leave_too_little_to_train_on_are_refused(val: float, test: float):
    with pytest.raises(ConfigError, match="val_fraction") as caught:
        preset("expression", val_fraction=val, test_fraction=test)
    assert caught.value.values["name"] == "test_fraction"


@pytest.mark.parametrize(("val", "test"), [(0.5, 0.3), (0.3, 0.5), (0.45, 0.35), (0.4, 0.4), (0.5, 0)])
def test_shares_up_to_four_fifths_are_taken(val: float, test: float):
    assert preset("expression", val_fraction=val, test_fraction=test).test_fraction == test


def test_a_settings_file_that_is_no_toml_is_named(tmp_path):
    file = tmp_path / "설정.toml"
    file.write_text("seed = = 3", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_toml(file)
    assert "설정.toml" in str(caught.value)


@pytest.mark.parametrize(
    "values", [{"positive_weight": float("inf")}, {"class_weights": {"a": float("inf")}}]
)
def test_an_infinite_weight_is_refused(values):
    with pytest.raises(ConfigError):
        preset("casting", **values)
