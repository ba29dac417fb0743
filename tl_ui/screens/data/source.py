"""The Data page's first question: which pictures? Practice set, folder, zip or folder upload."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from tl_core.base.errors import PlaceRefused, TlError
from tl_core.base.files.file_names import readable
from tl_core.base.files.paths import expanded
from tl_core.data.layouts.file_kinds import EXTENSIONS
from tl_core.synthetic.practice import SAMPLES
from tl_ui.frame import shell, state, visitor
from tl_ui.frame.text import data_name, literal, t
from tl_ui.stores.sets import datasets, overview, upload_limits
from tl_ui.stores.sets.datasets import DataChoice
from tl_ui.widgets import choice
from tl_ui.widgets.sets import own_sets, practice_sets

SOURCES = ("sample", "folder", "zip", "upload")


def chooser() -> None:
    """Ask for pictures; a choice reruns the page with it."""
    if mine := own_sets.listed():
        with st.container(border=True, key="card_sets"):
            st.markdown(f"**{t('runs.sets_title')}**")
            own_sets.show(mine)
    with st.container(border=True, key="card_source"):
        source = choice.one_of(
            "data_source",
            t("data.source"),
            SOURCES,
            lambda name: t(f"data.source_{name}"),
            is_kept=True,
            is_labelled=True,
        )
        {"sample": _sample, "folder": _folder, "zip": _zip, "upload": _upload}[source]()


def chosen(choice: DataChoice) -> None:
    """What is chosen now, with the ways to change it or to read it again."""
    with st.container(horizontal=True, vertical_alignment="center", key="chosen_data"):
        st.subheader(literal(data_name(choice)), anchor=False, width="stretch")
        # an upload changes by what is added here alone
        if choice.kind == "folder" and st.button(
            t("data.again"), key="read_again", icon=":material/refresh:", type="tertiary"
        ):
            overview.forget()
        own_sets.manage(choice, can_enlarge=True)
        if not st.session_state.get("is_choosing_data") and st.button(
            t("data.change"), key="change_data", icon=":material/swap_horiz:"
        ):
            st.session_state["is_choosing_data"] = True
            st.rerun()
    if choice.kind == "folder":
        st.caption(literal(readable(str(choice.path))))


def _sample() -> None:
    for column, name in zip(st.columns(len(SAMPLES), gap="medium"), SAMPLES, strict=True):
        with column:
            st.markdown(f"**{t(f'shell.sample_{name}')}**")
            practice_sets.show(name)
            st.caption(t(f"start.about_{name}"))
            if st.button(t("data.use"), key=f"use_{name}", type="primary"):
                _choose(datasets.find(name))


def _folder() -> None:
    if not visitor.may_name_paths():
        st.info(t("data.folder_elsewhere"), icon=":material/upload:")
        return
    with st.form("folder_form", border=False):
        typed = st.text_input(
            t("data.folder"),
            key="folder_path",
            placeholder=t("data.folder_example"),
            persist_state="session",
        )
        is_sent = st.form_submit_button(t("data.use_folder"), type="primary")
    _layouts()
    if is_sent and typed.strip():
        path = expanded(typed.strip().strip("\"'")).absolute()
        try:
            if not visitor.may_read(path):
                raise PlaceRefused(path=path)
            overview.forget()
            overview.scanned(path)
        except TlError as error:
            shell.show_error(visitor.refusal(path, error))
        else:
            _choose(datasets.add_folder(path))


def _zip() -> None:
    file = st.file_uploader(t("data.zip"), type="zip", key=_upload_key("zip"))
    _limits()
    _layouts()
    if file is not None:
        _receive([file], lambda: datasets.add_zip(file.name, file))


def _upload() -> None:
    files = st.file_uploader(
        t("data.upload"), type=list(EXTENSIONS), accept_multiple_files="directory", key=_upload_key("upload")
    )
    _limits()
    _layouts()
    if files:
        _receive(files, lambda: datasets.add_folder_upload((file.name, file) for file in files))


def _layouts() -> None:
    """The two ways to lay out folders."""
    left, right = st.columns(2, gap="medium")
    left.caption(t("data.layout_classes"))
    left.code("my_pictures/\n  cats/   a.jpg  b.jpg  …\n  dogs/   c.jpg  d.jpg  …", language=None)
    right.caption(t("data.layout_split"))
    right.code("my_pictures/\n  train/  cats/ …  dogs/ …\n  test/   cats/ …  dogs/ …", language=None)


def _upload_key(name: str) -> str:
    return f"{name}_file_{st.session_state.get('upload_round', 0)}"


def _receive(files: list, save: Callable[[], DataChoice]) -> None:
    """Copy to disk, then drop the bytes from the server's memory, also of what was refused; the uploader gets
    a new key, and the reason stands under it."""
    choice = None
    try:
        with st.spinner(t("data.saving")):
            choice = upload_limits.received(save, visitor.sender(), files)
    except TlError as refusal:
        st.session_state["refused_upload"] = refusal
    upload_limits.let_go(files)
    st.session_state["upload_round"] = st.session_state.get("upload_round", 0) + 1
    if choice is None:
        st.rerun()
    _choose(choice)


def _limits() -> None:
    """Why the last upload was refused; how much may be uploaded, and how long it stays."""
    if refusal := st.session_state.pop("refused_upload", None):
        shell.show_error(refusal)
    own, whole = upload_limits.OWN_GIB, upload_limits.ALL_GIB
    st.caption(t("data.upload_limits", own=own, all=whole, days=upload_limits.UNUSED_DAYS))


def _choose(choice: DataChoice) -> None:
    state.choose_data(choice.id)
    st.session_state["is_choosing_data"] = False
    st.rerun()
