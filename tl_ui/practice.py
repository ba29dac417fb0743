"""A few pictures of each practice set, drawn on the spot, for pages that offer the choice."""

from __future__ import annotations

import importlib

import numpy as np
import streamlit as st

from tl_core.data.decode import resize_square
from tl_ui import pictures

NUM_EXAMPLES = 2
"""Pictures shown per class."""
IMAGE_PX = 224


@st.cache_data(max_entries=8, show_spinner=False)
def examples(name: str) -> list[tuple[str, np.ndarray]]:
    """(class folder, uint8 (224, 224, 3)) of pictures that the practice set really holds."""
    shots = importlib.import_module(f"tl_core.data.samples.{name}").shots(0)
    chosen: dict[str, list] = {}
    for shot in shots:
        chosen.setdefault(shot.file.split("/")[-2], []).append(shot)
    # spread over the set: neighbours show the same person
    spread = {label: members[:: len(members) // NUM_EXAMPLES] for label, members in chosen.items()}
    return [
        (label, resize_square(shot.draw()[0], IMAGE_PX))
        for label in sorted(spread)
        for shot in spread[label][:NUM_EXAMPLES]
    ]


def show(name: str) -> None:
    """The examples in one row."""
    pictures.gallery([(pictures.jpeg_uri(image), label) for label, image in examples(name)], px=78)
