"""Pictures as pages show them: small JPEGs inside the page, laid out by our own HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

import numpy as np
import streamlit as st


def jpeg_uri(image: np.ndarray, quality: int = 85) -> str:
    """uint8 (H, W, 3) RGB -> a data: address that an <img> can show."""
    import cv2

    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def gallery(items: Iterable[tuple[str, str]], px: int = 112) -> None:
    """Pictures in rows that wrap: (data: address, caption; "" for none)."""
    cells = "".join(
        f'<figure><img src="{uri}" alt="{escape(text, quote=True)}" loading="lazy">'
        + (f"<figcaption>{escape(text)}</figcaption>" if text else "")
        + "</figure>"
        for uri, text in items
    )
    st.html(f'<div class="hs-gallery" style="--cell:{px}px">{cells}</div>')
