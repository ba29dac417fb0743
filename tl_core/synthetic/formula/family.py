"""What a family of formula classes has to offer, and what it hands to the renderer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Form:
    """One drawn instance before it has colours; arrays are (px, px) float32.

    value: 0..1, from the first colour to the second. cover: 0..1, how much of the pixel the form
    takes; None where it fills the picture.
    """

    value: np.ndarray
    cover: np.ndarray | None = None


@dataclass(frozen=True)
class Family:
    """One program: each of its classes has parameters of its own.

    new_parameters(rng): a class's parameters, a frozen dataclass. paint(parameters, rng, px): an
    instance of it; whatever it draws by lot for single pixels or points comes last.
    """

    name: str
    num_classes: int
    new_parameters: Callable[[np.random.Generator], Any]
    paint: Callable[[Any, np.random.Generator, int], Form]
    fills_picture: bool
    # a texture without an edge of its own; else an object before a background
    has_inner_contrast: bool
    # what must be told apart: its own two colours; else its second colour and the background
