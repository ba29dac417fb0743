"""Explain it yourself: filled in from a run, changed by hand, taken along."""

from __future__ import annotations

import pytest

from tests.ui.open_page import has, words
from tests.ui.part import part
from tests.ui.run_folder_builder import finished_run
from tl_core.runs.report.run_facts import read_facts
from tl_ui.frame import shell
from tl_ui.frame.text import catalogue
from tl_ui.lesson.handouts import explanation_text, printable
from tl_ui.lesson.handouts.explanation_text import BLANK, answer

pytestmark = pytest.mark.parametrize("lang", ["en", "ko"])
CALL = "handouts.explain_yourself.show()"


def other(lang):
    return "en" if lang == "ko" else "ko"


def test_the_text_is_filled_in_from_the_run(lang, own_runs_folder):
    run = finished_run(own_runs_folder / "done")
    app = part(CALL, lang)
    assert app.text_area[0].value == answer(read_facts(run), lang)
    assert [button.key for button in app.download_button] == ["explain_html", "explain_txt"]


def test_both_languages_can_stand_side_by_side(lang, own_runs_folder):
    run = finished_run(own_runs_folder / "done")
    app = part(CALL, lang)
    app.segmented_control(key=f"explain_languages_{lang}").set_value([lang, other(lang)]).run()
    assert not app.exception
    facts = read_facts(run)
    assert [area.value for area in app.text_area] == [answer(facts, lang), answer(facts, other(lang))]


def test_what_is_changed_stays_and_can_be_written_anew(lang, own_runs_folder):
    finished_run(own_runs_folder / "done")
    app = part(CALL, lang)
    written = app.text_area[0].value
    assert not has(app, "button", f"anew_done_{lang}")
    app.text_area[0].set_value("My own words.").run()
    app.run()
    assert app.text_area[0].value == "My own words."
    app.button(key=f"anew_done_{lang}").click().run()
    assert app.text_area[0].value == written
    assert not has(app, "button", f"anew_done_{lang}")


def test_another_run_has_a_text_of_its_own(lang, own_runs_folder):
    finished_run(own_runs_folder / "one")
    finished_run(own_runs_folder / "two", classes=("a", "b", "c"))
    app = part(CALL, lang)
    texts = []
    for name in ("one", "two"):
        app.selectbox(key="explain_run").set_value(name).run()
        texts.append(app.text_area[0].value)
    assert "Linear(1280, 2)" in texts[0] and "Linear(1280, 3)" in texts[1]


def test_without_a_run_it_says_what_is_missing_and_shows_blanks(lang, monkeypatch):
    monkeypatch.setattr(shell, "link", lambda *_, **__: None)  # a part alone knows no other pages
    app = part(CALL, lang)
    assert catalogue(lang)["explain.no_run"] in words(app)
    assert app.text_area[0].value.count(BLANK) > 20


def test_a_damaged_run_is_a_sentence_not_a_crash(lang, own_runs_folder):
    run = finished_run(own_runs_folder / "done")
    run.summary_path.write_text("{", encoding="utf-8")
    app = part(CALL, lang)
    assert "summary.json" in app.error[0].value
    assert BLANK in app.text_area[0].value


def test_the_printed_page_needs_nothing_else_and_is_set_for_a4(lang, own_runs_folder):
    facts = read_facts(finished_run(own_runs_folder / "done"))
    bodies = {one: explanation_text.as_html(answer(facts, one)) for one in (lang, other(lang))}
    html = printable.document("A & B", bodies, "done")
    assert "size: A4" in html and "<title>A &amp; B</title>" in html
    assert html.count("<article") == 2 and f'<html lang="{lang}">' in html
    for outside in ("http", "src=", "<link", "<script", "@import"):
        assert outside not in html
    assert html.count("<h2>") == 12
