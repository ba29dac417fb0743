"""Pictures as pages show them: small JPEGs inside the page, laid out by our own HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from tl_core.data.decode import read_image, resize_square

THUMB_PX = 160


def jpeg_uri(image: np.ndarray, quality: int = 85) -> str:
    """uint8 (H, W, 3) RGB -> a data: address that an <img> can show."""
    import cv2

    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


@st.cache_data(max_entries=512, show_spinner=False)
def thumbnail(path: Path, changed_ns: int, px: int = THUMB_PX) -> str:
    """The picture as the network will see it: a small square. Raises: UnreadableImage."""
    return jpeg_uri(resize_square(read_image(path, max_px=px), px))


def thumbnail_of(path: Path, px: int = THUMB_PX) -> str:
    """`thumbnail`, made again when the file has changed."""
    return thumbnail(path, path.stat().st_mtime_ns, px)


def gallery(items: Iterable[tuple[str, str]], px: int = 112) -> None:
    """Pictures in rows that wrap: (data: address, caption; "" for none)."""
    cells = "".join(
        f'<figure><img src="{uri}" alt="{escape(text, quote=True)}" loading="lazy">'
        + (f"<figcaption>{escape(text)}</figcaption>" if text else "")
        + "</figure>"
        for uri, text in items
    )
    st.html(f'<div class="hs-gallery" style="--cell:{px}px">{cells}</div>')
