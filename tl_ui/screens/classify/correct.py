"""Classify: say what a wrongly answered picture really is, and keep it for the next training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data import curation
from tl_core.data.decode import read_image
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.text import literal, t
from tl_ui.stores import overview
from tl_ui.widgets import own_copy

if TYPE_CHECKING:
    from tl_ui.screens.classify.given import Given

MAX_PX = 1024
"""Side in pixels that a kept correction may be trained at: a phone's picture is not kept whole."""


def draw(run: RunFolder, given: Sequence[Given], classes: Sequence[str]) -> None:
    """A folded question below the answers; not there for samples, whose truth is known."""
    own = [item for item in given if item.truth is None]
    if not own:
        return
    with st.expander(t("classify.correct"), icon=":material/edit:", key="correct"):
        try:
            root = overview.scanned(Path(str(run.read_config().get("data")))).root
        except TlError:
            st.caption(t("classify.correct_gone"))
            return
        st.caption(t("classify.correct_says"))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            labels = _labels([item.name for item in own])
            index = st.selectbox(
                t("classify.correct_picture"),
                range(len(own)),
                format_func=labels.__getitem__,
                key="correct_picture",
            )
            label = st.selectbox(t("classify.correct_class"), list(classes), key="correct_class")
            # in a callback: what it chooses must be known before the page's links are drawn
            st.button(
                t("classify.correct_keep"),
                key="correct_keep",
                icon=":material/add_photo_alternate:",
                on_click=_keep,
                args=(root, own[index], label),
            )
        _say_what_was_kept()


def _labels(names: Sequence[str]) -> list[str]:
    """The names; of those that several pictures have, each with its turn: phones call all `image.jpg`."""
    labels, seen = [], Counter[str]()
    counts = Counter(names)
    for name in names:
        seen[name] += 1
        labels.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return labels


def _keep(root: Path, item: Given, label: str) -> None:
    try:
        image = read_image(item.content, item.name, max_px=MAX_PX)
        curation.add_correction(own_copy.root_to_write(root), item.name, image, label)
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
