"""Small copies of pictures as data: addresses, which a page or a report holds in itself."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np

from tl_core.base.errors import UnreadableImage
from tl_core.data.pixels.decode import read_image, read_square


def jpeg_uri(image: np.ndarray, quality: int = 85) -> str:
    """(H, W, 3) uint8 RGB -> a data: address that an <img> can show."""
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def shrunk(image: np.ndarray, px: int) -> np.ndarray:
    """(H, W, 3) uint8 -> the same with `px` pixels on its long side; a smaller one stays as it is."""
    height, width = image.shape[:2]
    scale = min(px / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def thumbnail(path: Path | None, px: int, *, is_square: bool = False) -> str:
    """Drawn anew from the pixels, without what a camera wrote beside them; "" without a picture to read.

    is_square: as the network sees it, the sides not kept in proportion.
    """
    try:
        if path is None:
            return ""
        return jpeg_uri(read_square(path, px=px) if is_square else shrunk(read_image(path, max_px=px), px))
    except (OSError, UnreadableImage):
        return ""
