"""The pictures that somebody has brought here: to pick again, rename, enlarge and delete.

On the machine itself all of them are listed, in any tab and after a restart. Another browser of a class sees
those that it brought and those of its own session: an upload is found by an id that nobody can guess, and a
list would give it away.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data.layouts.file_kinds import EXTENSIONS
from tl_ui.frame import shell, state, visitor
from tl_ui.frame.text import data_name, literal, number, t
from tl_ui.stores.sets import datasets, overview, upload_limits
from tl_ui.stores.sets.datasets import DataChoice

_SEEN = "own_sets"
"""Session state: ids that this browser has chosen."""


def remember() -> None:
    """Note the chosen set as one of this browser's. Called by the pages that list them."""
    if (choice := state.chosen_data()) and choice.kind != "sample":
        st.session_state.setdefault(_SEEN, set()).add(choice.id)
        datasets.note_use(choice)


def listed() -> list[DataChoice]:
    """The latest first."""
    if visitor.is_owner():
        return datasets.own()
    brought = datasets.sent_by(number) if (number := visitor.browser()) else []
    seen = st.session_state.get(_SEEN, set()).union(brought)
    return [choice for choice in datasets.own() if choice.id in seen]


def show(choices: list[DataChoice]) -> None:
    """One row a set; what was deleted last can be had back."""
    if any(choice.kind == "upload" for choice in choices):
        st.caption(t("runs.sets_age", days=upload_limits.UNUSED_DAYS, kept=datasets.KEPT_DAYS))
    for choice in choices:
        with st.container(horizontal=True, vertical_alignment="center", key=f"set_{choice.id}"):
            st.html(_row(choice), width="stretch")
            is_chosen = state.read("data") == choice.id
            words = t("runs.set_chosen" if is_chosen else "runs.set_use")
            if st.button(words, key=f"pick_{choice.id}", disabled=is_chosen):
                st.session_state["is_choosing_data"] = False
                shell.go("data", data=choice.id)
            manage(choice)
    _undo()


def _row(choice: DataChoice) -> str:
    return (
        f'<div class="hs-row"><b>{escape(data_name(choice))}</b><span>{escape(_about(choice))}</span></div>'
    )


def _about(choice: DataChoice) -> str:
    """What is in it, by its folders."""
    assert choice.path is not None
    try:
        dataset = overview.scanned(choice.path)
    except TlError:
        return t("runs.set_unreadable")
    counts = " · ".join(f"{name} {number(count)}" for name, count in list(dataset.counts().items())[:4])
    words = f"{t('data.count', count=number(len(dataset.pictures)))}: {counts}"
    return words if choice.kind == "folder" else f"{words} · {number(upload_limits.megabytes(choice.id))} MB"


def manage(choice: DataChoice, can_enlarge: bool = False) -> None:
    """The menu of one set, for the owner and for the browser that brought it: who has only its link, or reads
    its place in a run, looks on. A practice set belongs to all. can_enlarge: where one is shown."""
    is_ours = visitor.is_owner() or datasets.sender_of(choice.id) == visitor.sender()
    if choice.kind == "sample" or not is_ours:
        return
    with st.popover(t("runs.menu"), icon=":material/more_horiz:", type="tertiary", key=f"menu_{choice.id}"):
        if choice.kind != "copy":
            _rename(choice)
        if can_enlarge and choice.kind == "upload":
            _enlarge(choice)
        st.caption(
            t("runs.set_delete_says", days=datasets.KEPT_DAYS)
            if choice.kind != "folder"
            else t("runs.set_forget_says")
        )
        st.button(
            t("runs.set_forget" if choice.kind == "folder" else "runs.delete"),
            key=f"delete_{choice.id}",
            icon=":material/delete:",
            on_click=_delete,
            args=(choice,),
        )


def _rename(choice: DataChoice) -> None:
    key = f"name_{choice.id}"
    st.text_input(
        t("runs.name"),
        value=choice.label,
        max_chars=datasets.MAX_LABEL,
        key=key,
        on_change=lambda: datasets.rename(choice.id, st.session_state[key]),
    )


def _enlarge(choice: DataChoice) -> None:
    assert choice.path is not None
    try:
        classes = overview.scanned(choice.path).classes
    except TlError:
        return
    turn = st.session_state.get("enlarge_turn", 0)
    label = st.selectbox(
        t("runs.add_to"), classes, key=f"add_class_{choice.id}", accept_new_options=True,
        help=t("runs.add_to_help"),
    )  # fmt: skip
    files = st.file_uploader(
        t("runs.add"),
        type=[ending.lstrip(".") for ending in EXTENSIONS],
        accept_multiple_files=True,
        key=f"add_{choice.id}_{turn}",
    )
    if files and label and st.button(t("runs.add_now", count=len(files)), key=f"add_now_{choice.id}"):
        try:
            added = upload_limits.enlarged(choice, label, visitor.sender(), files)
        except TlError as error:
            shell.show_error(error)
            return
        finally:
            upload_limits.let_go(files)
        overview.forget()
        st.session_state["enlarge_turn"] = turn + 1
        st.toast(t("runs.added", count=number(added), label=literal(label)), icon=":material/check:")
        st.rerun()


def _delete(choice: DataChoice) -> None:
    datasets.delete(choice.id)
    st.session_state["deleted_set"] = choice.id
    if state.read("data") == choice.id:
        state.keep("data", None)


def _undo() -> None:
    last = st.session_state.get("deleted_set")
    choice = next((choice for choice in datasets.deleted() if choice.id == last), None)
    if choice is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="undo_set"):
        st.caption(t("runs.deleted", name=literal(data_name(choice))))
        st.button(
            t("runs.restore"), key="restore_set", icon=":material/undo:", type="tertiary",
            on_click=datasets.restore, args=(choice.id,),
        )  # fmt: skip
        if choice.kind != "folder":
            st.button(
                t("runs.erase"), key="erase_set", icon=":material/delete_forever:", type="tertiary",
                on_click=datasets.remove, args=(choice.id,),
            )  # fmt: skip
