"""A setting's value in words."""

from __future__ import annotations

from tl_ui.widgets import setting_words


def test_pictures_per_class_of_nought_are_said_to_be_none_filled_up():
    assert setting_words.value("target_per_class", 0) == "not filled up"
    assert setting_words.value("target_per_class", 500) == "500"
    assert setting_words.value("seed", 0) == "0"
