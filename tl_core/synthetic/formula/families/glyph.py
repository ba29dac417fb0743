"""Spline glyphs: one to three strokes, straight or curved, like letters of no alphabet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.plane import object_pose, soft_step

_CURVE_STEPS = 4
# straight pieces from one point of a curve to the next


@dataclass(frozen=True)
class Glyph:
    strokes: tuple[tuple[tuple[float, float], ...], ...]
    # the points of each stroke, -0.85..0.85
    width: float
    is_straight: bool


def new_parameters(rng: np.random.Generator) -> Glyph:
    num_strokes = int(rng.integers(1, 4))
    width, is_straight = rng.uniform(0.05, 0.2), bool(rng.integers(0, 2))
    strokes = []
    for _ in range(num_strokes):
        num_points = int(rng.integers(2, 6) if num_strokes > 1 else rng.integers(3, 7))
        points = rng.uniform(-0.85, 0.85, (num_points, 2))
        strokes.append(tuple((float(x), float(y)) for x, y in points))
    return Glyph(tuple(strokes), width, is_straight)


def paint(glyph: Glyph, rng: np.random.Generator, px: int) -> Form:
    pose = object_pose(rng)
    strokes = [np.array(points) + rng.uniform(-0.1, 0.1, (len(points), 2)) for points in glyph.strokes]
    half_width = 0.5 * glyph.width * math.exp(rng.uniform(-0.5, 0.5))
    is_ridged = rng.random() < 0.3
    lines = [stroke if glyph.is_straight else _curve(stroke) for stroke in strokes]
    x, y = pose.coordinates(px)
    distance = _distance(x, y, lines)
    cover = soft_step((half_width - distance) / pose.pixel_size(px))
    value = np.maximum(1 - distance * (0.6 / half_width), 0) if is_ridged else np.ones_like(cover)
    return Form(value, cover)


def _curve(points: np.ndarray) -> np.ndarray:
    """Catmull-Rom line through the points, whose ends count twice: (N, 2) -> (4 (N - 1) + 1, 2)."""
    if len(points) == 2:
        return points
    p = np.vstack([points[:1], points, points[-1:]])
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    t = (np.arange(1, _CURVE_STEPS + 1) / _CURVE_STEPS)[None, :, None]
    line = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.vstack([points[:1], line.reshape(-1, 2)])


def _distance(x: np.ndarray, y: np.ndarray, lines: list[np.ndarray]) -> np.ndarray:
    """Distance of every pixel from the nearest line: (px, px) float32.

    For a piece from a by b the nearest place is a + t b with t = (p - a)·b / |b|² kept in 0..1, and the
    square of the distance is |p - a|² - t (2 (p - a)·b - t |b|²).
    """
    nearest = np.full_like(x, 81)
    for line in lines:
        for (ax, ay), (bx, by) in zip(line[:-1].tolist(), np.diff(line, axis=0).tolist(), strict=True):
            from_x, from_y = x - ax, y - ay
            dot = from_x * bx + from_y * by
            square = bx * bx + by * by + 1e-6
            part = np.clip(dot * (1 / square), 0, 1)
            away = from_x * from_x + from_y * from_y - part * (2 * dot - part * square)
            np.minimum(nearest, away, out=nearest)
    return np.sqrt(np.maximum(nearest, 0))
