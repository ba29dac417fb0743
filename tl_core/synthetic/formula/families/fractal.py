"""Iterated-function fractals: the points that a few affine maps, chosen at random, lead to.

The method is the chaos game (Barnsley, Fractals Everywhere, 1988); as pre-training pictures:
Kataoka et al. 2020, arXiv:2101.08515.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.plane import object_pose

_TRIAL_POINTS = 1500
_POINTS_PER_PIXEL = 0.45
_BURN_IN = 20
# steps until a point has forgotten where it started
_KEPT_STEPS = 12


@dataclass(frozen=True)
class Fractal:
    maps: tuple[tuple[float, ...], ...]
    # (a, b, c, d, e, f) each: x, y -> a x + b y + e, c x + d y + f
    choice: tuple[float, ...]
    # cumulative probability of the maps
    middle_x: float
    middle_y: float
    zoom: float
    # brings the longer side to 1.7
    is_sparse: bool
    # a point lights one pixel; else four, by half


def new_parameters(rng: np.random.Generator) -> Fractal:
    """Draws maps until the points have a shape: neither a line, nor a speck, nor almost empty."""
    while True:
        matrices, shifts, choice = _draw_maps(rng)
        points = _trial(matrices, shifts, choice, rng.random(_TRIAL_POINTS))
        low, high = np.percentile(points, 2, axis=0), np.percentile(points, 98, axis=0)
        if _has_shape(points, low, high):
            break
    middle = (low + high) / 2
    return Fractal(
        maps=tuple((*map(float, m.ravel()), *map(float, s)) for m, s in zip(matrices, shifts, strict=True)),
        choice=tuple(map(float, choice)),
        middle_x=float(middle[0]),
        middle_y=float(middle[1]),
        zoom=float(1.7 / (high - low).max()),
        is_sparse=bool(rng.integers(0, 2)),
    )


def _draw_maps(rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """2 to 4 contractions: matrices (2, 2), shifts (2,), cumulative probabilities by area."""
    matrices, shifts, areas = [], [], []
    for _ in range(int(rng.integers(2, 5))):
        first, second = rng.uniform(0.25, 0.9), rng.uniform(0.2, 0.85)
        before, after = rng.uniform(0, 6.28, 2)
        mirrored = rng.choice([-1, 1])
        matrix = _rotation(before) @ np.diag([first, second * mirrored]) @ _rotation(after)
        matrices.append(matrix)
        shifts.append(rng.uniform(-1, 1, 2))
        areas.append(abs(np.linalg.det(matrix)) + 0.02)
    return matrices, shifts, np.cumsum(np.array(areas) / sum(areas))


def _rotation(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _trial(
    matrices: list[np.ndarray], shifts: list[np.ndarray], choice: np.ndarray, lots: np.ndarray
) -> np.ndarray:
    """One point's way, (N, 2), without its first 50 steps."""
    chosen = np.minimum(np.searchsorted(choice, lots), len(choice) - 1)
    points, point = np.zeros((len(lots), 2)), np.zeros(2)
    for step, which in enumerate(chosen):
        point = matrices[which] @ point + shifts[which]
        points[step] = point
    return points[50:]


def _has_shape(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    sides = high - low
    if not np.isfinite(sides).all() or sides.min() < 0.25 * sides.max() or not 0.3 <= sides.max() <= 30:
        return False
    box = [[low[0], high[0]], [low[1], high[1]]]
    counts = np.histogram2d(points[:, 0], points[:, 1], bins=24, range=box)[0]
    return bool((counts > 0).mean() >= 0.13)


def paint(fractal: Fractal, rng: np.random.Generator, px: int) -> Form:
    pose = object_pose(rng)
    maps = np.array(fractal.maps, np.float32)
    maps *= rng.uniform(0.94, 1.06, maps.shape).astype(np.float32)
    x, y = _points(maps, np.array(fractal.choice), int(_POINTS_PER_PIXEL * px * px), rng)
    x, y = pose.to_picture((x - fractal.middle_x) * fractal.zoom, (y - fractal.middle_y) * fractal.zoom)
    hits = _hits((x + 1) * (px / 2), (y + 1) * (px / 2), px, fractal.is_sparse)
    light = 1 - np.exp(hits * -0.9)
    return Form(0.35 + 0.65 * light, np.minimum(light * 1.3, 1))


def _points(
    maps: np.ndarray, choice: np.ndarray, num_points: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """About num_points points x, y of the fractal. Many points walk side by side: one walks too slowly."""
    walkers = math.ceil(num_points / _KEPT_STEPS)
    lots = rng.random((_BURN_IN + _KEPT_STEPS, walkers), dtype=np.float32)
    chosen = np.minimum(np.searchsorted(choice, lots), len(choice) - 1)
    x, y = np.zeros((2, walkers), np.float32)
    kept_x, kept_y = [], []
    for step, which in enumerate(chosen):
        a, b, c, d, e, f = maps.T[:, which]
        x, y = a * x + b * y + e, c * x + d * y + f
        if step >= _BURN_IN:
            kept_x.append(x)
            kept_y.append(y)
    return np.concatenate(kept_x), np.concatenate(kept_y)


def _hits(x_px: np.ndarray, y_px: np.ndarray, px: int, is_sparse: bool) -> np.ndarray:
    """How much light each pixel got, (px, px) float32; points outside the picture are lost."""
    is_inside = (x_px >= 0) & (y_px >= 0) & (x_px < px) & (y_px < px)
    pixel = y_px[is_inside].astype(np.intp) * px + x_px[is_inside].astype(np.intp)
    hits = np.bincount(pixel, minlength=px * px).reshape(px, px).astype(np.float32)
    if is_sparse:
        return hits
    spread = hits.copy()
    spread[:, 1:] += hits[:, :-1]
    spread[1:] += spread[:-1].copy()
    return spread * np.float32(0.5)
