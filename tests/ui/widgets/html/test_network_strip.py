"""Any network's parts have names on the pages, and no sentence takes one network for granted."""

from __future__ import annotations

import re

import pytest

from tl_core.models.families.registry import ARCHITECTURES
from tl_ui.frame.text import catalogue
from tl_ui.lesson.quiz import bank
from tl_ui.widgets.html.network_strip import last_units, network_of, part_names, strip, units_of

FIXED = re.compile(r"1,?280|1,281,000|2,?562|seven|일곱|blocks\.\d|\bB0\b|7 × 7")
"""What is true of EfficientNet alone, or of B0 alone."""
OWNER = re.compile(r"EfficientNet|Lite0|guide|안내서", re.IGNORECASE)
"""A sentence that says so may say it."""


@pytest.mark.parametrize("backbone", ARCHITECTURES)
def test_every_part_of_every_network_has_a_name_of_its_own(backbone):
    names = part_names(units_of(backbone))
    assert (
        len(set(names.values()))
        == len(names)
        == ARCHITECTURES[backbone].num_units + (3 if ARCHITECTURES[backbone].family.neck else 2)
    )
    assert list(names)[0] == "stem" and list(names)[-1] == "classifier"


def test_groups_stages_and_blocks_are_counted_from_one():
    assert part_names(units_of("efficientnet_b0"))["blocks.0"] == "Group 1"
    assert part_names(units_of("resnet18"))["layer1"] == "Stage 1"
    assert part_names(units_of("vit_base_patch16_224"))["blocks.11"] == "Block 12"
    assert last_units("resnet18", 1, "explain") == "the last 1 of 4 stages"


def test_a_run_of_before_there_was_a_choice_is_shown_as_b0():
    assert network_of({}) == network_of({"weights_used": {"source": "formula"}}) == "efficientnet_b0"
    assert part_names({}) == part_names(units_of("efficientnet_b0"))


def test_the_strip_marks_what_learns_in_any_network():
    html = strip(units_of("resnet18"), ["layer4", "classifier"], {"layer4": 8_393_728})
    assert html.count('class="learns"') == 2 and html.count('class="frozen"') == 4
    assert "Stage 4: learns now · 8,393,728 numbers" in html


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_number_of_one_network_is_said_with_whose_it_is(lang):
    said = dict(catalogue(lang))
    for question in bank.questions(lang):
        # the answers of a question are read under its prompt
        said[f"quiz {question.id}"] = " ".join([question.prompt, question.right, question.code])
    lone = {key: text for key, text in said.items() if FIXED.search(text) and not OWNER.search(text)}
    assert lone == {}
