"""Pictures as pages show them: small JPEGs inside the page, laid out by our own HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import streamlit as st

from tl_core.data.pixels import thumbnail as small
from tl_core.data.pixels.thumbnail import jpeg_uri, shrunk
from tl_ui.stores.memo import cached_data

__all__ = ["gallery", "jpeg_uri", "shrunk", "thumbnail"]

thumbnail = cached_data(max_entries=600)(small.thumbnail)
"""`tl_core.data.pixels.thumbnail.thumbnail`, kept until the file changes."""


def gallery(items: Iterable[tuple[str, str]], px: int = 112) -> None:
    """Pictures in rows that wrap: (data: address, caption; "" for none)."""
    cells = "".join(
        f'<figure><img src="{uri}" alt="{escape(text, quote=True)}" loading="lazy">'
        + (f"<figcaption>{escape(text)}</figcaption>" if text else "")
        + "</figure>"
        for uri, text in items
    )
    st.html(f'<div class="hs-gallery" style="--cell:{px}px">{cells}</div>')
