"""Diagrams as HTML: the page's own words, colours and widths, readable by screen readers and on phones."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from tl_ui.frame.text import t
from tl_ui.widgets.html.pictures import jpeg_uri

BACKBONE_STEPS = 8


def swap_sketch(images: Sequence[np.ndarray]) -> None:
    """1000 -> 2 at a glance: a picture goes through the kept backbone to a new head.

    The old head is drawn as 40 × 25 dots, one per class. images: uint8 (H, W, 3), may be none.
    """
    photos = "".join(f'<img src="{jpeg_uri(image)}" alt="">' for image in images)
    bars = "".join(f'<i style="height:{100 - 9 * step}%"></i>' for step in range(BACKBONE_STEPS))
    parts = [
        _part("picture", f'<div class="hs-photos">{photos}</div>') + ARROW if photos else "",
        _part("backbone", f'<div class="hs-bars">{bars}</div>') + ARROW,
        _part("old", '<div class="hs-dots"></div>'),
        _part("new", '<div class="hs-two"><i></i><i></i></div>'),
    ]
    label = escape(t("start.figure"), quote=True)
    st.html(f'<div class="hs-sketch" role="group" aria-label="{label}">{"".join(parts)}</div>')


ARROW = '<div class="hs-arrow" aria-hidden="true"></div>'


def _part(name: str, art: str) -> str:
    title, note = t(f"start.figure_{name}"), t(f"start.figure_{name}_note")
    return (
        f'<div class="hs-part hs-{name}"><div class="hs-art">{art}</div>'
        f"<b>{escape(title)}</b><span>{escape(note)}</span></div>"
    )
