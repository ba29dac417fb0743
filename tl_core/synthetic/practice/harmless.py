"""Marks that sound and defective castings have alike: stains, polishing lines, dust.

They have no relief and never cross the lathe marks, so "somewhere there is a dark spot or a
line" does not tell the classes apart.
"""

from __future__ import annotations

import cv2
import numpy as np

from tl_core.synthetic.practice import camera
from tl_core.synthetic.practice.part import Part, on_face, to_pixels
from tl_core.synthetic.practice.strokes import mask_of


def add(lum: np.ndarray, part: Part, rng: np.random.Generator, is_face: np.ndarray) -> np.ndarray:
    """Shapes: lum, is_face (H, W) float32 -> lum."""
    for _ in range(rng.integers(0, 4)):
        lum = lum * (1 - _stain(lum.shape[0], part, rng) * np.float32(rng.uniform(-0.12, 0.3)) * is_face)
    for _ in range(rng.integers(0, 4)):
        lum = lum + _polishing_line(lum.shape, part, rng) * np.float32(rng.uniform(-0.14, 0.12)) * is_face
    return lum - _dust(lum.shape, rng) * np.float32(0.5)


def _stain(size_px: int, part: Part, rng: np.random.Generator) -> np.ndarray:
    """(size_px, size_px) 0..1: a soft spot of oil or water with an uneven edge."""
    radius, angle = on_face(rng, part)
    ((cx, cy),) = to_pixels(part, np.array([radius]), np.array([angle]))
    x, y = camera.pixel_grid(size_px)
    spread_px = rng.uniform(4, 13)
    away = ((x - np.float32(cx)) / np.float32(spread_px)) ** 2
    away += ((y - np.float32(cy)) / np.float32(spread_px * rng.uniform(0.5, 1))) ** 2
    uneven = 1 + np.float32(0.3) * camera.smooth_noise(rng, size_px, 40)
    return np.exp(-away * np.clip(uneven, 0.3, 2))


def _polishing_line(shape: tuple[int, ...], part: Part, rng: np.random.Generator) -> np.ndarray:
    """(H, W) 0..1: a faint arc around the middle."""
    radius = rng.uniform(part.groove + 0.03, 0.95)
    angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, rng.uniform(0.15, 0.9), 24)
    line = to_pixels(part, np.full(24, radius), angle)
    return cv2.GaussianBlur(mask_of(shape, [(line, 1.0)]), (0, 0), 0.6)


def _dust(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    num = int(rng.integers(0, 9))
    dust = np.zeros(shape, np.float32)
    dust[rng.integers(0, shape[0], num), rng.integers(0, shape[1], num)] = rng.uniform(0.3, 1.0, num)
    return cv2.GaussianBlur(dust, (0, 0), 0.7)
