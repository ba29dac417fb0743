"""Pictures of the old task, as the weights in use learnt it: photographs of things, or drawings."""

from __future__ import annotations

import numpy as np
import streamlit as st

from tl_core.data.pixels.decode import resize_square
from tl_core.models.weights.sources import WeightsRecord
from tl_ui.frame.text import t
from tl_ui.widgets.html import formula_sheet, pictures

IMAGE_PX = 224
DRAWN_CLASS, DRAWN_SEED = 20, 3
"""A star with clear edges, of the first family."""
PHOTOGRAPHS = ("flower.jpg", "china.jpg")
"""That come with scikit-learn; kinds of things that ImageNet's classes name (daisy, palace)."""


def picture(choice: WeightsRecord) -> tuple[np.ndarray, str]:
    """(uint8 (224, 224, 3), whose photograph it is, or nothing)."""
    if choice.source == "formula":
        from tl_core.synthetic.formula import draw

        return draw(DRAWN_CLASS, DRAWN_SEED, IMAGE_PX), ""
    return _photographs()[0], t("lesson_inside.credit")


def gallery(choice: WeightsRecord) -> None:
    """A few of them in a row."""
    if choice.source == "formula":
        pictures.gallery([(uri, "") for uri, _ in formula_sheet.one_of_each(9)], px=56)
        return
    pictures.gallery([(pictures.jpeg_uri(photograph), "") for photograph in _photographs()], px=84)
    st.caption(t("lesson_inside.credit"))


@st.cache_data(max_entries=1, show_spinner=False)
def _photographs() -> list[np.ndarray]:
    from sklearn.datasets import load_sample_image

    return [resize_square(_middle(load_sample_image(name)), IMAGE_PX) for name in PHOTOGRAPHS]


def _middle(image: np.ndarray) -> np.ndarray:
    """The square in the middle."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]
