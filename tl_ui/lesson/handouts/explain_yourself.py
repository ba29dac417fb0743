"""The answer to give the teacher, filled in from a run."""

from __future__ import annotations

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.runs.report.run_facts import Facts, read_facts
from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.lesson import presenter
from tl_ui.lesson.handouts import explanation_text, printable
from tl_ui.widgets import downloads, run_picker


def show() -> None:
    """Choose a run, read its answer, change it, take it along. Without a run: the same with blanks."""
    runs = run_picker.runs_with_results()
    facts: Facts | None = None
    if runs:
        run = run_picker.choose(runs, t("train.run"), "explain_run")
        try:
            facts = read_facts(run) if run else None
        except TlError as error:
            shell.show_error(error)
    else:
        st.info(t("explain.no_run"), icon=":material/edit_note:")
        shell.link("train", t("explain.to_train"), icon=":material/arrow_forward:")
    languages = _languages()
    texts = {}
    for column, language in zip(st.columns(len(languages)), languages, strict=True):
        with column:
            texts[language] = _edit(facts, language)
    _downloads(facts.run if facts else "headswap", texts)


def _languages() -> list[str]:
    """One language, or several side by side."""
    options = [state.language(), *(other for other in state.LANGUAGES if other != state.language())]
    chosen = st.segmented_control(
        t("explain.languages"),
        options,
        format_func=state.LANGUAGES.get,
        default=[options[0]],
        selection_mode="multi",
        key=f"explain_languages_{options[0]}",
        persist_state="session",
    )
    return [language for language in options if language in (chosen or options[:1])]


def _edit(facts: Facts | None, language: str) -> str:
    """The text of one run and language as the person has it by now."""
    written = explanation_text.answer(facts, language)
    run = facts.run if facts else ""
    kept = f"explained_{run}_{language}"
    key = f"explain_text_{run}_{language}"
    # a copy of our own: the widget's value is gone once another page has been shown
    text = st.text_area(
        t("explain.your_text", language=state.LANGUAGES[language]),
        value=st.session_state.get(kept, written),
        height=presenter.chart_px(520, 320),
        max_chars=8000,
        key=key,
    )
    if text != written:
        st.session_state[kept] = text
        st.button(
            t("explain.anew"),
            key=f"anew_{run}_{language}",
            icon=":material/undo:",
            type="tertiary",
            on_click=_forget,
            args=(kept, key, written),
        )
    else:
        st.session_state.pop(kept, None)
    return text


def _forget(kept: str, key: str, written: str) -> None:
    st.session_state.pop(kept, None)
    st.session_state[key] = written


def _downloads(name: str, texts: dict[str, str]) -> None:
    title = t("explain.title")
    bodies = {
        language: f"<h1>{explanation_text.words_in(language)('explain.title')}</h1>"
        + explanation_text.as_html(text)
        for language, text in texts.items()
    }
    with st.container(horizontal=True, key="explain_downloads"):
        downloads.button(
            t("explain.as_page"),
            printable.document(title, bodies, f"{name} · Headswap"),
            f"{name}-explained.html",
            key="explain_html",
            icon=":material/print:",
            type="primary",
        )
        text = "\n\n".join(texts.values())
        downloads.button(t("explain.as_text"), text, f"{name}-explained.txt", key="explain_txt")
    st.caption(t("explain.print_how"))
