"""What is behind a drawn person: plain, graded, striped, dotted, a wall, or lamps out of focus."""

from __future__ import annotations

import cv2
import numpy as np

from tl_core.synthetic.practice import camera

KINDS = ("plain", "graded", "stripes", "dots", "lamps", "wall")


def backdrop(rng: np.random.Generator, size_px: int) -> np.ndarray:
    """(size_px, size_px, 3) uint8 of two colours close to each other."""
    hue, bright = rng.uniform(0, 180), rng.uniform(110, 240)
    first, second = _colour(rng, hue, bright), _colour(rng, hue, bright + rng.normal(0, 35))
    part = _pattern(rng, size_px, str(rng.choice(KINDS))).astype(np.float32)
    picture = cv2.merge([part * (b - a) + a for a, b in zip(first, second, strict=True)])
    return cv2.convertScaleAbs(picture)


def _colour(rng: np.random.Generator, hue: float, bright: float) -> np.ndarray:
    """RGB, (3,) float32, near the hue (0..180)."""
    hsv = [(hue + rng.normal(0, 12)) % 180, rng.uniform(20, 130), np.clip(bright, 40, 250)]
    return cv2.cvtColor(np.array([[hsv]]).astype(np.uint8), cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)


def _pattern(rng: np.random.Generator, size_px: int, kind: str) -> np.ndarray:
    """(size_px, size_px) of 0..1: how much of the second colour."""
    x, y = camera.pixel_grid(size_px)
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = (x * cos + y * sin) / size_px, (y * cos - x * sin) / size_px
    if kind == "stripes":
        return np.clip(np.sin(along * rng.uniform(30, 90)) * 6, 0, 1)
    if kind == "dots":
        per_picture = rng.uniform(45, 100)
        return np.clip((np.cos(along * per_picture) + np.cos(across * per_picture) - 0.7) * 3, 0, 1)
    if kind == "wall":
        return np.clip((y - rng.uniform(120, 260) + x * rng.normal(0, 0.1)) * 0.7, 0, 1)
    if kind == "graded":
        return np.clip(along * rng.uniform(0.6, 1.4) + 0.2, 0, 1)
    if kind == "lamps":
        return _lamps(rng, size_px)
    return np.zeros_like(x)


def _lamps(rng: np.random.Generator, size_px: int) -> np.ndarray:
    part = np.zeros((size_px, size_px), np.float32)
    for _ in range(12):
        lamp = np.zeros((size_px, size_px), np.uint8)
        middle = (int(rng.integers(size_px)), int(rng.integers(size_px)))
        cv2.circle(lamp, middle, int(rng.integers(8, 34)), 255, -1, cv2.LINE_AA)
        part = np.maximum(part, lamp.astype(np.float32) * np.float32(rng.uniform(0.2, 0.9) / 255))
    return part
