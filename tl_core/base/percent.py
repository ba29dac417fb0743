"""How a share is written, on pages, in reports and in a terminal: one rule of rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

MISSING = "–"
"""Where there is nothing to divide."""


def percent(share: float | None, digits: int = 1, space: str = " ") -> str:
    """0.873 -> "87.3 %"; None -> "–". Halves go up, as people round: 69 of 240 is 28.8 %, though the nearest
    binary fraction lies below 28.75 %. space: between the number and its sign."""
    if share is None:
        return MISSING
    exact = Decimal(f"{share:.12g}") * 100
    return f"{exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)}{space}%"
