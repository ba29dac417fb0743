"""Classify: say what a wrongly answered picture really is, and keep it for the next training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data import curation
from tl_core.data.pixels.decode import read_image
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.text import literal, t
from tl_ui.stores.sets import overview
from tl_ui.widgets.sets import own_copy

if TYPE_CHECKING:
    from tl_ui.screens.classify.given import Given

MAX_PX = 1024
"""Side in pixels that a kept correction may be trained at: a phone's picture is not kept whole."""
_KEPT = "corrections_kept"
"""Session state: {(data set, picture): file that was kept for it}."""


def begin(run: RunFolder) -> Path | None:
    """Say what corrections are for and what was kept. Returns where they go; None when the run's pictures are
    gone."""
    try:
        root = overview.scanned(run.data()).root
    except TlError:
        st.caption(t("classify.correct_gone"))
        return None
    st.caption(t("classify.correct"), help=t("classify.correct_says"))
    _say_what_was_kept()
    return root


def ask(root: Path, item: Given, classes: Sequence[str], place: int) -> None:
    """Under one card: what the picture really is. A choice is kept at once."""
    # of this picture: another one at the same place begins anew
    key = f"correct_{place}_{hash(item.content) & 0xFFFFFFFF:x}"
    st.selectbox(
        t("classify.correct_class_of", name=literal(item.name)),
        list(classes),
        index=None,
        placeholder=t("classify.correct_class"),
        key=key,
        label_visibility="collapsed",
        # in a callback: what it chooses must be known before the page's links are drawn
        on_change=lambda: _keep(root, item, st.session_state[key]),
    )


def _keep(root: Path, item: Given, label: str | None) -> None:
    if label is None:
        return
    try:
        image = read_image(item.content, item.name, max_px=MAX_PX)
        place = own_copy.root_to_write(root)
        path = curation.add_correction(place, item.name, image, label)
        earlier = st.session_state.setdefault(_KEPT, {})
        before = earlier.get((place, item.content))
        if before not in (None, path):  # said otherwise a moment ago
            curation.remove_correction(place, before.relative_to(place).as_posix())
        earlier[(place, item.content)] = path
    except TlError as error:
        st.session_state["correction"] = error
    else:
        st.session_state["correction"] = (item.name, label)


def _say_what_was_kept() -> None:
    kept = st.session_state.pop("correction", None)
    if isinstance(kept, TlError):
        shell.show_error(kept)
    elif kept is not None:
        name, label = (literal(word) for word in kept)
        st.success(t("classify.correct_kept", name=name, label=label), icon=":material/check_circle:")
        own_copy.tell()
        shell.link("improve", t("classify.to_improve"), icon=":material/arrow_forward:")
