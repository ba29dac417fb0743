"""The lesson plan: the same plan in both languages, minutes that add up, pages and commands that exist."""

from __future__ import annotations

import re

import pytest

from tests.ui.open_page import words
from tests.ui.part import part
from tl_ui.frame.text import catalogue
from tl_ui.lesson.handouts.plan import MINUTES, as_html, file_of, plan
from tl_ui.lesson.quiz import bank

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ko"])
LENGTHS = pytest.mark.parametrize("minutes", MINUTES)


def source(lang):
    return file_of(lang).read_text(encoding="utf-8")


def timetable(lang, minutes):
    """(first minute, last minute, step) of each row."""
    rows = re.findall(r"^\| (\d+)–(\d+) \| (\d) ", plan(lang, minutes), re.MULTILINE)
    return [tuple(map(int, row)) for row in rows]


@LANGUAGES
@LENGTHS
def test_the_minutes_follow_each_other_and_fill_the_lesson(lang, minutes):
    rows = timetable(lang, minutes)
    assert rows[0][0] == 0 and rows[-1][1] == int(minutes)
    assert all(before[1] == after[0] for before, after in zip(rows, rows[1:], strict=False))
    steps = [row[2] for row in rows]
    assert steps == sorted(steps) and steps[0] == 1 and steps[-1] == 9
    if minutes == "90":
        assert steps == list(range(1, 10))


@LENGTHS
def test_both_languages_have_the_same_timetable(minutes):
    assert timetable("en", minutes) == timetable("ko", minutes)


def test_both_languages_have_the_same_parts():
    def outline(lang):
        return [line.count("#") for line in source(lang).splitlines() if line.startswith("#")]

    assert outline("en") == outline("ko")
    for mark in (r"^- ", r"^\| "):
        assert len(re.findall(mark, source("en"), re.M)) == len(re.findall(mark, source("ko"), re.M))


@LANGUAGES
@LENGTHS
def test_only_the_chosen_length_is_shown(lang, minutes):
    text = plan(lang, minutes)
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sum(title.startswith(minutes) for title in titles) == 1
    assert not any(title.startswith(other) for title in titles for other in MINUTES if other != minutes)
    assert len(titles) == 6


@LANGUAGES
def test_what_the_plan_says_about_the_app_is_true(lang):
    text = source(lang)
    assert re.search(rf"\b{len(bank.questions('en'))}\D", text), "the number of questions"
    assert f"**{catalogue(lang)['quiz.keep']}**" in text, "the button is called so"
    for page in ("lesson", "start", "compare"):
        assert catalogue(lang)[f"shell.page_{page}"] in text


@LANGUAGES
def test_the_page_shows_the_plan_and_turns_to_the_longer_one(lang):
    app = part("handouts.plan.show()", lang)
    assert "| 40–45 |" in words(app) and "| 80–90 |" not in words(app)
    app.segmented_control(key="plan_minutes").set_value("90").run()
    assert not app.exception
    assert "| 80–90 |" in words(app) and "| 40–45 |" not in words(app)
    assert app.download_button[0].key == "plan_html"


@LANGUAGES
@LENGTHS
def test_the_printed_plan_has_its_tables_and_no_foreign_html(lang, minutes):
    html = as_html(plan(lang, minutes))
    assert html.count("<table>") == 2 and html.count("<h2>") == 6
    assert "<script>" not in as_html("<script>alert(1)</script>")
