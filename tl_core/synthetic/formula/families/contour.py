"""Radial contours: a closed line whose distance from the middle is a sum of two waves round the circle.

Near to the "visual atoms" of Takashima et al. 2023, arXiv:2303.01112.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.lattice import value_noise
from tl_core.synthetic.formula.plane import object_pose, soft_step

FILLS = ("plain", "waves", "rings", "shade")
_STEPS = 512
# of the circle


@dataclass(frozen=True)
class Contour:
    lobes: int
    ripples: int
    # waves round the circle: the coarse and the fine one
    lobe_depth: float
    ripple_depth: float
    ripple_phase: float
    # radians
    fill: int
    # of FILLS
    rings: int
    ring_width: float
    flatness: float
    # height over width
    roughness: float


def new_parameters(rng: np.random.Generator) -> Contour:
    drawn = Contour(
        lobes=int(rng.integers(2, 10)),
        ripples=int(rng.integers(5, 31)),
        lobe_depth=rng.uniform(0.04, 0.35),
        ripple_depth=rng.uniform(0, 0.18) * (rng.random() < 0.7),
        ripple_phase=rng.uniform(0, 6.28),
        fill=int(rng.integers(0, 4)),
        rings=int(rng.integers(1, 7)),
        ring_width=rng.uniform(0.2, 0.8),
        flatness=rng.uniform(0.55, 1.0),
        roughness=rng.uniform(0, 0.12) * (rng.random() < 0.3),
    )
    rng.integers(0, 4)  # not used, but part of the sequence of draws
    return drawn


def paint(contour: Contour, rng: np.random.Generator, px: int) -> Form:
    pose = object_pose(rng)
    radii = _radii(contour, rng)
    x, y = pose.coordinates(px)
    y = y / contour.flatness
    distance = np.sqrt(x * x + y * y) + 1e-6
    step = (np.arctan2(y, x) * (_STEPS / (2 * math.pi)) + 2 * _STEPS).astype(np.intp) & (_STEPS - 1)
    radius = radii[step]
    return _filled(contour, distance, radius, pose.pixel_size(px))


def _radii(contour: Contour, rng: np.random.Generator) -> np.ndarray:
    """(512,) float32: the contour's distance from the middle, round the circle."""
    phase, amount = rng.uniform(0, 0.4), math.exp(rng.uniform(-0.15, 0.15))
    start, salt = rng.uniform(0, 100), int(rng.integers(1 << 24))
    steps = np.arange(_STEPS)
    angle = steps * (2 * math.pi / _STEPS)
    lobes = contour.lobe_depth * np.sin(contour.lobes * angle + phase)
    ripples = contour.ripple_depth * np.sin(contour.ripples * angle + contour.ripple_phase)
    largest = 1 + 0.5 * (contour.lobe_depth + contour.ripple_depth)
    rough = contour.roughness * (value_noise(steps * 0.12 + start, np.zeros(1), salt) - 0.5)
    return (0.78 * (1 + amount * (lobes + ripples)) / largest + rough).astype(np.float32)


def _filled(contour: Contour, distance: np.ndarray, radius: np.ndarray, pixel: float) -> Form:
    cover = soft_step((radius - distance) / pixel)
    part, fill = distance / radius, FILLS[contour.fill]
    if fill == "waves":
        return Form(0.5 + 0.5 * np.sin(part * (2 * math.pi * 0.8 * contour.rings)), cover)
    if fill == "shade":
        return Form(0.15 + 0.85 * part ** (2 * contour.ring_width + 0.3), cover)
    if fill == "rings" and contour.rings > 1:
        place = part * contour.rings
        from_ring = np.abs(place - np.floor(place) - 0.5)
        cover = cover * soft_step((0.5 * contour.ring_width - from_ring) * radius / (contour.rings * pixel))
    elif fill == "rings":
        hole = radius * (0.55 + 0.4 * contour.ring_width)
        cover = cover * (1 - soft_step((hole - distance) / pixel))
    return Form(np.ones_like(cover), cover)
