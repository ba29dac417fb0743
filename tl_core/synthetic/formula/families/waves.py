"""Sums (or products) of one to four plane waves, through one of several curves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.lattice import value_noise
from tl_core.synthetic.formula.plane import soft_step, texture_pose

CURVES = ("smooth", "smooth again", "stripes", "folded", "creases", "saw")
# the smooth one is to come twice as often


@dataclass(frozen=True)
class Waves:
    waves: tuple[tuple[float, float, float], ...]
    # (radians per unit, direction in radians, strength)
    curve: int
    # of CURVES
    warp: float
    warp_rate: float
    is_product: bool
    threshold: float
    # of the stripes: how much of them is bright


def new_parameters(rng: np.random.Generator) -> Waves:
    num_waves = int(rng.integers(1, 5))
    rate = math.exp(rng.uniform(math.log(2), math.log(22)))
    waves = tuple(
        (rate * math.exp(rng.uniform(-0.6, 0.6)), rng.uniform(0, 3.14159), rng.uniform(0.4, 1))
        for _ in range(num_waves)
    )
    return Waves(
        waves=waves,
        curve=int(rng.integers(0, 6)),
        warp=rng.uniform(0, 0.25) * (rng.random() < 0.5),
        warp_rate=rng.uniform(1, 4),
        is_product=bool(rng.integers(0, 2)),
        threshold=rng.uniform(0.15, 0.85),
    )


def paint(drawn: Waves, rng: np.random.Generator, px: int) -> Form:
    pose, salt = texture_pose(rng), int(rng.integers(1 << 24))
    phases, faster = rng.uniform(0, 2 * math.pi, 4).tolist(), rng.uniform(0.92, 1.08)
    x, y = pose.coordinates(px)
    if drawn.warp > 0:
        warp_x, warp_y = x * drawn.warp_rate, y * drawn.warp_rate
        x = x + 2 * drawn.warp * (value_noise(warp_x, warp_y, salt) - 0.5)
        y = y + 2 * drawn.warp * (value_noise(warp_x + 31, warp_y + 7, salt) - 0.5)
    total, product = np.zeros_like(x), np.ones_like(x)
    for (rate, direction, strength), phase in zip(drawn.waves, phases, strict=False):
        cos, sin = math.cos(direction) * rate * faster, math.sin(direction) * rate * faster
        wave = np.sin(cos * x + sin * y + phase)
        total += strength * wave
        product *= wave
    if drawn.is_product:
        return Form(_curved(product, drawn))
    return Form(_curved(total / sum(strength for _, _, strength in drawn.waves), drawn))


def _curved(wave: np.ndarray, drawn: Waves) -> np.ndarray:
    """-1..1 -> 0..1."""
    curve = CURVES[drawn.curve]
    if curve == "stripes":
        return soft_step(6 * wave + 6 * (drawn.threshold - 0.5))
    if curve == "folded":
        return np.abs(wave)
    if curve == "creases":
        return 1 - np.sqrt(np.abs(wave))
    if curve == "saw":
        return 2 * wave - np.floor(2 * wave)
    return 0.5 + 0.5 * wave
