"""The 1,000 formula classes to leaf through: what the old head of the built-in weights can name."""

from __future__ import annotations

import streamlit as st

from tl_ui.frame.text import number, t
from tl_ui.widgets.html import pictures

PER_PAGE = 15
TILE_PX = 96
SHOWN_PX = 76
SEED = 3
"""Of the instance that is drawn; any would do."""


def show(key: str) -> None:
    """One family at a time, a page of its classes; drawn here and now."""
    from tl_core.synthetic.formula import FAMILIES

    counts = {family.name: family.num_classes for family in FAMILIES}
    labels = {name: f"{name}  ·  {number(count)}" for name, count in counts.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        family = st.selectbox(
            t("lesson.family", count=len(counts)), list(counts), format_func=labels.get, key=f"family_{key}"
        )
        pages = -(-counts[family] // PER_PAGE)
        page = st.number_input(
            t("lesson.page_of", pages=pages), 1, pages, key=f"page_{key}_{family}", width=150
        )
    first = sum(list(counts.values())[: list(counts).index(family)]) + PER_PAGE * (page - 1)
    num = min(PER_PAGE, counts[family] - PER_PAGE * (page - 1))
    # the family stands above: its number is enough, and fits
    pictures.gallery([(uri, name.rpartition(" ")[2]) for uri, name in sheet(first, num)], px=SHOWN_PX)


@st.cache_data(max_entries=64, show_spinner=False)
def sheet(first: int, num: int) -> list[tuple[str, str]]:
    """(data: address, name) of `num` classes from `first` on."""
    from tl_core.synthetic.formula import class_names, draw

    names = class_names()
    return [(pictures.jpeg_uri(draw(i, SEED, TILE_PX)), names[i]) for i in range(first, first + num)]


@st.cache_data(max_entries=2, show_spinner=False)
def one_of_each(num: int) -> list[tuple[str, str]]:
    """`num` classes spread over all families."""
    return [sheet(first, 1)[0] for first in range(20, 1000, 1000 // num)][:num]
