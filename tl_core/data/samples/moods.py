"""What a face does: the numbers behind an expression, and how each mood draws them.

Teasing is lopsided on purpose: a smirk, one raised brow, a half-closed or winking eye, a tongue.
Everything else is symmetrical up to the small unevenness that every face has; it has open mouths,
closed eyes, raised brows and smiles too, only on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Mood:
    """Sides are (left, right) of the picture before mirroring."""

    name: str
    corners: tuple[float, float] = (0.0, 0.0)
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
    eyes: tuple[float, float] = (1.0, 1.0)
    # 0 closed, 1 open, above wide
    cheer: float = 0.0
    # lower lids pushed up by the cheeks; closed eyes arch upwards
    gaze: tuple[float, float] = (0.0, 0.0)
    brows: tuple[float, float] = (0.0, 0.0)
    # raised
    frown: tuple[float, float] = (0.0, 0.0)
    # inner ends pulled down; negative drawn up in worry


def _pair(up: float, other: float, side: int) -> tuple[float, float]:
    return (other, up) if side > 0 else (up, other)


def teasing(rng: np.random.Generator) -> Mood:
    side = int(rng.choice([-1, 1]))
    gaze = (side * rng.uniform(0.2, 0.9) * rng.choice([1, 1, -1]), rng.uniform(-0.2, 0.2))
    kind = str(rng.choice(["smirk", "tongue", "wink", "grin"], p=[0.36, 0.24, 0.18, 0.22]))
    brow = _pair(rng.uniform(0.65, 1.1), rng.uniform(-0.35, 0.05), side * int(rng.choice([-1, 1])))
    if kind == "smirk":
        lid = rng.uniform(0.4, 0.62)
        return Mood(
            kind, corners=_pair(rng.uniform(0.9, 1.35), rng.uniform(-0.25, 0.1), side), bow=rng.uniform(-0.1, 0.25),
            mouth_shift=side * rng.uniform(0.1, 0.35), mouth_wide=rng.uniform(0.8, 1.1),
            eyes=_pair(lid, lid + rng.uniform(0.0, 0.4), side), cheer=rng.uniform(0, 0.4), gaze=gaze, brows=brow,
        )  # fmt: skip
    if kind == "tongue":
        lid = rng.uniform(0.35, 0.6)
        return Mood(
            kind, corners=_pair(rng.uniform(0.6, 1.1), rng.uniform(0.1, 0.5), side), bow=rng.uniform(0, 0.3), mouth_open=rng.uniform(0.15, 0.35),
            tongue=rng.uniform(0.7, 1.1), tongue_side=side * rng.uniform(0, 0.5), eyes=_pair(lid, rng.uniform(0.6, 1.0), side),
            cheer=rng.uniform(0.2, 0.6), gaze=gaze, brows=brow, mouth_shift=side * rng.uniform(0, 0.2),
        )  # fmt: skip
    if kind == "wink":
        return Mood(
            kind, corners=_pair(rng.uniform(0.9, 1.3), rng.uniform(0.2, 0.5), side), bow=rng.uniform(0.1, 0.4),
            tongue=float(rng.choice([0.0, rng.uniform(0.6, 0.9)])), tongue_side=side * rng.uniform(0.1, 0.5),
            mouth_open=rng.uniform(0, 0.25), teeth=0.6, eyes=_pair(0.0, rng.uniform(0.9, 1.1), side), cheer=rng.uniform(0.3, 0.7),
            gaze=(0.0, 0.0), brows=_pair(-0.2, rng.uniform(0.5, 1.0), side), mouth_shift=side * rng.uniform(0.05, 0.25),
        )  # fmt: skip
    lid = rng.uniform(0.42, 0.65)
    return Mood(
        kind, corners=_pair(rng.uniform(1.0, 1.4), rng.uniform(-0.1, 0.3), side), bow=rng.uniform(0.0, 0.3),
        mouth_open=rng.uniform(0.22, 0.4), teeth=1.0, mouth_shift=side * rng.uniform(0.1, 0.35),
        eyes=_pair(lid, lid + rng.uniform(0, 0.3), side), cheer=rng.uniform(0.2, 0.5), gaze=gaze, brows=brow,
    )  # fmt: skip


def ordinary(rng: np.random.Generator) -> Mood:
    kind = str(
        rng.choice(
            ["neutral", "smile", "laugh", "sad", "surprised", "angry", "sleepy", "blink"],
            p=[0.2, 0.2, 0.16, 0.11, 0.12, 0.09, 0.07, 0.05],
        )
    )
    u = rng.uniform
    gaze = (u(-0.5, 0.5), u(-0.25, 0.25))
    moods = {
        "neutral": Mood(kind, corners=(c := u(-0.1, 0.2), c), eyes=(e := u(0.85, 1.05), e), gaze=gaze, brows=(b := u(-0.15, 0.3), b)),
        "smile": Mood(kind, corners=(c := u(0.6, 1.1), c), bow=u(0.2, 0.5), eyes=(e := u(0.75, 1.0), e), cheer=u(0.2, 0.7), gaze=gaze, brows=(b := u(0, 0.5), b)),
        "laugh": Mood(
            kind, corners=(c := u(0.8, 1.1), c), bow=u(0.2, 0.5), mouth_open=u(0.5, 1.0), mouth_wide=u(1.0, 1.25), teeth=u(0.5, 1.0),
            eyes=(e := float(rng.choice([0.0, u(0.6, 0.95)])), e), cheer=u(0.5, 1.0), gaze=gaze, brows=(b := u(0.2, 0.8), b),
        ),
        "sad": Mood(kind, corners=(c := u(-1.0, -0.6), c), bow=u(-0.3, -0.1), mouth_wide=u(0.7, 0.9), eyes=(e := u(0.6, 0.9), e), gaze=(gaze[0], u(0, 0.5)), brows=(b := u(0, 0.4), b), frown=(f := u(-1.0, -0.5), f)),
        "surprised": Mood(kind, mouth_open=u(0.6, 1.2), mouth_wide=u(0.4, 0.6), eyes=(e := u(1.15, 1.35), e), gaze=(0.0, 0.0), brows=(b := u(0.8, 1.2), b)),
        "angry": Mood(kind, corners=(c := u(-0.7, -0.3), c), bow=u(-0.25, 0), mouth_open=float(rng.choice([0.0, u(0.2, 0.35)])), teeth=1.0, eyes=(e := u(0.6, 0.85), e), brows=(b := u(-0.7, -0.3), b), frown=(f := u(0.7, 1.2), f)),
        "sleepy": Mood(kind, corners=(c := u(-0.2, 0.2), c), mouth_wide=u(0.7, 1.0), mouth_open=float(rng.choice([0.0, u(0.3, 0.7)])), eyes=(e := u(0.35, 0.55), e), gaze=(gaze[0], u(0, 0.4)), brows=(b := u(-0.2, 0.4), b)),
        "blink": Mood(kind, corners=(c := u(0.2, 0.9), c), bow=u(0, 0.3), eyes=(0.0, 0.0), brows=(b := u(-0.1, 0.3), b)),
    }  # fmt: skip
    return _uneven(rng, moods[kind])


def _uneven(rng: np.random.Generator, mood: Mood) -> Mood:
    """The small left-right difference of a real face."""

    def shake(pair: tuple[float, float], sigma: float) -> tuple[float, float]:
        return pair[0] + rng.normal(0, sigma), pair[1] + rng.normal(0, sigma)

    eyes = mood.eyes if max(mood.eyes) < 0.1 else shake(mood.eyes, 0.03)
    return replace(
        mood,
        corners=shake(mood.corners, 0.08),
        eyes=eyes,
        brows=shake(mood.brows, 0.07),
        mouth_shift=rng.normal(0, 0.03),
    )
