"""The parts of a face that a mood moves: eyes, brows, mouth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tl_core.synthetic.practice.canvas import Canvas, curve, ellipse, mix, rotation
from tl_core.synthetic.practice.moods import Mood
from tl_core.synthetic.practice.people import BLACK, MOUTH_Y, WHITE, Person, ink_of, line_width


def eye(canvas: Canvas, person: Person, mood: Mood, side: int) -> None:
    """side: -1 left, 1 right of the picture."""
    opened = mood.eyes[0 if side < 0 else 1]
    rx, ry = person.eye_size, person.eye_size * 0.95
    middle = np.array([side * person.eye_gap, person.eye_y])
    slant = rotation(side * -person.eye_slant)

    def place(points: np.ndarray) -> np.ndarray:
        return canvas.pose.surface(points @ slant.T + middle, width=person.width)

    ink, width = ink_of(person), line_width(person)
    t = np.linspace(-1, 1, 21)
    bulge = np.sqrt(np.clip(1 - np.abs(t) ** 2.3, 0, 1))
    if opened < 0.12:
        arch = -0.55 if mood.cheer > 0.25 else 0.4
        canvas.stroke(
            place(np.stack([t * rx, arch * ry * bulge + 0.25 * ry], axis=-1)), ink, width * 2.0, taper=0.3
        )
        if mood.cheer > 0.25:
            canvas.stroke(
                place(np.array([(side * rx * 1.05, 0.15 * ry), (side * rx * 1.35, -0.05 * ry)])),
                ink,
                width,
                taper=0.2,
            )
        return
    # A lid that comes down is flat; an open eye is round above.
    upper = -ry * (1.75 * opened - 0.75) * bulge if opened < 1 else -ry * opened * bulge
    lower = ry * (0.95 - 0.45 * mood.cheer) * bulge
    upper = np.minimum(upper, lower - 0.01)
    shape = place(np.vstack([np.stack([t * rx, upper], axis=-1), np.stack([t * rx, lower], axis=-1)[::-1]]))
    full = place(
        np.vstack([np.stack([t * rx, -ry * bulge], axis=-1), np.stack([t * rx, lower], axis=-1)[::-1]])
    )
    if opened < 0.9:
        canvas.fill(full, mix(person.skin, (90, 40, 40), 0.22))
        canvas.stroke(
            place(np.stack([t * rx, -ry * 0.98 * bulge], axis=-1)),
            mix(person.skin, ink, 0.6),
            width * 0.9,
            taper=0.1,
        )
    canvas.fill(shape, (252, 250, 246))
    look = np.array([mood.gaze[0] * rx * 0.42, mood.gaze[1] * ry * 0.4 + 0.02])
    iris = place(ellipse(look[0], look[1], rx * 0.6, rx * 0.6))
    canvas.shade(iris, person.iris, 1.0, inside=shape)
    canvas.shade(place(ellipse(look[0], look[1], rx * 0.33, rx * 0.33)), (18, 14, 18), 1.0, inside=shape)
    canvas.shade(
        place(np.stack([t * rx, upper + 0.03], axis=-1)), (60, 50, 70), 0.25, soft=0.012, inside=shape
    )
    glint = place(ellipse(look[0] - rx * 0.2, look[1] - rx * 0.24, rx * 0.17, rx * 0.17, steps=14))
    canvas.shade(glint, WHITE, 1.0, inside=shape)
    canvas.stroke(place(np.stack([t * rx * 1.06, upper], axis=-1)), ink, width * 2.1, taper=0.35)
    canvas.stroke(
        place(np.stack([t * rx, lower], axis=-1)), mix(person.skin, ink, 0.5), width * 0.8, taper=0.1
    )
    if mood.cheer > 0.45:
        canvas.stroke(
            place(np.stack([t * rx * 0.8, lower + 0.06], axis=-1)),
            mix(person.skin, ink, 0.35),
            width,
            taper=0.1,
        )


def brow(canvas: Canvas, person: Person, mood: Mood, side: int) -> None:
    index = 0 if side < 0 else 1
    raised, frown = mood.brows[index], mood.frown[index]
    y = person.eye_y - person.brow_y - 0.13 * raised
    arch = 0.05 + 0.05 * max(raised, 0)
    x = side * person.eye_gap
    half = person.eye_size * 1.15
    points = curve(
        [
            (x - side * half, y + 0.03 + 0.13 * frown),
            (x - side * half * 0.2, y - arch * 0.6 + 0.04 * frown),
            (x + side * half * 0.45, y - arch - 0.03 * frown),
            (x + side * half * 1.1, y + 0.05 - 0.07 * frown),
        ]
    )
    colour = mix(person.hair, BLACK, 0.3 if sum(person.hair) > 300 else 0.1)
    canvas.stroke(canvas.pose.surface(points, width=person.width), colour, person.brow_thick, taper=0.35)
    if raised > 0.75:
        crease = points[6:-4] + (0, -0.1)
        canvas.stroke(
            canvas.pose.surface(crease, width=person.width),
            mix(person.skin, ink_of(person), 0.3),
            0.018,
            taper=0.0,
        )


def mouth(canvas: Canvas, person: Person, mood: Mood) -> None:
    half = person.mouth_width * mood.mouth_wide
    t = np.linspace(-1, 1, 33)
    left, right = mood.corners
    rise = 0.18 * (left * np.clip(-t, 0, None) ** 1.5 + right * np.clip(t, 0, None) ** 1.5)
    lip = MOUTH_Y + 0.1 * mood.bow * (1 - t**2) - rise
    x = t * half + mood.mouth_shift * person.mouth_width
    ink, width = ink_of(person), line_width(person)

    def place(points: np.ndarray) -> np.ndarray:
        return canvas.pose.surface(points, width=person.width, lift=0.05)

    upper = np.stack([x, lip - 0.3 * 0.2 * mood.mouth_open * (1 - t**2)], axis=-1)
    lower = np.stack([x, lip + 0.36 * mood.mouth_open * (1 - np.abs(t) ** 2.4)], axis=-1)
    if person.lips > 0:
        red = mix(person.skin, (190, 50, 70), 0.35 + 0.4 * person.lips)
        canvas.stroke(place(upper[4:-4] + (0, -0.012)), red, 0.06, taper=0.1)
        canvas.stroke(place(lower[5:-5] + (0, 0.03)), red, 0.09, taper=0.05)
    if mood.mouth_open > 0.12:
        shape = place(np.vstack([upper, lower[::-1]]))
        canvas.fill(shape, (96, 28, 36))
        if mood.tongue < 0.1 and mood.mouth_open > 0.4:
            canvas.shade(
                place(ellipse(x[16], lower[16, 1] + 0.02, half * 0.55, 0.13 * mood.mouth_open + 0.03)),
                (222, 110, 112),
                1.0,
                inside=shape,
            )
        if mood.teeth > 0.1:
            band = 0.1 * mood.teeth
            row = np.vstack(
                [upper - (0, 0.02), (upper + np.stack([0 * t, band * (1 - t**4)], axis=-1))[::-1]]
            )
            canvas.shade(place(row), (250, 248, 240), 1.0, inside=shape)
        canvas.line(np.vstack([shape, shape[:1]]), ink, width * 1.2)
    else:
        canvas.stroke(place(upper), ink, width * 1.7, taper=0.3)
        canvas.stroke(place(upper[10:-10] + (0, 0.11)), mix(person.skin, ink, 0.3), width, taper=0.1)
    if mood.tongue > 0.1:
        _tongue(canvas, person, mood, place, np.array([x[16], lower[16, 1]]), half)
    for side, lift in ((-1, left), (1, right)):
        if lift > 0.5:
            end = upper[0 if side < 0 else -1]
            fold = curve([end + (side * 0.05, -0.09), end + (side * 0.085, 0.0), end + (side * 0.05, 0.08)])
            canvas.stroke(
                place(fold), mix(person.skin, ink, 0.55), width * (0.6 + 0.6 * min(lift, 1.2)), taper=0.1
            )


def _tongue(
    canvas: Canvas,
    person: Person,
    mood: Mood,
    place: Callable[[np.ndarray], np.ndarray],
    root: np.ndarray,
    half: float,
) -> None:
    length, wide = 0.26 * mood.tongue, min(half * 0.55, 0.19)
    lean = mood.tongue_side * half * 0.5
    root = root + (lean, -0.015)
    sag = lean * 0.5
    outline = [
        (-wide, -0.02), (-wide * 1.02 + sag * 0.5, length * 0.55), (-wide * 0.6 + sag, length * 0.95),
        (sag, length * 1.05),
        (wide * 0.6 + sag, length * 0.95), (wide * 1.02 + sag * 0.5, length * 0.55), (wide, -0.02),
    ]  # fmt: skip
    shape = place(curve(np.array(outline) + root))
    canvas.fill(shape, (232, 112, 122), outline=ink_of(person), width=line_width(person))
    canvas.stroke(
        place(curve(np.array([(0, 0), (sag * 0.5, length * 0.4), (sag, length * 0.75)]) + root)),
        (186, 70, 88),
        0.03,
        taper=0.1,
    )
    canvas.shade(
        place(ellipse(root[0] + sag - wide * 0.4, root[1] + length * 0.7, 0.035, 0.05, steps=14)),
        WHITE,
        0.5,
        soft=0.01,
    )
