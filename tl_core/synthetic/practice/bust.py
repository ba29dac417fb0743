"""Head without a face, neck, shoulders and clothes."""

from __future__ import annotations

import numpy as np

from tl_core.synthetic.practice.canvas import Canvas, curve, ellipse, mix
from tl_core.synthetic.practice.moods import Mood
from tl_core.synthetic.practice.people import BLACK, WHITE, Person, ink_of


def head_outline(person: Person, mood: Mood, yaw: float) -> np.ndarray:
    """Closed outline, clockwise from the top; an open mouth lets the chin down."""
    w, j = person.width, person.width * person.jaw
    drop = 0.09 * min(mood.mouth_open, 1.0)
    right = [
        (0, -1.0),
        (0.55 * w, -0.9),
        (0.93 * w, -0.5),
        (w, -0.05),
        (0.97 * w, 0.3),
        (j, 0.64 + drop * 0.5),
        (person.chin, 0.93 + drop),
        (0, 0.99 + drop),
    ]
    points = np.array(right + [(-x, y) for x, y in reversed(right[1:-1])])
    # Turning the head pushes jaw and chin to the side more than the skull.
    points[:, 0] += np.sin(yaw) * (0.06 + 0.16 * np.clip(points[:, 1], 0, 1))
    return curve(points, closed=True)


def body(canvas: Canvas, person: Person) -> None:
    ink = mix(person.clothes, BLACK, 0.3 + 0.5 * person.ink_dark)
    w = person.width
    skin_shadow = mix(person.skin, (90, 30, 40), 0.28)
    torso = curve(
        [
            (-0.42 * w, 1.28),
            (-0.9, 1.42),
            (-1.45, 1.7),
            (-1.75, 2.6),
            (1.75, 2.6),
            (1.45, 1.7),
            (0.9, 1.42),
            (0.42 * w, 1.28),
        ]
    )
    canvas.fill(torso, person.clothes, outline=ink, width=person.ink_width)
    if person.neckline == "stripes":
        for y in np.arange(1.5, 2.6, 0.22):
            band = np.array([(-2, y), (2, y), (2, y + 0.1), (-2, y + 0.1)])
            canvas.shade(band, person.second, 1.0, inside=torso)
    neck = curve(
        [
            (-0.4 * w, 0.6),
            (-0.4 * w, 1.2),
            (-0.52 * w, 1.38),
            (0, 1.56),
            (0.52 * w, 1.38),
            (0.4 * w, 1.2),
            (0.4 * w, 0.6),
        ]
    )
    if person.neckline == "v":
        neck = np.array(
            [
                (-0.4 * w, 0.6),
                (-0.4 * w, 1.2),
                (-0.55 * w, 1.36),
                (0, 1.95),
                (0.55 * w, 1.36),
                (0.4 * w, 1.2),
                (0.4 * w, 0.6),
            ]
        )
    canvas.fill(neck, person.skin, outline=mix(person.skin, BLACK, 0.6), width=person.ink_width * 0.8)
    canvas.shade(ellipse(0, 0.86, 0.75 * w, 0.36), skin_shadow, 0.75, soft=0.03, inside=neck)
    if person.neckline == "collar":
        for side in (-1, 1):
            flap = np.array(
                [(side * 0.42 * w, 1.2), (side * 0.02, 1.62), (side * 0.42, 1.8), (side * 0.7 * w, 1.42)]
            )
            canvas.fill(flap, mix(person.clothes, WHITE, 0.35), outline=ink, width=person.ink_width)
    elif person.neckline == "hood":
        for side in (-1, 1):
            fold = curve(
                [
                    (side * 0.42 * w, 1.08),
                    (side * 0.95, 1.25),
                    (side * 0.8, 1.62),
                    (side * 0.1, 1.72),
                    (side * 0.36, 1.45),
                ],
                closed=True,
            )
            canvas.fill(fold, mix(person.clothes, BLACK, 0.15), outline=ink, width=person.ink_width)
            canvas.line(np.array([(side * 0.22, 1.66), (side * 0.24, 2.1)]), (240, 238, 230), 0.035)


def head(canvas: Canvas, person: Person, outline: np.ndarray, lamp: int) -> None:
    """Ears, the head itself, its shaded side, the blush of the cheeks."""
    ink = ink_of(person)
    w, yaw = person.width, canvas.pose.yaw
    for side in (-1, 1):
        x = side * (w + 0.03) * (1 - 0.1 * side * np.sin(yaw)) + 0.05 * np.sin(yaw)
        canvas.fill(
            ellipse(x, 0.12, 0.13, 0.2, turn=side * 0.12), person.skin, outline=ink, width=person.ink_width
        )
        canvas.shade(
            ellipse(x + side * 0.01, 0.13, 0.06, 0.11), mix(person.skin, (150, 50, 50), 0.5), 0.5, soft=0.02
        )
        if person.has_earrings:
            canvas.fill(
                ellipse(x + side * 0.02, 0.38, 0.05, 0.06),
                (236, 196, 84),
                outline=ink,
                width=person.ink_width * 0.6,
            )
    canvas.fill(outline, person.skin, outline=ink, width=person.ink_width)
    shadow = mix(person.skin, (88, 30, 60), 0.42)
    canvas.shade(outline + (lamp * 1.3 * w, 0.12), shadow, 0.36, soft=0.1, inside=outline)
    canvas.shade(ellipse(-lamp * 0.4 * w, -0.35, 0.4, 0.35), (255, 246, 226), 0.16, soft=0.1, inside=outline)
    for side in (-1, 1):
        cheek = canvas.pose.surface(ellipse(side * 0.52 * w / 0.83, 0.36, 0.17, 0.12), width=w)
        canvas.shade(
            cheek, mix(person.skin, (255, 90, 90), 0.5), 0.2 + person.blush, soft=0.05, inside=outline
        )
