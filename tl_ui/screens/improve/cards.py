"""One card per picture that wants a look: the picture, why, and what the person decides about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data import curation
from tl_core.data.curation import CurationEdit
from tl_ui.frame.text import name_of, number, t
from tl_ui.screens.improve import checks as improve_data
from tl_ui.screens.improve.checks import CheckedData
from tl_ui.widgets.html import pictures
from tl_ui.widgets.sets import label_choice
from tl_ui.widgets.sets.label_choice import Asked

PER_PAGE = 9
THUMB_PX = 560
"""Long side of a picture on a card, which fills the window when it is pressed."""
NUM_COLUMNS = 3


@dataclass(frozen=True)
class Card:
    file: str
    label: str
    # the class its folder gives
    why: str
    # a sentence
    reason: str
    # a word for the table
    part: str = ""
    # train, val, test or cross_validation
    said: str = ""
    # the class to offer first
    twin: str = ""
    # a picture to see beside it


def show(cards: Sequence[Card], place: CheckedData, panel: str) -> None:
    """The cards in pages of nine; each decision is written as soon as it is made."""
    made = {row.file: row for row in curation.decided(place.root)}
    paths = {picture.name: picture.path for picture in place.dataset.pictures}
    shown = _page(cards, panel)
    for start in range(0, len(shown), NUM_COLUMNS):
        for column, card in zip(
            st.columns(NUM_COLUMNS, gap="medium"), shown[start : start + 3], strict=False
        ):
            with column, st.container(border=True, key=f"card_{_id(card.file)}"):
                _card(card, place, made.get(card.file), _shown(card, paths), panel)


def _shown(card: Card, paths: Mapping[str, Path]) -> str:
    """The picture, beside it its twin where there is one; pressed, each fills the window."""
    names = [name for name in (card.file, card.twin) if name in paths]
    figures = "".join(
        f'<figure class="hs-flagged" tabindex="0"><img src="{pictures.thumbnail(paths[name], THUMB_PX)}" '
        f'alt="{escape(name, quote=True)}" loading="lazy">'
        f'<figcaption title="{escape(name, quote=True)}">{escape(name)}</figcaption></figure>'
        for name in names
    )
    return f'<div class="hs-twins">{figures}</div>'


def leave_out(cards: Sequence[Card], place: CheckedData) -> None:
    """A button that leaves out all that are undecided and not already someone's only copy: of two that are
    twins of each other the first stays."""
    made = {row.file: row.decision for row in curation.decided(place.root)}
    going: list[Card] = []
    staying: set[str] = set()
    for card in cards:
        # whose copy is left out already is the last one
        if card.file in made or card.file in staying or made.get(card.twin) == "exclude":
            continue
        going.append(card)
        staying.add(card.twin)
    if going:
        st.button(
            t("improve.exclude_all", count=number(len(going))),
            key="exclude_all",
            icon=":material/delete_sweep:",
            on_click=_leave_out,
            args=(going, place),
            help=t("improve.exclude_all_says"),
        )


def _leave_out(cards: Sequence[Card], place: CheckedData) -> None:
    try:
        root = improve_data.root_to_write(place)
        for card in cards:
            curation.decide(root, card.file, "exclude", "", card.reason)
    except TlError as error:
        label_choice.keep_error(error)


def _page(cards: Sequence[Card], panel: str) -> list[Card]:
    num_pages = max(-(-len(cards) // PER_PAGE), 1)
    key = f"improve_page_{panel}"
    page = min(st.session_state.get(key, 0), num_pages - 1)
    if num_pages > 1:
        with st.container(horizontal=True, vertical_alignment="center", key=f"pages_{panel}"):
            back = st.button(t("improve.back"), key=f"back_{panel}", disabled=page == 0, type="tertiary")
            ahead = st.button(
                t("improve.ahead"), key=f"ahead_{panel}", disabled=page == num_pages - 1, type="tertiary"
            )
            if back or ahead:
                st.session_state[key] = page + (1 if ahead else -1)
                st.rerun()
            st.caption(t("improve.page", page=page + 1, pages=num_pages, count=number(len(cards))))
    return list(cards[page * PER_PAGE : (page + 1) * PER_PAGE])


def _card(card: Card, place: CheckedData, made: CurationEdit | None, figures: str, panel: str) -> None:
    part = f" · {escape(name_of(card.part))}" if card.part else ""
    st.html(
        f'{figures}<p class="hs-why"><b>{escape(t("improve.label_is", name=card.label))}</b>{part}<br>'
        f"{escape(card.why)}</p>"
    )
    asked = Asked(card.file, card.label, place.dataset.classes, card.reason, card.said)
    key = f"decide_{panel}_{_id(card.file)}"
    label_choice.ask(asked, made, partial(improve_data.root_to_write, place), key)


def _id(file: str) -> str:
    return hashlib.sha256(file.encode()).hexdigest()[:10]
