"""Lattices of motifs: one small form repeated on an oblique grid, each a little out of place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.lattice import cell_value, value_noise
from tl_core.synthetic.formula.plane import soft_step, texture_pose, turned

MOTIFS = ("disc", "ring", "square", "cross", "mesh", "diamond", "star")


@dataclass(frozen=True)
class Motifs:
    rate: float
    # cells across the picture
    corner: float
    # radians between the grid's two directions
    row_rate: float
    # rows per column
    direction: float
    # radians
    motif: int
    # of MOTIFS
    star_turn: float
    # part of a whole turn
    disorder: float
    radius: float
    # in cells
    is_staggered: bool
    warp: float


def new_parameters(rng: np.random.Generator) -> Motifs:
    return Motifs(
        rate=math.exp(rng.uniform(math.log(2.2), math.log(10))),
        corner=rng.uniform(0.9, 2.24),
        row_rate=math.exp(rng.uniform(-0.5, 0.5)),
        direction=rng.uniform(0, 3.14159),
        motif=int(rng.integers(0, 7)),
        star_turn=rng.uniform(0.15, 0.85),
        disorder=rng.uniform(0, 0.35) * (rng.random() < 0.7),
        radius=rng.uniform(0.2, 0.48),
        is_staggered=bool(rng.integers(0, 2)),
        warp=_draw_warp(rng),
    )


def _draw_warp(rng: np.random.Generator) -> float:
    rng.uniform(0.1, 0.5)  # not used, but part of the sequence of draws
    return rng.uniform(0, 0.3) * (rng.random() < 0.4)


def paint(drawn: Motifs, rng: np.random.Generator, px: int) -> Form:
    pose, salt, faster = texture_pose(rng), int(rng.integers(1 << 24)), rng.uniform(0.92, 1.08)
    x, y = pose.coordinates(px)
    if drawn.warp > 0:
        warp_x = value_noise(x * 3, y * 3, salt + 9) - 0.5
        warp_y = value_noise(x * 3 + 5, y * 3, salt + 8) - 0.5
        x, y = x + 0.4 * drawn.warp * warp_x, y + 0.4 * drawn.warp * warp_y
    along, across = turned(x, y, drawn.direction)
    along, across = along * (drawn.rate * 0.5 * faster), across * (drawn.rate * 0.5 * faster)
    x, y = _in_cell(along, across, salt, drawn)
    return Form(_motif(x, y, drawn))


def _in_cell(
    along: np.ndarray, across: np.ndarray, salt: int, drawn: Motifs
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from the middle of the pixel's motif, about -0.5..0.5."""
    rows = across * (drawn.row_rate / math.sin(drawn.corner))
    columns = along - across * (math.cos(drawn.corner) / math.sin(drawn.corner))
    row = np.floor(rows)
    if drawn.is_staggered:
        columns = columns + 0.5 * (row % 2)
    column = np.floor(columns)
    aside = drawn.disorder * (cell_value(column, row, salt) - 0.5)
    below = drawn.disorder * (cell_value(column, row, salt + 1) - 0.5)
    return columns - column - 0.5 + aside, rows - row - 0.5 + below


def _motif(x: np.ndarray, y: np.ndarray, drawn: Motifs) -> np.ndarray:
    """0..1; the edge is softer the larger the motif."""
    sharp, motif, radius = 14.4 / drawn.rate, MOTIFS[drawn.motif], drawn.radius
    if motif in ("disc", "ring", "star"):
        distance = np.sqrt(x * x + y * y)
        if motif == "disc":
            return soft_step((radius - distance) * sharp)
        if motif == "ring":
            return soft_step((0.09 - np.abs(distance - radius * 0.8)) * sharp)
        points = np.sin(3 * np.arctan2(y, x) + 6.28 * drawn.star_turn)
        return soft_step((radius * 0.8 * (1 + 0.45 * points) - distance) * sharp)
    x, y = np.abs(x), np.abs(y)
    if motif == "diamond":
        return soft_step((radius - x - y) * sharp)
    if motif == "mesh":
        return 1 - soft_step((0.45 - np.maximum(x, y)) * sharp)
    square = soft_step((radius - np.maximum(x, y)) * sharp)
    return square if motif == "square" else square * soft_step((0.1 - np.minimum(x, y)) * sharp)
