"""Blob constellations: two to eight soft or hard ellipses, free or on an oval, often in mirrored pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.plane import object_pose, soft_step, turned

_SOFT_FROM = 0.35
# softness above which a blob has no edge


@dataclass(frozen=True)
class Blob:
    x: float
    y: float
    radius: float
    flatness: float
    # height over width
    turn: float
    # radians
    strength: float
    # brighter than the oval above 0, darker below
    softness: float


@dataclass(frozen=True)
class Blobs:
    blobs: tuple[Blob, ...]
    oval_flatness: float
    has_oval: bool


def new_parameters(rng: np.random.Generator) -> Blobs:
    num_blobs = int(rng.integers(2, 9))
    rng.integers(0, 3)  # not used, but part of the sequence of draws
    has_pairs = rng.random() < 0.45
    blobs: list[Blob] = []
    for number in range(num_blobs):
        blob = _draw_blob(rng)
        if has_pairs and number % 2 == 1:
            left = blobs[-1]
            blob = replace(left, x=-left.x, turn=-left.turn)
        blobs.append(blob)
    return Blobs(tuple(blobs), oval_flatness=rng.uniform(0.6, 1.0), has_oval=bool(rng.integers(0, 2)))


def _draw_blob(rng: np.random.Generator) -> Blob:
    return Blob(
        x=rng.uniform(-0.75, 0.75),
        y=rng.uniform(-0.75, 0.75),
        radius=math.exp(rng.uniform(math.log(0.07), math.log(0.38))),
        flatness=rng.uniform(0.3, 1.0),
        turn=rng.uniform(0, 3.14),
        strength=rng.uniform(0.5, 1) * float(rng.choice([-1, 1])),
        softness=rng.uniform(0.08, 1.0),
    )


def paint(drawn: Blobs, rng: np.random.Generator, px: int) -> Form:
    pose = object_pose(rng)
    blobs = [_moved(blob, rng) for blob in drawn.blobs]
    x, y = pose.coordinates(px)
    if drawn.has_oval:
        across = y / drawn.oval_flatness
        oval = soft_step((1 - np.sqrt(x * x + across * across)) * 3)
        value = 0.5 * oval
        for blob in blobs:
            value += 0.5 * blob.strength * _blob(x, y, blob)
        return Form(np.clip(value, 0, 1), oval)
    value, cover = np.zeros_like(x), np.zeros_like(x)
    for blob in blobs:
        spot = _blob(x, y, blob)
        value += spot * (0.8 * blob.strength if blob.strength > 0 else -0.45 * blob.strength)
        np.maximum(cover, spot, out=cover)
    return Form(np.clip(value, 0, 1), cover)


def _moved(blob: Blob, rng: np.random.Generator) -> Blob:
    return replace(
        blob,
        x=blob.x + rng.uniform(-0.07, 0.07),
        y=blob.y + rng.uniform(-0.07, 0.07),
        radius=blob.radius * math.exp(rng.uniform(-0.15, 0.15)),
        strength=blob.strength * rng.uniform(0.75, 1.25),
    )


def _blob(x: np.ndarray, y: np.ndarray, blob: Blob) -> np.ndarray:
    """(px, px) of 0..1, 1 in the blob's middle."""
    along, across = turned((x - blob.x) / blob.radius, (y - blob.y) / blob.radius, blob.turn)
    across = across / blob.flatness
    square = along * along + across * across
    if blob.softness > _SOFT_FROM:
        return np.exp(-square)
    return soft_step((1 - np.sqrt(square)) * (1.2 / blob.softness))
