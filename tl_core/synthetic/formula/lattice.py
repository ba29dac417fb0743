"""Random values on the integer lattice, and the smooth noise between them.

The values come from one fixed table that repeats every 128 cells; a salt moves its origin, so that
different salts see different places. A texture shows at most some 20 cells across, its finest
octave about 170.
Source of the noise: Perlin's value noise and its octaves (fractional Brownian motion), as in Ebert
et al., Texturing and Modeling, 3rd ed. 2003, ch. 2.
"""

from __future__ import annotations

import numpy as np

_SIZE = 128
_BITS = 7
_VALUES = np.random.default_rng(0).random((_SIZE, _SIZE), dtype=np.float32)


def _corner_terms() -> tuple[np.ndarray, ...]:
    """Bilinear interpolation in the cell (row, column) as a + b*u + c*v + d*u*v, one flat table per term."""
    right, below = np.roll(_VALUES, -1, axis=1), np.roll(_VALUES, -1, axis=0)
    diagonal = np.roll(right, -1, axis=0)
    terms = (_VALUES, right - _VALUES, below - _VALUES, _VALUES - right - below + diagonal)
    return tuple(np.ascontiguousarray(term).ravel() for term in terms)


_TERMS = _corner_terms()


def cell_index(column: np.ndarray, row: np.ndarray, salt: int) -> np.ndarray:
    """Place of lattice points in the table; column and row hold whole numbers of any dtype."""
    # Fibonacci hashing: neighbouring salts land far apart.
    start = (salt * 0x9E3779B1 & 0xFFFFFFFF) >> (32 - 2 * _BITS)
    column = (column.astype(np.intp) + (start & (_SIZE - 1))) & (_SIZE - 1)
    row = (row.astype(np.intp) + (start >> _BITS)) & (_SIZE - 1)
    return (row << _BITS) + column


def cell_value(column: np.ndarray, row: np.ndarray, salt: int) -> np.ndarray:
    """Random numbers of the lattice points, 0..1 float32."""
    return value_at(cell_index(column, row, salt))


def value_at(index: np.ndarray) -> np.ndarray:
    """The table's numbers at places found by `cell_index`, 0..1 float32."""
    return _TERMS[0][index]


def value_noise(x: np.ndarray, y: np.ndarray, salt: int) -> np.ndarray:
    """Smooth noise with one random value per unit cell corner: 0..1 float32, shape of x and y together."""
    column, row = np.floor(x), np.floor(y)
    u, v = _smooth(x - column), _smooth(y - row)
    index = cell_index(column, row, salt)
    a, b, c, d = (term[index] for term in _TERMS)
    return a + b * u + (c + d * u) * v


def _smooth(t: np.ndarray) -> np.ndarray:
    return t * t * (3 - 2 * t)


def fractal_noise(x: np.ndarray, y: np.ndarray, salt: int, *, octaves: int, gain: float) -> np.ndarray:
    """Sum of `octaves` noises, each twice as fine and `gain` times as strong; contrast drawn out to 0..1."""
    total: np.ndarray | float = 0.0
    strength, whole = 1.0, 0.0
    for octave in range(octaves):
        total = total + strength * value_noise(x, y, salt + 17 * octave)
        whole += strength
        strength *= gain
        x, y = x * 2.03, y * 2.03
    return np.clip((total / whole - 0.5) * (1.4 + 0.25 * octaves) + 0.5, 0, 1)
