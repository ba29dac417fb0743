"""What the address bar or the session names and this computer does not have: said on every page, never
swapped for something else.
"""

from __future__ import annotations

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.base.files.paths import runs_dir
from tl_core.runs import trash
from tl_ui.frame import state
from tl_ui.frame.text import error_text, literal, t


def say() -> None:
    """A note for the run and one for the pictures, each with what can be done about it."""
    run = state.read("run")
    if run and state.chosen_run() is None:
        thrown = [thrown.name for thrown, _ in trash.list_thrown_away(runs_dir())]
        _note("run", "runs.thrown_away" if run in thrown else "runs.gone", run, can_restore=run in thrown)
    data = state.read("data")
    if data and state.chosen_data() is None:
        _note("data", "runs.data_gone", data, can_restore=False)


def _note(what: str, words: str, name: str, can_restore: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"missing_{what}"):
        st.warning(t(words, name=literal(name)), icon=":material/search_off:")
        if can_restore:
            st.button(t("runs.restore"), key="restore_missing", on_click=_restore, args=(name,))
        st.button(t("runs.forget"), key=f"forget_{what}", on_click=state.keep, args=(what, None))


def _restore(name: str) -> None:
    try:
        trash.restore(runs_dir(), name)
    except TlError as error:
        st.toast(error_text(error), icon=":material/error:")
