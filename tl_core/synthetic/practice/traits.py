"""The parts of a face that stay as they are: nose, beard, glasses, freckles."""

from __future__ import annotations

import numpy as np

from tl_core.synthetic.practice.canvas import Canvas, curve, ellipse, mix
from tl_core.synthetic.practice.people import BLACK, MOUTH_Y, WHITE, Person, ink_of, line_width


def nose(canvas: Canvas, person: Person) -> None:
    s, ink, width = person.nose_size, ink_of(person), line_width(person)
    y = 0.28

    def place(points: np.ndarray, lift: float = 0.16) -> np.ndarray:
        return canvas.pose.surface(points, width=person.width, lift=lift)

    soft = mix(person.skin, (150, 50, 40), 0.4)
    if person.nose == "button":
        canvas.shade(place(ellipse(0, y, 0.1 * s, 0.075 * s)), soft, 0.45, soft=0.02)
        canvas.stroke(
            place(curve([(-0.09 * s, y + 0.02), (0, y + 0.075 * s), (0.09 * s, y + 0.02)])), ink, width * 1.1
        )
    elif person.nose == "hook":
        bridge = [
            (-0.04, -0.02),
            (-0.09 * s, 0.12),
            (-0.12 * s, y - 0.02),
            (-0.02, y + 0.06),
            (0.07 * s, y + 0.02),
        ]
        canvas.stroke(place(curve(bridge), 0.1), ink, width * 1.1, taper=0.1)
    elif person.nose == "wedge":
        wedge = [(0, 0.0), (0.13 * s, y + 0.02), (0.0, y + 0.07)]
        canvas.shade(place(np.array(wedge)), mix(person.skin, (80, 30, 40), 0.5), 0.55, soft=0.008)
        canvas.stroke(
            place(curve([(0.12 * s, y + 0.02), (0.05, y + 0.075), (-0.06 * s, y + 0.05)])), ink, width
        )
    elif person.nose == "dots":
        for side in (-1, 1):
            canvas.fill(place(ellipse(side * 0.055 * s, y + 0.02, 0.02, 0.016, steps=12)), ink)
    else:
        canvas.fill(
            place(ellipse(0, y - 0.01, 0.115 * s, 0.105 * s)),
            mix(person.skin, (230, 90, 80), 0.28),
            outline=ink,
            width=person.ink_width * 0.8,
        )
        canvas.shade(place(ellipse(-0.03 * s, y - 0.05, 0.03, 0.025, steps=12)), WHITE, 0.6, soft=0.008)


def beard(canvas: Canvas, person: Person, jawline: np.ndarray) -> None:
    """jawline: outline of the head from the right ear under the chin to the left ear, (N, 2)."""
    colour = mix(person.hair, BLACK, 0.12)
    inner = canvas.pose.surface(
        curve(
            [
                (-0.9 * person.width, 0.18),
                (-0.62 * person.width, 0.36),
                (-0.42, 0.42),
                (0, 0.38),
                (0.42, 0.42),
                (0.62 * person.width, 0.36),
                (0.9 * person.width, 0.18),
            ]
        ),
        width=person.width,
    )
    if person.beard == "stubble":
        canvas.shade(np.vstack([jawline, inner]), colour, 0.22, soft=0.03)
    elif person.beard == "full":
        out = jawline * (1.03, 1.0) + np.array([0, 0.06])[None] * np.clip(jawline[:, 1:], 0, 1)
        canvas.fill(np.vstack([out, inner]), colour, outline=mix(colour, BLACK, 0.4), width=person.ink_width)
        gap = canvas.pose.surface(
            ellipse(0, MOUTH_Y + 0.02, person.mouth_width * 1.12, 0.13), width=person.width, lift=0.05
        )
        canvas.fill(gap, mix(person.skin, (150, 60, 60), 0.12))
    elif person.beard == "goatee":
        patch = curve(
            [(-0.18, 0.76), (0, 0.72), (0.18, 0.76), (0.15, 0.98), (0, 1.06), (-0.15, 0.98)], closed=True
        )
        canvas.fill(canvas.pose.surface(patch, width=person.width), colour)
    if person.beard in ("moustache", "goatee", "full"):
        for side in (-1, 1):
            sweep = curve([(0.0, 0.42), (side * 0.14, 0.41), (side * 0.3, 0.48)])
            canvas.stroke(canvas.pose.surface(sweep, width=person.width, lift=0.08), colour, 0.11, taper=0.25)


def glasses(canvas: Canvas, person: Person) -> None:
    if person.glasses == "none":
        return
    y, r = person.eye_y + 0.01, person.eye_size * 1.5
    colour = mix(person.second, BLACK, 0.6)

    def place(points: np.ndarray) -> np.ndarray:
        return canvas.pose.surface(points, width=person.width, lift=0.1)

    for side in (-1, 1):
        x = side * person.eye_gap * 1.02
        if person.glasses == "square":
            corners = np.array(
                [
                    (-1, -0.8),
                    (-0.6, -0.92),
                    (0.6, -0.92),
                    (1, -0.8),
                    (1.02, 0.6),
                    (0.7, 0.85),
                    (-0.7, 0.85),
                    (-1.02, 0.6),
                ]
            )
            rim = curve(corners * r + (x, y), closed=True, steps=4)
        else:
            rim = ellipse(x, y, r, r * 0.95)
        lens = place(rim)
        canvas.shade(lens, (225, 240, 255), 0.06)
        shine = place(
            np.array(
                [
                    (x - 0.5 * r, y - 0.65 * r),
                    (x - 0.2 * r, y - 0.75 * r),
                    (x - 0.55 * r, y + 0.05 * r),
                    (x - 0.75 * r, y),
                ]
            )
        )
        canvas.shade(shine, WHITE, 0.22, inside=lens)
        if person.glasses == "half":
            half = len(lens) // 2
            canvas.line(lens[half:], colour, 0.045)
            canvas.line(np.vstack([lens[: half + 1]]), colour, 0.015)
        else:
            canvas.line(np.vstack([lens, lens[:1]]), colour, 0.036)
        canvas.line(
            place(np.array([(x + side * r, y - 0.1 * r), (side * person.width * 0.92, y - 0.05)])),
            colour,
            0.03,
        )
    bridge = person.eye_gap * 1.02 - r
    canvas.line(place(curve([(-bridge, y - 0.02), (0, y - 0.06), (bridge, y - 0.02)])), colour, 0.03)


def freckles(canvas: Canvas, person: Person) -> None:
    spots = [(0.28, 0.24), (0.36, 0.3), (0.44, 0.25), (0.33, 0.37), (0.5, 0.33)]
    for side in (-1, 1):
        for x, y in spots:
            spot = canvas.pose.surface(ellipse(side * x, y, 0.016, 0.014, steps=10), width=person.width)
            canvas.shade(spot, mix(person.skin, (120, 50, 20), 0.6), 0.7)
