"""Pictures of more than 8 bits: what counts as white, decided once for a whole set.

Cameras and microscopes write 10, 12 or 14 bits into files of 16, and floats in 0..1, 0..255 or 0..65535.
Read by the file's full range a 12-bit picture is nearly black; stretched one by one, a dark picture and a
bright one would look alike. So the highest bit that any picture of the set uses makes the scale of all,
is kept with the run, and is used on new pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

FULL = 65535
"""White of a 16-bit file of which nothing more is known."""
_FLOAT_WHITES = (1.0, 255.0, 65535.0)
_SLACK = 1.5
# resampling overshoots its range a little; the next range is 255 times as far
_PEAK = 0.999
# share of the pixels that count for a float's range: one hot pixel must not decide


@dataclass(frozen=True)
class Whites:
    """The values that are read as white; None: nothing of that kind in the set."""

    whole: int | None = None
    # of integers of more than 8 bits: 1023, 4095, 65535, …
    fraction: float | None = None
    # of floats: 1, 255 or 65535

    @classmethod
    def of(cls, recorded: Any) -> Whites:
        """From a run's config.json; what is no such record knows of no deep pictures."""
        known = recorded if isinstance(recorded, dict) else {}
        return cls(known.get("whole"), known.get("fraction"))

    @classmethod
    def together(cls, each: Iterable[Whites | None]) -> Whites:
        """One scale for a set: the widest that any of its pictures needs."""
        known = [one for one in each if one]
        whole = [one.whole for one in known if one.whole]
        fraction = [one.fraction for one in known if one.fraction]
        return cls(max(whole, default=None), max(fraction, default=None))

    @property
    def bits(self) -> int | None:
        """How many bits the integers use; None without any."""
        return self.whole.bit_length() if self.whole else None


def needed(values: np.ndarray) -> Whites:
    """What one picture asks for. values: integers of more than 8 bits, or floats; any shape."""
    if values.dtype.kind == "f":
        return Whites(fraction=_float_white(values))
    return Whites(whole=max(2 ** int(values.max(initial=0)).bit_length() - 1, 255))


def white_of(values: np.ndarray, whites: Whites | None) -> float:
    """The value that is read as white in (H, W) or (H, W, C). whites: the set's; None: the full range of 16
    bits, and the range that a float or 32-bit picture fills."""
    if values.dtype.kind == "f":
        return (whites and whites.fraction) or _float_white(values)
    if whites and whites.whole:
        return whites.whole
    return FULL if values.dtype.itemsize <= 2 else _float_white(values)  # 32 bits hold anything


def eight_bit(values: np.ndarray, white: float, *, is_negative: bool = False) -> np.ndarray:
    """Integers of more than 8 bits, or floats -> uint8 of the same shape.

    is_negative: white is zero in the file (X-ray plates, scanners).
    """
    scaled = values.astype(np.float32)
    if values.dtype.kind == "f":
        scaled = np.nan_to_num(scaled, nan=0.0, posinf=white, neginf=0.0)
    scaled = np.clip(scaled * np.float32(255 / white), 0, 255)
    return ((255 - scaled if is_negative else scaled) + 0.5).astype(np.uint8)


def _float_white(values: np.ndarray) -> float:
    """The smallest of the known whites that next to no pixel lies far above. Row by row: a sorted copy of a
    large picture would be larger than it."""
    whites = _FLOAT_WHITES if values.dtype.kind == "f" else (255.0, 65535.0, 2.0**32 - 1)
    num_finite, num_below = 0, np.zeros(len(whites), int)
    for row in values:
        finite = row[np.isfinite(row)]
        num_finite += finite.size
        num_below += [int((finite <= white * _SLACK).sum()) for white in whites]
    if not num_finite:
        return 1.0
    enough = 1 + _PEAK * (num_finite - 1)
    return next((white for white, num in zip(whites, num_below, strict=True) if num >= enough), whites[-1])
