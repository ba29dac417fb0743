"""Feature maps as small pictures on one fixed colour scale, the same for every part and picture."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from tl_ui.frame.text import t
from tl_ui.frame.theme import palette
from tl_ui.widgets.html import pictures

LIMIT = 3.0
"""Ends of the scale, in units of the part's typical answer; what lies beyond is shown as the end."""
TILE_PX = 112


def tile(values: np.ndarray) -> str:
    """(h, w) in units of the typical answer -> a data: address. Blue: against, orange: for."""
    import cv2

    colours = palette()
    ends = [_rgb(colours.backbone), _rgb(colours.card), _rgb(colours.head)]
    position = np.clip(values / LIMIT, -1, 1)[..., None]
    image = np.where(
        position < 0, ends[1] + (ends[1] - ends[0]) * position, ends[1] + (ends[2] - ends[1]) * position
    )
    large = cv2.resize(image.astype(np.uint8), (TILE_PX, TILE_PX), interpolation=cv2.INTER_NEAREST)
    return pictures.jpeg_uri(large, 92)


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


def row(title: str, note: str, tiles: list[tuple[str, str]]) -> None:
    """A name, a line about it, and its tiles: (data: address, caption)."""
    cells = "".join(
        f'<figure><img src="{uri}" alt="{escape(words, quote=True)}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
        for uri, words in tiles
    )
    head = f"<p><b>{escape(title)}</b><span>{escape(note)}</span></p>"
    st.html(f'<div class="hs-maps">{head}<div>{cells}</div></div>')


def scale() -> None:
    """The legend of the colours."""
    colours = palette()
    bar = f"linear-gradient(90deg, {colours.backbone}, {colours.card}, {colours.head})"
    st.html(
        f'<div class="hs-scale"><span>{t("lesson_inside.scale_low", limit=f"{LIMIT:.0f}")}</span>'
        f'<i style="background:{bar};border:1px solid {colours.line}"></i>'
        f"<span>{t('lesson_inside.scale_high', limit=f'{LIMIT:.0f}')}</span></div>"
    )
