"""The practice sets where a page offers them: a few pictures of each, and the settings of a first run."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import streamlit as st

from tl_core.base.config import RunConfig, preset
from tl_core.data.pixels.decode import resize_square
from tl_ui.widgets.html import pictures

NUM_EXAMPLES = 2
"""Pictures shown per class."""
IMAGE_PX = 224

WITH_FORMULA: dict[str, dict[str, Any]] = {
    "expression": {
        "image_px": 112,
        "unfreeze_blocks": 7,
        "views": 0,
        "positive_weight": 1.0,
        "head": {"epochs": 3},
        "finetune": {"epochs": 22, "learning_rate": 1e-3},
    }
}
"""Where the built-in weights, which learnt pictures of 64 to 192 px, need other settings than the preset's.
Faces, balanced accuracy on 60 test pictures, seed 42: preset 70 %, these 81 %."""


def settings(name: str, weights: str, found: str | None) -> RunConfig:
    """Of a first run on a practice set. found: the source that `weights` would come down to now."""
    own = WITH_FORMULA.get(name, {}) if found == "formula" else {}
    return preset(name, weights=weights, **own)


@st.cache_data(max_entries=8, show_spinner=False)
def examples(name: str) -> list[tuple[str, np.ndarray]]:
    """(class folder, uint8 (224, 224, 3)) of pictures that the practice set really holds."""
    shots = importlib.import_module(f"tl_core.synthetic.practice.{name}").shots(0)
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
