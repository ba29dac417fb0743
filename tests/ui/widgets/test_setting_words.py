"""A setting's value in words."""

from __future__ import annotations

from tl_core.base.config import RunConfig
from tl_core.base.setting import all_settings
from tl_ui.widgets import setting_words


def test_pictures_per_class_of_nought_are_said_to_be_none_filled_up():
    assert setting_words.value("target_per_class", 0) == "not filled up"
    assert setting_words.value("target_per_class", 500) == "500"
    assert setting_words.value("seed", 0) == "0"


def test_every_setting_that_two_runs_may_differ_in_has_a_name():
    for setting in all_settings(RunConfig):
        assert setting_words.name(setting)


def test_a_choice_is_called_what_the_train_page_calls_it():
    assert setting_words.value("batchnorm", "kept") == "Kept from pre-training"
    assert setting_words.value("library", "timm") == "timm"
