"""What a face does: the numbers behind an expression, and how each mood draws them.

Teasing is lopsided on purpose: a smirk, one raised brow, a half-closed or winking eye, a tongue.
Everything else is symmetrical up to the small unevenness that every face has; it has open mouths,
closed eyes, raised brows and smiles too, only on both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

Pair = tuple[float, float]
# (left, right) of the picture before mirroring


@dataclass(frozen=True)
class Mood:
    name: str
    corners: Pair = (0.0, 0.0)
    # how far the mouth's corners are drawn up; 1 a broad smile, negative down
    bow: float = 0.0
    # how far the middle of the mouth hangs
    mouth_open: float = 0.0
    mouth_wide: float = 1.0
    mouth_shift: float = 0.0
    # sideways, in mouth widths
    teeth: float = 0.0
    # 0 hidden .. 1 a full row
    tongue: float = 0.0
    # how far it is stuck out
    tongue_side: float = 0.0
    eyes: Pair = (1.0, 1.0)
    # 0 closed, 1 open, above wide
    cheer: float = 0.0
    # lower lids pushed up by the cheeks; closed eyes arch upwards
    gaze: Pair = (0.0, 0.0)
    brows: Pair = (0.0, 0.0)
    # raised
    frown: Pair = (0.0, 0.0)
    # inner ends pulled down; negative drawn up in worry


class _Dice:
    """The throws that moods are made of."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.side = int(rng.choice([-1, 1]))
        # the side that a lopsided face leans to

    def one(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def both(self, low: float, high: float) -> Pair:
        value = self.rng.uniform(low, high)
        return value, value

    def lean(self, strong: Pair, weak: Pair, side: int | None = None) -> Pair:
        """`strong` and `weak` are ranges; the strong one falls on the side the face leans to."""
        a, b = self.one(*strong), self.one(*weak)
        return (b, a) if (side or self.side) > 0 else (a, b)

    def aside(self, low: float, high: float) -> float:
        return self.side * self.one(low, high)

    def sometimes(self, low: float, high: float, odds: float = 0.5) -> float:
        value = self.one(low, high)
        return value if self.rng.random() < odds else 0.0

    def look_around(self) -> Pair:
        return self.one(-0.5, 0.5), self.one(-0.25, 0.25)

    def look_aside(self) -> Pair:
        return self.aside(0.2, 0.9) * float(self.rng.choice([1, 1, -1])), self.one(-0.2, 0.2)

    def one_brow(self) -> Pair:
        return self.lean((0.65, 1.1), (-0.35, 0.05), side=int(self.rng.choice([-1, 1])))


def _smirk(dice: _Dice) -> Mood:
    return Mood(
        "smirk",
        corners=dice.lean((0.9, 1.35), (-0.25, 0.1)),
        bow=dice.one(-0.1, 0.25),
        mouth_shift=dice.aside(0.1, 0.35),
        mouth_wide=dice.one(0.8, 1.1),
        eyes=dice.lean((0.4, 0.6), (0.45, 0.95)),
        cheer=dice.one(0, 0.4),
        gaze=dice.look_aside(),
        brows=dice.one_brow(),
    )


def _tongue(dice: _Dice) -> Mood:
    return Mood(
        "tongue",
        corners=dice.lean((0.6, 1.1), (0.1, 0.5)),
        bow=dice.one(0, 0.3),
        mouth_open=dice.one(0.15, 0.35),
        mouth_shift=dice.aside(0, 0.2),
        tongue=dice.one(0.7, 1.1),
        tongue_side=dice.aside(0, 0.5),
        eyes=dice.lean((0.35, 0.6), (0.6, 1.0)),
        cheer=dice.one(0.2, 0.6),
        gaze=dice.look_aside(),
        brows=dice.one_brow(),
    )


def _wink(dice: _Dice) -> Mood:
    return Mood(
        "wink",
        corners=dice.lean((0.9, 1.3), (0.2, 0.5)),
        bow=dice.one(0.1, 0.4),
        mouth_open=dice.one(0, 0.25),
        mouth_shift=dice.aside(0.05, 0.25),
        teeth=0.6,
        tongue=dice.sometimes(0.6, 0.9),
        tongue_side=dice.aside(0.1, 0.5),
        eyes=dice.lean((0.0, 0.0), (0.9, 1.1)),
        cheer=dice.one(0.3, 0.7),
        brows=dice.lean((-0.2, -0.2), (0.5, 1.0)),
    )


def _grin(dice: _Dice) -> Mood:
    return Mood(
        "grin",
        corners=dice.lean((1.0, 1.4), (-0.1, 0.3)),
        bow=dice.one(0.0, 0.3),
        mouth_open=dice.one(0.22, 0.4),
        mouth_shift=dice.aside(0.1, 0.35),
        teeth=1.0,
        eyes=dice.lean((0.42, 0.65), (0.5, 0.9)),
        cheer=dice.one(0.2, 0.5),
        gaze=dice.look_aside(),
        brows=dice.one_brow(),
    )


def _neutral(dice: _Dice) -> Mood:
    return Mood(
        "neutral",
        corners=dice.both(-0.1, 0.2),
        eyes=dice.both(0.85, 1.05),
        gaze=dice.look_around(),
        brows=dice.both(-0.15, 0.3),
    )


def _smile(dice: _Dice) -> Mood:
    return Mood(
        "smile",
        corners=dice.both(0.6, 1.1),
        bow=dice.one(0.2, 0.5),
        mouth_open=dice.sometimes(0.2, 0.35, odds=0.3),
        teeth=1.0,
        eyes=dice.both(0.75, 1.0),
        cheer=dice.one(0.2, 0.7),
        gaze=dice.look_around(),
        brows=dice.both(0, 0.5),
    )


def _laugh(dice: _Dice) -> Mood:
    has_closed_eyes = dice.rng.random() < 0.5
    return Mood(
        "laugh",
        corners=dice.both(0.8, 1.1),
        bow=dice.one(0.2, 0.5),
        mouth_open=dice.one(0.5, 1.0),
        mouth_wide=dice.one(1.0, 1.25),
        teeth=dice.one(0.5, 1.0),
        eyes=(0.0, 0.0) if has_closed_eyes else dice.both(0.6, 0.95),
        cheer=dice.one(0.5, 1.0),
        gaze=dice.look_around(),
        brows=dice.both(0.2, 0.8),
    )


def _sad(dice: _Dice) -> Mood:
    return Mood(
        "sad",
        corners=dice.both(-1.0, -0.6),
        bow=dice.one(-0.3, -0.1),
        mouth_wide=dice.one(0.7, 0.9),
        eyes=dice.both(0.6, 0.9),
        gaze=(dice.one(-0.5, 0.5), dice.one(0, 0.5)),
        brows=dice.both(0, 0.4),
        frown=dice.both(-1.0, -0.5),
    )


def _surprised(dice: _Dice) -> Mood:
    return Mood(
        "surprised",
        mouth_open=dice.one(0.6, 1.2),
        mouth_wide=dice.one(0.4, 0.6),
        eyes=dice.both(1.15, 1.35),
        brows=dice.both(0.8, 1.2),
    )


def _angry(dice: _Dice) -> Mood:
    return Mood(
        "angry",
        corners=dice.both(-0.7, -0.3),
        bow=dice.one(-0.25, 0),
        mouth_open=dice.sometimes(0.2, 0.35),
        teeth=1.0,
        eyes=dice.both(0.6, 0.85),
        brows=dice.both(-0.7, -0.3),
        frown=dice.both(0.7, 1.2),
    )


def _sleepy(dice: _Dice) -> Mood:
    return Mood(
        "sleepy",
        corners=dice.both(-0.2, 0.2),
        mouth_wide=dice.one(0.7, 1.0),
        mouth_open=dice.sometimes(0.3, 0.7),
        eyes=dice.both(0.35, 0.55),
        gaze=(dice.one(-0.5, 0.5), dice.one(0, 0.4)),
        brows=dice.both(-0.2, 0.4),
    )


def _blink(dice: _Dice) -> Mood:
    return Mood(
        "blink",
        corners=dice.both(0.2, 0.9),
        bow=dice.one(0, 0.3),
        eyes=(0.0, 0.0),
        brows=dice.both(-0.1, 0.3),
    )


_Maker = Callable[[_Dice], Mood]
TEASING: dict[_Maker, float] = {_smirk: 0.34, _tongue: 0.25, _wink: 0.2, _grin: 0.21}
ORDINARY: dict[_Maker, float] = {
    _neutral: 0.19,
    _smile: 0.2,
    _laugh: 0.16,
    _sad: 0.11,
    _surprised: 0.12,
    _angry: 0.1,
    _sleepy: 0.07,
    _blink: 0.05,
}
# how often each mood is drawn


def _pick(rng: np.random.Generator, makers: dict[_Maker, float]) -> Mood:
    index = int(rng.choice(len(makers), p=list(makers.values())))
    return list(makers)[index](_Dice(rng))


def teasing(rng: np.random.Generator) -> Mood:
    return _pick(rng, TEASING)


def ordinary(rng: np.random.Generator) -> Mood:
    """Any other mood, with the small left-right difference of a real face."""
    mood = _pick(rng, ORDINARY)

    def shake(pair: Pair, sigma: float) -> Pair:
        return pair[0] + rng.normal(0, sigma), pair[1] + rng.normal(0, sigma)

    return replace(
        mood,
        corners=shake(mood.corners, 0.08),
        eyes=mood.eyes if max(mood.eyes) < 0.1 else shake(mood.eyes, 0.03),
        brows=shake(mood.brows, 0.07),
        mouth_shift=rng.normal(0, 0.03),
    )
