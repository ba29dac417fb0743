"""Voronoi cells: every pixel belongs to the nearest of many scattered points.

Source: Worley, A cellular texture basis function, SIGGRAPH 1996.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.lattice import cell_index, cell_value, value_at, value_noise
from tl_core.synthetic.formula.plane import soft_step, texture_pose, turned

DISTANCES = ("round", "diamond", "square")
LOOKS = ("hills", "walls", "tiles", "dots", "rings", "ridges")


@dataclass(frozen=True)
class Cells:
    rate: float
    # cells across the picture
    scatter: float
    # of the points: 0 a grid, 1 anywhere in their squares
    distance: int
    # of DISTANCES
    look: int
    # of LOOKS
    elongation: float
    direction: float
    # radians
    dot_radius: float
    rings: float
    warp: float


def new_parameters(rng: np.random.Generator) -> Cells:
    return Cells(
        rate=math.exp(rng.uniform(math.log(1.8), math.log(11))),
        scatter=float(rng.choice([0.25, 0.6, 1.0])),
        distance=int(rng.integers(0, 3)),
        look=int(rng.integers(0, 6)),
        elongation=math.exp(rng.uniform(0, math.log(4))) * (rng.random() < 0.5) or 1.0,
        direction=rng.uniform(0, 3.14159),
        dot_radius=rng.uniform(0.12, 0.45),
        rings=rng.uniform(3, 12),
        warp=rng.uniform(0, 0.25) * (rng.random() < 0.4),
    )


def paint(cells: Cells, rng: np.random.Generator, px: int) -> Form:
    pose, salt, faster = texture_pose(rng), int(rng.integers(1 << 24)), rng.uniform(0.92, 1.08)
    x, y = pose.coordinates(px)
    along, across = turned(x, y, cells.direction)
    rate = cells.rate * 0.5 * faster
    along, across = along * rate, across * (rate / cells.elongation)
    if cells.warp > 0:
        along = along + 2 * cells.warp * (value_noise(x * 3, y * 3, salt + 9) - 0.5)
        across = across + 2 * cells.warp * (value_noise(x * 3 + 5, y * 3, salt + 8) - 0.5)
    return Form(_looked(*_nearest(along, across, salt, cells), cells))


def _nearest(
    x: np.ndarray, y: np.ndarray, salt: int, cells: Cells
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances to the nearest and the second nearest point, and the nearest one's random value 0..1."""
    column, row = np.floor(x), np.floor(y)
    in_cell_x, in_cell_y = x - (column + 0.5), y - (row + 0.5)
    column, row = column.astype(np.intp), row.astype(np.intp)
    first, second = np.full_like(x, 9), np.full_like(x, 9)
    owner = np.zeros(x.shape, np.intp)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            scatter_x = cell_value(column + right, row + down, salt)
            scatter_y = cell_value(column + right, row + down, salt + 1)
            away_x = np.abs(cells.scatter * (scatter_x - 0.5) + right - in_cell_x)
            away_y = np.abs(cells.scatter * (scatter_y - 0.5) + down - in_cell_y)
            away = _length(away_x, away_y, DISTANCES[cells.distance])
            np.minimum(second, np.maximum(away, first), out=second)
            if LOOKS[cells.look] == "tiles":
                index = cell_index(column + right, row + down, salt + 2)
                np.copyto(owner, index, where=away < first)
            np.minimum(first, away, out=first)
    return first, second, value_at(owner)


def _length(x: np.ndarray, y: np.ndarray, distance: str) -> np.ndarray:
    if distance == "round":
        return np.sqrt(x * x + y * y)
    if distance == "diamond":
        return (x + y) * 0.75
    return np.maximum(x, y)


def _looked(first: np.ndarray, second: np.ndarray, own: np.ndarray, cells: Cells) -> np.ndarray:
    """0..1."""
    look = LOOKS[cells.look]
    if look == "hills":
        return np.minimum(first * 1.2, 1)
    if look == "walls":
        return 1 - soft_step((second - first - 0.12) * 14)
    if look == "tiles":
        return own
    if look == "dots":
        return soft_step((cells.dot_radius - first) * 10)
    if look == "rings":
        return 0.5 + 0.5 * np.sin(first * (2 * cells.rings))
    return np.minimum((second - first) * 1.3, 1)
