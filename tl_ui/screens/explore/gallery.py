"""Pictures by name, a page at a time: a button under each opens it. Never hundreds at once."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from tl_ui.frame.text import number, t
from tl_ui.widgets.html import pictures

PER_PAGE = 12
THUMB_PX = 168
MAX_NAME = 80
"""Characters of a file's name under its picture, which break into lines."""
PICKED = "explore_picture"
"""Session state: the name of the picture that is looked at."""


def pages(
    names: Sequence[str],
    captions: Sequence[str],
    paths: dict[str, Path],
    key: str,
    *,
    can_open: bool = True,
    cell_px: int = 140,
) -> None:
    """A page of pictures with their captions, and the other pages' numbers. cell_px: width of one."""
    num_pages = max(-(-len(names) // PER_PAGE), 1)
    # before the pictures, so that the number stays where it was while pages turn
    page = 1
    if num_pages > 1:
        page = min(st.pagination(num_pages, key=f"{key}_page", max_visible_pages=5), num_pages)
        first = (page - 1) * PER_PAGE
        last = min(first + PER_PAGE, len(names))
        st.caption(t("explore.pages", first=first + 1, last=last, count=number(len(names))))
    if not paths:
        st.caption(t("explore.pictures_gone"))
    chosen = range((page - 1) * PER_PAGE, min(page * PER_PAGE, len(names)))
    with st.container(horizontal=True, key=f"{key}_cells"):
        for index in chosen:
            _cell(names[index], captions[index], paths.get(names[index]), f"{key}_{index}", can_open, cell_px)


def _cell(name: str, caption: str, path: Path | None, key: str, can_open: bool, cell_px: int) -> None:
    with st.container(width=cell_px, gap="xsmall"):
        uri = pictures.thumbnail(path, THUMB_PX, is_square=True)
        image = f'<img src="{uri}" alt="{escape(name, quote=True)}">' if uri else '<i class="gone"></i>'
        st.html(
            f'<figure class="hs-look" title="{escape(name, quote=True)}">{image}'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
        if can_open:
            st.button(
                own_name(name),
                key=f"{key}_open",
                on_click=_open,
                args=(name,),
                type="tertiary",
                width="stretch",
            )


def _open(name: str) -> None:
    st.session_state[PICKED] = name


def own_name(name: str) -> str:
    """The file's own name; the middle of a very long one left out. No character that Markdown reads."""
    own = name.rpartition("/")[2]
    own = own if len(own) <= MAX_NAME else f"{own[: MAX_NAME // 2 - 1]}…{own[-(MAX_NAME // 2) :]}"
    return "".join(f"\\{sign}" if sign in "\\`*_[]$:<>~#" else sign for sign in own)
