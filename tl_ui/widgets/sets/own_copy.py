"""Decisions about pictures that are shared: the first one makes the person a copy of their own, which is
their chosen data from then on.

A practice set is everybody's. A folder that the owner offers is the owner's, and an upload its sender's: a
class decides about the teacher's pictures, each in a copy, and the teacher's stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.base.files.paths import datasets_dir
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import state, visitor
from tl_ui.frame.text import data_name, t
from tl_ui.stores.sets import datasets, overview, upload_limits

_MADE = "own_copy_made"


def root_to_write(root: Path) -> Path:
    """Where decisions about the pictures at `root` belong: beside them, or in the person's own copy of what
    is shared, which is made if need be. Raises: OutputUnwritable: also a quota."""
    if not _is_shared(root):
        return root
    own = _chosen_copy_of(root) or _copied(root)
    assert own.path is not None
    return own.path


def _is_shared(root: Path) -> bool:
    if datasets.practice_set_at(root):
        return True
    if visitor.is_owner():
        return False
    home, real = datasets_dir().resolve(), root.resolve()
    is_brought = home in real.parents
    return not is_brought or datasets.sender_of(real.relative_to(home).parts[0]) != visitor.sender()


def _copied(root: Path) -> datasets.DataChoice:
    name = datasets.practice_set_at(root)
    known = datasets.at(root)
    called = t(f"shell.sample_{name}") if name else data_name(known) if known else root.name
    sender = visitor.sender()
    upload_limits.make_room(sender, called)
    if name:
        choice = datasets.add_copy(root, name, kind="copy")
    else:
        choice = datasets.add_copy(root, t("shell.copy_of", name=called))
    upload_limits.count_for(sender, choice, called)
    state.choose_data(choice.id)
    st.session_state[_MADE] = called
    return choice


def instead_of(path: Path) -> Path:
    """The person's own copy where `path` are the pictures it was made from; else `path`."""
    choice = state.chosen_data()
    if choice is None or choice.origin is None:
        return path
    try:
        is_it = choice.origin in (path, overview.scanned(path).root)
    except TlError:
        is_it = False
    return choice.path if is_it and choice.path else path


def pictures_of(run: RunFolder) -> Path:
    """What the run learns from, or the person's own copy of it. Raises: RunNotFound, RunDamaged."""
    return instead_of(run.data())


def tell() -> None:
    """Once, after a copy was made: that it was, and why."""
    if name := st.session_state.pop(_MADE, None):
        st.info(t("data.own_copy", name=name), icon=":material/file_copy:")


def _chosen_copy_of(root: Path) -> datasets.DataChoice | None:
    choice = state.chosen_data()
    return choice if choice and choice.origin == root else None
