"""What an instance draws by lot besides its form: colours, background, light, things in front, camera.

The ranges are those that the built-in weights were trained with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Family

Colour = tuple[float, float, float]
# RGB, 0..1; light and exposure may leave that range

BACKGROUNDS = ("plain", "graded", "clouds", "stripes", "fine clouds")
CUTOUTS = ("oval", "square", "half")
_COLOUR_TRIES = 12


@dataclass(frozen=True)
class Background:
    kind: int
    # of BACKGROUNDS
    first: Colour
    second: Colour
    strength: float
    # how far the second colour comes through
    rate: float
    angle: float
    # radians
    salt: int


@dataclass(frozen=True)
class Cutout:
    """The part of the picture that a texture is confined to."""

    kind: int
    # of CUTOUTS
    x: float
    y: float
    radius: float
    aspect: float


@dataclass(frozen=True)
class Light:
    slope: float
    angle: float
    # radians, where the lamp is
    vignette: float
    gain: float
    offset: float


@dataclass(frozen=True)
class Bar:
    """A rectangle in front of everything; half sides in the picture's units."""

    x: float
    y: float
    half_width: float
    half_length: float
    angle: float
    colour: Colour


@dataclass(frozen=True)
class Scene:
    is_grey: bool
    first: Colour
    second: Colour
    # of the form
    background: Background
    cutout: Cutout | None
    light: Light
    bars: tuple[Bar, ...]
    blur: float
    # part of a pixel's light that goes to each neighbour, per pass
    blur_passes: int
    grain: float
    # largest deviation, as a part of white


def new_scene(rng: np.random.Generator, family: Family) -> Scene:
    is_grey = rng.random() < 0.45
    first, second, behind = _colours(rng, is_grey, family.has_inner_contrast)
    blur_lot = rng.random()
    return Scene(
        is_grey=is_grey,
        first=first,
        second=second,
        background=_background(rng, is_grey, behind),
        cutout=_cutout(rng) if family.fills_picture and rng.random() < 0.3 else None,
        light=_light(rng),
        bars=_bars(rng, is_grey),
        blur=rng.uniform(0.05, 0.33),
        blur_passes=1 if blur_lot < 0.22 else 2 if blur_lot < 0.32 else 5 if blur_lot < 0.4 else 0,
        grain=1.7 * (rng.uniform(0, 0.07) if rng.random() < 0.5 else rng.uniform(0, 0.012)),
    )


def _colour(rng: np.random.Generator, is_grey: bool) -> Colour:
    grey = rng.random()
    if is_grey:
        return grey, grey, grey
    part = rng.uniform(0, 0.9)
    red, green, blue = (grey * (1 - part) + part * lot for lot in rng.random(3).tolist())
    return red, green, blue


def _colours(rng: np.random.Generator, is_grey: bool, is_inner: bool) -> tuple[Colour, Colour, Colour]:
    """The form's two colours and the background's first, drawn until they can be told apart."""
    contrast = rng.uniform(0.15, 0.65)
    for _ in range(_COLOUR_TRIES):
        first, second, behind = (_colour(rng, is_grey) for _ in range(3))
        if abs(sum(second) - sum(first if is_inner else behind)) > 3 * contrast:
            break
    return first, second, behind


def _background(rng: np.random.Generator, is_grey: bool, first: Colour) -> Background:
    return Background(
        kind=int(rng.integers(len(BACKGROUNDS))),
        first=first,
        second=_colour(rng, is_grey),
        strength=rng.uniform(0.1, 0.5),
        rate=rng.uniform(1, 9),
        angle=rng.uniform(0, 3.14),
        salt=int(rng.integers(1 << 24)),
    )


def _cutout(rng: np.random.Generator) -> Cutout:
    return Cutout(
        kind=int(rng.integers(len(CUTOUTS))),
        x=rng.uniform(-0.4, 0.4),
        y=rng.uniform(-0.4, 0.4),
        radius=rng.uniform(0.5, 1.0),
        aspect=rng.uniform(0.7, 1.4),
    )


def _light(rng: np.random.Generator) -> Light:
    return Light(
        slope=rng.uniform(0, 0.35) * (rng.random() < 0.5),
        angle=rng.uniform(0, 6.28),
        vignette=rng.uniform(0, 0.3) * (rng.random() < 0.3),
        gain=rng.uniform(0.75, 1.1),
        offset=rng.uniform(-0.08, 0.12),
    )


def _bars(rng: np.random.Generator, is_grey: bool) -> tuple[Bar, ...]:
    num_bars = int(rng.integers(1, 4)) if rng.random() < 0.3 else 0
    return tuple(
        Bar(
            x=rng.uniform(-1, 1),
            y=rng.uniform(-1, 1),
            half_width=0.6 * rng.uniform(0.02, 0.25),
            half_length=0.6 * rng.uniform(0.02, 0.9),
            angle=rng.uniform(0, 3.14),
            colour=_colour(rng, is_grey),
        )
        for _ in range(num_bars)
    )
