"""Decisions about a practice set: everybody on the server shares it, so the first one makes the person a copy
of their own, which is their chosen data from then on.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from tl_core.base.errors import OutputUnwritable
from tl_core.base.files.paths import datasets_dir
from tl_ui.frame import state, visitor
from tl_ui.frame.text import t
from tl_ui.stores.sets import datasets

_MADE = "own_copy_made"


def root_to_write(root: Path) -> Path:
    """Where decisions about the pictures at `root` belong: beside them, or in the person's own copy of a
    practice set, which is made if need be.

    Raises: OutputUnwritable: also of the owner's folder, into which another's browser writes nothing.
    """
    name = datasets.practice_set_at(root)
    if name is None:
        if not visitor.is_owner() and not root.resolve().is_relative_to(datasets_dir().resolve()):
            raise OutputUnwritable(path=root.name, reason="owners_folder", detail="")
        return root
    own = _chosen_copy_of(name)
    if own is None:
        choice = datasets.add_copy(name)
        state.choose_data(choice.id)
        st.session_state[_MADE] = name
        own = choice.path
    assert own is not None
    return own


def instead_of(path: Path) -> Path:
    """The person's own copy where `path` is the practice set it was made from; else `path`."""
    name = datasets.practice_set_at(path)
    return (_chosen_copy_of(name) if name else None) or path


def tell() -> None:
    """Once, after a copy was made: that it was, and why."""
    if name := st.session_state.pop(_MADE, None):
        st.info(t("data.own_copy", name=t(f"shell.sample_{name}")), icon=":material/file_copy:")


def _chosen_copy_of(name: str) -> Path | None:
    choice = state.chosen_data()
    return choice.path if choice and choice.kind == "copy" and choice.label == name else None
