"""The shape of one casting and how it lies under the camera. No light here.

Radii are parts of the outer radius; angles are radians, y down; lengths named _px are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIZE_PX = 300


@dataclass(frozen=True)
class Part:
    """From inside out: bore, hub, vane recess, raised lip, groove, flange."""

    centre_px: tuple[float, float]
    radius_px: float
    to_disc: np.ndarray
    # (2, 2) float32: pixels from the centre -> disc plane; holds size and tilt
    bore: float
    hub: float
    recess: float
    lip: float
    groove: float
    # radii where each ring ends; the flange ends at 1
    num_vanes: int
    swirl: float
    # radians a vane turns from hub to lip
    turn: float
    # radians the whole part is turned
    lamp: float
    # direction the light comes from, radians
    parallax: tuple[float, float]
    # how far the recess floor seems shifted because it lies deeper, pixels


def new_part(rng: np.random.Generator) -> Part:
    """The same design within its tolerances, put down somewhere, slightly tilted."""
    radius_px = rng.uniform(103, 131)
    room = 0.7 * max(4.0, 146 - radius_px)
    tilt_axis = rng.uniform(0, np.pi)
    squeeze = rng.uniform(0.94, 1.0)
    cos, sin = np.cos(tilt_axis), np.sin(tilt_axis)
    axis = np.array([[cos, sin], [-sin, cos]])
    to_disc = axis.T @ np.diag([1 / squeeze, 1.0]) @ axis / radius_px
    lean = (1 - squeeze) * 90
    bore = rng.uniform(0.165, 0.2)
    recess = rng.uniform(0.5, 0.56)
    lip = recess + rng.uniform(0.035, 0.06)
    return Part(
        centre_px=(150 + rng.uniform(-room, room), 150 + rng.uniform(-room, room)),
        radius_px=radius_px,
        to_disc=to_disc.astype(np.float32),
        bore=bore,
        hub=bore + rng.uniform(0.075, 0.105),
        recess=recess,
        lip=lip,
        groove=lip + rng.uniform(0.02, 0.035),
        num_vanes=int(rng.integers(6, 9)),
        swirl=rng.uniform(0.9, 1.3),
        turn=rng.uniform(0, 2 * np.pi),
        lamp=rng.uniform(0, 2 * np.pi),
        parallax=(float(cos * lean + rng.uniform(-2, 2)), float(sin * lean + rng.uniform(-2, 2))),
    )


def polar(part: Part, shift_px: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    """Radius and angle (0 to 2 pi) of every pixel on the plane of the part.

    Shapes: two (SIZE_PX, SIZE_PX) float32.
    """
    along = np.arange(SIZE_PX, dtype=np.float32) + np.float32(0.5)
    dx = along[None, :] - np.float32(part.centre_px[0] + shift_px[0])
    dy = along[:, None] - np.float32(part.centre_px[1] + shift_px[1])
    (a, b), (c, d) = part.to_disc
    radius, angle = cv2.cartToPolar(a * dx + b * dy, c * dx + d * dy)
    return radius, angle


def to_pixels(part: Part, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Places on the disc -> (N, 2) pixel coordinates."""
    disc = np.stack([np.asarray(radius) * np.cos(angle), np.asarray(radius) * np.sin(angle)], axis=-1)
    return disc @ np.linalg.inv(part.to_disc).T + part.centre_px


def on_face(rng: np.random.Generator, part: Part) -> tuple[float, float]:
    """A place (radius, angle) on the flange, sometimes on the hub."""
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.12:
        return (part.bore + part.hub) / 2, angle
    low, high = part.groove + 0.05, 0.93
    # Uniform over the area, not over the radius.
    return float(np.sqrt(rng.uniform(low**2, high**2))), angle


def soft_step(distance_px: np.ndarray) -> np.ndarray:
    """0 outside, 1 inside, over about one pixel: the anti-aliasing of an edge."""
    return np.clip(distance_px * np.float32(0.8) + np.float32(0.5), 0, 1)
