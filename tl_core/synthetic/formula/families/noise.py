"""Fractal noise: clouds, ridges, bands, spots, steps and veins, along a direction or without one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.lattice import fractal_noise, value_noise
from tl_core.synthetic.formula.plane import soft_step, texture_pose, turned

LOOKS = ("clouds", "ridges", "bands", "spots", "steps", "veins")


@dataclass(frozen=True)
class Noise:
    rate: float
    # lattice cells across the picture
    octaves: int
    gain: float
    look: int
    # of LOOKS
    elongation: float
    direction: float
    # radians
    bands: float
    threshold: float
    # of the spots
    warp: float
    steps: int


def new_parameters(rng: np.random.Generator) -> Noise:
    return Noise(
        rate=math.exp(rng.uniform(math.log(1.5), math.log(16))),
        octaves=int(rng.integers(1, 5)),
        gain=rng.uniform(0.3, 0.85),
        look=int(rng.integers(0, 6)),
        elongation=math.exp(rng.uniform(0, math.log(8))) * (rng.random() < 0.55) or 1.0,
        direction=rng.uniform(0, 3.14159),
        bands=rng.uniform(2, 14),
        threshold=rng.uniform(0.35, 0.65),
        warp=rng.uniform(0, 0.4) * (rng.random() < 0.4),
        steps=int(rng.integers(2, 6)),
    )


def paint(noise: Noise, rng: np.random.Generator, px: int) -> Form:
    pose, salt, faster = texture_pose(rng), int(rng.integers(1 << 24)), rng.uniform(0.92, 1.08)
    x, y = pose.coordinates(px)
    along, across = turned(x, y, noise.direction)
    rate = noise.rate * 0.5 * faster
    along, across = along * rate, across * (rate / noise.elongation)
    if noise.warp > 0:
        shift = (noise.warp * noise.rate) * (value_noise(x * 2.5 + 11, y * 2.5, salt + 5) - 0.5)
        along, across = along + shift, across + shift
    height = fractal_noise(along, across, salt, octaves=noise.octaves, gain=noise.gain)
    return Form(_looked(height, noise))


def _looked(height: np.ndarray, noise: Noise) -> np.ndarray:
    """0..1 -> 0..1."""
    look = LOOKS[noise.look]
    if look == "ridges":
        return 1 - np.abs(2 * height - 1)
    if look == "bands":
        return 0.5 + 0.5 * np.sin(height * (2 * noise.bands))
    if look == "spots":
        return soft_step((height - noise.threshold) * 9)
    if look == "steps":
        return np.minimum(np.floor(height * noise.steps) / (noise.steps - 1), 1)
    if look == "veins":
        return 1 - np.abs(2 * height - 1) ** 0.35
    return height
