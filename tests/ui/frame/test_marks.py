"""No sentence shows the marks that were to make it bold, wherever Markdown is read or not."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from tests.ui.explorable_run import explorable_run
from tests.ui.open_page import open_page
from tl_ui.frame.steps import PAGES
from tl_ui.frame.text import catalogue

VALUES = ("90.0 %", "(a)", "3")
"""What placeholders come to: Markdown closes bold after a letter, and not between "%" and one."""


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_sentence_that_is_bold_stays_so_with_any_value(lang):
    markdown = MarkdownIt("commonmark")
    broken = set()
    for key, sentence in catalogue(lang).items():
        for value in VALUES:
            filled = re.sub(r"\{[a-z_]+[^}]*\}", value, sentence)
            text = re.sub(r"<code>.*?</code>", "", markdown.render(filled), flags=re.S)
            if "**" in text:
                broken.add(key)
    assert not broken


def unread(app) -> list[str]:
    """Words on the page that no Markdown reads."""
    bodies = [element.proto.body for element in app.get("html")]
    # style rules and comments are no words
    bodies = [re.sub(r"<style>.*?</style>", "", body, flags=re.S) for body in bodies]
    texts = [element.value for element in app.text]
    options = [option for box in app.selectbox for option in box.options]
    return [words for words in (*bodies, *texts, *options) if "**" in words or re.search(r"\\[_*\[]", words)]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_no_page_shows_a_mark_where_markdown_is_not_read(lang, own_runs_folder, tmp_path):
    explorable_run(own_runs_folder / "my_run", tmp_path / "my_pictures")
    found = {name: unread(open_page(name, lang=lang, run="my_run")) for name in PAGES}
    for view in ("pictures", "threshold", "calibration", "map"):
        found[view] = unread(open_page("explore", lang=lang, run="my_run", explore_view=view))
    assert not {name: words for name, words in found.items() if words}
