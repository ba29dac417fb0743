"""The plane that forms are drawn on: pixel centres, the pose of an instance, soft edges.

The picture reaches from -1 to 1 in x and in y, y down, whatever its size in pixels.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np


@functools.lru_cache(maxsize=8)
def pixel_grid(px: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres x (1, px) and y (px, 1), float32; they broadcast to the picture. Never write to them."""
    centres = ((np.arange(px) + 0.5) * (2 / px) - 1).astype(np.float32)
    centres.flags.writeable = False
    return centres[None, :], centres[:, None]


def soft_step(x: np.ndarray) -> np.ndarray:
    """0 below -0.5, 1 above 0.5, a ramp between: an edge one unit wide."""
    return np.clip(x + 0.5, 0, 1)


def turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along and across a direction; angle in radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    return cos * x + sin * y, cos * y - sin * x


@dataclass(frozen=True)
class Pose:
    """How an instance lies in the picture. turn in radians; scale 1 fills the picture."""

    turn: float
    scale: float
    stretch: float
    shear: float
    x: float
    y: float
    # an object's middle, in the picture's units; a texture's shift, in its own
    is_texture: bool

    def coordinates(self, px: int) -> tuple[np.ndarray, np.ndarray]:
        """The form's own coordinates of every pixel: x and y, each (px, px) float32."""
        x, y = pixel_grid(px)
        middle_x, middle_y = (0.0, 0.0) if self.is_texture else (self.x, self.y)
        along, across = turned((x - middle_x) / self.scale, (y - middle_y) / self.scale, self.turn)
        own_x, own_y = along * self.stretch + self.shear * y, across / self.stretch
        return (own_x + self.x, own_y + self.y) if self.is_texture else (own_x, own_y)

    def to_picture(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points of the form -> the picture; stretch and shear are left out."""
        cos, sin = math.cos(self.turn) * self.scale, math.sin(self.turn) * self.scale
        return cos * x - sin * y + self.x, sin * x + cos * y + self.y

    def pixel_size(self, px: int) -> float:
        """Width of a pixel in the form's own units."""
        return 2 / px / self.scale


def object_pose(rng: np.random.Generator) -> Pose:
    """Scale 0.58..1.13; the larger the object, the nearer it stays to the middle."""
    scale = math.exp(rng.uniform(-0.55, 0.12))
    room = max(0.0, 1.02 - 0.8 * scale)
    return _pose(rng, scale, room, is_texture=False)


def texture_pose(rng: np.random.Generator) -> Pose:
    """Scale 0.8..1.25; shifted so far that two instances share no place."""
    return _pose(rng, math.exp(rng.uniform(-0.22, 0.22)), 9.0, is_texture=True)


def _pose(rng: np.random.Generator, scale: float, room: float, *, is_texture: bool) -> Pose:
    return Pose(
        turn=rng.uniform(-0.26, 0.26),
        scale=scale,
        stretch=math.exp(rng.uniform(-0.1, 0.1)),
        shear=rng.uniform(-0.08, 0.08),
        x=rng.uniform(-room, room),
        y=rng.uniform(-room, room),
        is_texture=is_texture,
    )
