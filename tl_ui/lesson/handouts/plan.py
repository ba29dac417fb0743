"""The lesson plan for 45 or 90 minutes, to read and to print. Its source are the two files in `docs/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from tl_core.base.files.paths import app_dir
from tl_ui.frame import state
from tl_ui.frame.text import t
from tl_ui.lesson.handouts import printable
from tl_ui.widgets import choice, downloads

DOCS = app_dir() / "docs"
MINUTES = ("45", "90")


def show() -> None:
    """Choose the length, read the plan, take it along."""
    language = state.language()
    with st.container(horizontal=True, vertical_alignment="bottom", key="plan_bar"):
        minutes = choice.one_of(
            "plan_minutes",
            t("plan.length"),
            MINUTES,
            lambda length: t("plan.minutes", count=length),
            is_kept=True,
            is_labelled=True,
        )
        text = plan(language, minutes or MINUTES[0])
        downloads.button(
            t("plan.print"),
            printable.document(text.splitlines()[0].lstrip("# "), {language: as_html(text)}, "Headswap"),
            f"headswap-lesson-{minutes}-{language}.html",
            key="plan_html",
            icon=":material/print:",
        )
    with st.container(border=True, key="card_plan"):
        # the page has its title already
        st.markdown(text.partition("\n")[2])


def file_of(language: str) -> Path:
    """The file in the language, or the one without a language in its name."""
    own = DOCS / f"lesson-plan.{language}.md"
    return own if own.is_file() else DOCS / "lesson-plan.md"


@cache
def plan(language: str, minutes: str) -> str:
    """The Markdown of one language without the timetable of the other length."""
    intro, *parts = file_of(language).read_text(encoding="utf-8").split("\n## ")
    others = tuple(other for other in MINUTES if other != minutes)
    return "\n## ".join([intro, *(part for part in parts if not part.startswith(others))])


@cache
def as_html(text: str) -> str:
    """The plan as HTML; raw HTML in it stays text."""
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
