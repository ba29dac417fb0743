"""docs/seed-map.md: every section of the two guides has a place in the app, and the places exist."""

from __future__ import annotations

import re
from pathlib import Path

from tl_ui.frame.steps import PAGES
from tl_ui.lesson.path import QUIZ, STEPS

ROOT = Path(__file__).resolve().parents[3]
LINES = (ROOT / "docs" / "seed-map.md").read_text(encoding="utf-8").splitlines()
ROWS = [line for line in LINES if line.startswith("| ") and not line.startswith("| section")]
ANCHOR = re.compile(r"`(lesson|page|file):([^`]+)`")


def exists(kind: str, name: str) -> bool:
    if kind == "page":
        return name in PAGES and (ROOT / PAGES[name]).is_file()
    if kind == "file":
        return (ROOT / name).is_file()
    step, _, idea = name.partition("/")
    return idea in STEPS.get(step, ())


def test_each_section_has_places_that_exist():
    places = {row: ANCHOR.findall(row.strip("|").rsplit("|", 1)[1]) for row in ROWS}
    assert [row for row, found in places.items() if not found] == []
    assert [place for found in places.values() for place in found if not exists(*place)] == []


def test_both_guides_are_mapped_and_every_step_of_the_lesson_is_theirs():
    assert sum(line.startswith("## ") for line in LINES) == 2 and len(ROWS) > 30
    named = {name.partition("/")[0] for kind, name in ANCHOR.findall("\n".join(ROWS)) if kind == "lesson"}
    assert named == set(STEPS)


def test_every_idea_of_the_lesson_comes_from_a_guide():
    named = {name for kind, name in ANCHOR.findall("\n".join(ROWS)) if kind == "lesson"}
    ours = {f"{step}/{idea}" for step, ideas in STEPS.items() for idea in ideas if idea != QUIZ}
    assert ours - named == set()
