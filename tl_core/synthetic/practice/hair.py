"""Hair and headwear, in two layers: what lies behind the head and what lies over the forehead."""

from __future__ import annotations

import numpy as np

from tl_core.synthetic.practice.canvas import Canvas, Colour, curve, ellipse, mix
from tl_core.synthetic.practice.people import Person

_HAIRLINES = {
    # from the left temple over the forehead to the right one; x in half head widths
    "buzz": [
        (-1.0, -0.1), (-0.86, -0.48), (-0.4, -0.66), (0.0, -0.68),
        (0.4, -0.66), (0.86, -0.48), (1.0, -0.1),
    ],
    "side_part": [
        (-1.02, 0.02), (-0.86, -0.42), (-0.5, -0.72), (-0.1, -0.55),
        (0.4, -0.42), (0.84, -0.32), (1.02, 0.02),
    ],
    "bob": [
        (-1.02, 0.3), (-0.9, -0.2), (-0.62, -0.4), (-0.2, -0.37),
        (0.25, -0.39), (0.62, -0.4), (0.9, -0.2), (1.02, 0.3),
    ],
    "long": [
        (-1.04, 0.35), (-0.92, -0.2), (-0.5, -0.58), (0.0, -0.8),
        (0.5, -0.58), (0.92, -0.2), (1.04, 0.35),
    ],
    "afro": [
        (-1.0, -0.05), (-0.88, -0.44), (-0.45, -0.62), (0.0, -0.64),
        (0.45, -0.62), (0.88, -0.44), (1.0, -0.05),
    ],
    "bun": [
        (-1.0, 0.0), (-0.88, -0.45), (-0.45, -0.68), (0.0, -0.72),
        (0.45, -0.68), (0.88, -0.45), (1.0, 0.0),
    ],
    "spiky": [
        (-1.0, -0.05), (-0.86, -0.4), (-0.6, -0.5), (-0.4, -0.38), (-0.16, -0.54),
        (0.08, -0.38), (0.32, -0.54), (0.6, -0.4), (0.86, -0.42), (1.0, -0.05),
    ],
    "curly": [
        (-1.0, -0.02), (-0.88, -0.4), (-0.5, -0.5), (-0.2, -0.44),
        (0.1, -0.52), (0.45, -0.44), (0.88, -0.4), (1.0, -0.02),
    ],
    "pigtails": [
        (-1.02, 0.05), (-0.9, -0.3), (-0.55, -0.44), (-0.15, -0.62),
        (0.3, -0.46), (0.7, -0.42), (0.9, -0.3), (1.02, 0.05),
    ],
    "beanie": [
        (-1.03, -0.2), (-0.9, -0.36), (-0.45, -0.45), (0.0, -0.48),
        (0.45, -0.45), (0.9, -0.36), (1.03, -0.2),
    ],
    "quiff": [
        (-1.0, -0.05), (-0.88, -0.5), (-0.55, -0.64), (-0.1, -0.7),
        (0.4, -0.6), (0.86, -0.48), (1.0, -0.05),
    ],
    "wavy": [
        (-1.04, 0.3), (-0.94, -0.1), (-0.72, -0.42), (-0.3, -0.7),
        (0.1, -0.5), (0.6, -0.42), (0.92, -0.12), (1.04, 0.3),
    ],
}  # fmt: skip
_THICKNESS = {
    "buzz": 0.03,
    "afro": 0.2,
    "bun": 0.06,
    "curly": 0.13,
    "beanie": 0.13,
    "quiff": 0.1,
    "spiky": 0.1,
}


def _dark(person: Person) -> Colour:
    return mix(person.hair, (20, 14, 16), 0.22)


def _ink(person: Person) -> Colour:
    return mix(person.hair, (20, 14, 16), 0.5 + 0.4 * person.ink_dark)


def behind(canvas: Canvas, person: Person) -> None:
    """Everything that the head covers; drawn before it."""
    w, style = person.width, person.hairstyle
    colour, ink = _dark(person), _ink(person)
    turn = -0.25 * np.sin(canvas.pose.yaw)
    if style in ("bob", "long", "wavy"):
        low = {"bob": 0.72, "long": 1.75, "wavy": 1.5}[style]
        flare = {"bob": 1.22, "long": 1.2, "wavy": 1.36}[style]
        side = [
            (0, -1.18),
            (0.75 * w, -1.05),
            (1.12 * w, -0.5),
            (1.18 * w, 0.2),
            (flare * w, low - 0.25),
            (flare * 0.85 * w, low),
            (0.3 * w, low + 0.02),
        ]
        if style == "wavy":
            side = [(x * (1 + 0.05 * (-1) ** i), y) for i, (x, y) in enumerate(side)]
        outline = np.array(side + [(-x, y) for x, y in reversed(side[1:])])
        canvas.fill(curve(outline + (turn, 0), closed=True), colour, outline=ink, width=person.ink_width)
    elif style == "afro":
        puffs = []
        for angle in np.linspace(0.86 * np.pi, 2.14 * np.pi, 14):
            middle = (turn + (w + 0.06) * np.cos(angle), -0.3 + 0.84 * np.sin(angle))
            puffs.append(ellipse(*middle, 0.36, 0.36))
        # First all outlines, then all puffs: one cloud, not a heap of balls.
        for puff in puffs:
            canvas.line(np.vstack([puff, puff[:1]]), ink, 2 * person.ink_width + 0.001)
        for puff in puffs:
            canvas.fill(puff, person.hair)
        canvas.fill(ellipse(turn, -0.35, w + 0.2, 0.95), person.hair)
    elif style == "bun":
        canvas.fill(ellipse(turn * 1.2, -1.24, 0.34, 0.3), person.hair, outline=ink, width=person.ink_width)
        canvas.line(curve([(turn - 0.2, -1.26), (turn, -1.36), (turn + 0.18, -1.24)]), colour, 0.025)
    elif style == "pigtails":
        for side_x in (-1, 1):
            tail = [
                (0.9, -0.3),
                (1.3, -0.32),
                (1.52, 0.1),
                (1.42, 0.62),
                (1.24, 0.95),
                (1.16, 0.5),
                (0.98, 0.1),
            ]
            points = curve(np.array([(side_x * x * w + turn, y) for x, y in tail]), closed=True)
            canvas.fill(points, person.hair, outline=ink, width=person.ink_width)
            canvas.fill(
                ellipse(side_x * 1.05 * w + turn, -0.26, 0.1, 0.12),
                person.second,
                outline=ink,
                width=person.ink_width,
            )


def over(canvas: Canvas, person: Person, rng: np.random.Generator) -> None:
    """What frames the face, and its shadow on the forehead; drawn after the head."""
    style, w = person.hairstyle, person.width
    if style == "bald":
        canvas.shade(ellipse(-0.28 * w, -0.66, 0.2, 0.1, turn=-0.5), (255, 255, 255), 0.4, soft=0.05)
        return
    line = np.array(_HAIRLINES[style]) * (w, 1.0)
    is_zigzag = style in ("spiky", "beanie")
    edge = line if style == "spiky" else curve(line)
    front = canvas.pose.surface(edge * (0.97, 1.0), width=w)
    # The ends follow the outline of the head, not the round of the face.
    front[[0, -1]] = edge[[0, -1]] * (1.03, 1.0) + (0.06 * np.sin(canvas.pose.yaw), 0)
    outer = _outer(canvas, person, edge, rng)
    shape = np.vstack([front, outer[::-1]])
    colour = person.second if style == "beanie" else person.hair
    ink = mix(colour, (20, 14, 16), 0.35 + 0.4 * person.ink_dark)
    shadow = np.vstack([front + (0, 0.07), front[::-1] - (0, 0.1)])
    canvas.shade(shadow, mix(person.skin, (90, 30, 40), 0.5), 0.45, soft=0.025)
    if style == "afro":
        canvas.fill(shape, colour)
        canvas.line(front, ink, max(person.ink_width, 0.012))
    else:
        canvas.fill(shape, colour, outline=ink, width=person.ink_width)
    if style == "beanie":
        _beanie(canvas, person, front, ink)
    elif style != "buzz":
        _strands(canvas, person, front, outer, rng, is_zigzag)


def _outer(canvas: Canvas, person: Person, edge: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Outline of the hair over the skull, from the left temple to the right one."""
    style, w = person.hairstyle, person.width
    thick = _THICKNESS.get(style, 0.12)
    num = 41
    angle = np.linspace(np.pi * 1.0, np.pi * 2.0, num)
    puff = np.ones(num)
    if style == "curly":
        puff += 0.075 * np.abs(np.sin(np.linspace(0, 7 * np.pi, num)))
    elif style == "spiky":
        puff += 0.2 * (np.arange(num) % 5 == 2) * np.sin(np.linspace(0, np.pi, num)) ** 0.5
    elif style == "quiff":
        puff += 0.26 * np.exp(-((np.linspace(-1, 1, num) - 0.25) ** 2) / 0.12)
    elif style == "afro":
        puff += 0.03 * np.abs(np.sin(np.linspace(0, 9 * np.pi, num)))
    x = (w + thick) * np.cos(angle) * puff
    y = -0.1 + (0.92 + thick) * np.sin(angle) * puff
    y += np.linspace(edge[0, 1] + 0.1, edge[-1, 1] + 0.1, num) * np.abs(np.cos(angle)) ** 4
    outer = np.stack([x + 0.06 * np.sin(canvas.pose.yaw), y], axis=-1)
    if style in ("bob", "long", "wavy"):
        # Locks beside the face end in a point.
        pull = np.clip(1 - np.arange(num) / 5, 0, 1)[:, None]
        pull = np.maximum(pull, pull[::-1])
        tip = np.where(np.arange(num)[:, None] < num / 2, edge[0], edge[-1]) * (1.04, 1.0)
        outer = outer + (tip - outer) * pull**2
    return outer


def _strands(
    canvas: Canvas,
    person: Person,
    front: np.ndarray,
    outer: np.ndarray,
    rng: np.random.Generator,
    is_short: bool,
) -> None:
    """A band of shine and a few dark strands between the hairline and the crown."""
    shape = np.vstack([front, outer[::-1]])
    crown = outer[len(outer) // 2]
    light = mix(person.hair, (255, 255, 255), 0.35)
    canvas.shade(
        ellipse(crown[0] - 0.3 * person.width, crown[1] + 0.22, 0.36, 0.07, turn=-0.45),
        light,
        0.5,
        soft=0.03,
        inside=shape,
    )
    if is_short:
        return
    for part in rng.uniform(0.15, 0.85, 5):
        start = front[int(part * (len(front) - 1))]
        top = outer[int((0.25 + 0.5 * part) * (len(outer) - 1))]
        bend = np.array([np.sign(part - 0.5) * 0.06, -0.02])
        canvas.stroke(
            curve([start, (start + top) / 2 + bend, start * 0.25 + top * 0.75]),
            _dark(person),
            0.022,
            taper=0.0,
        )


def _beanie(canvas: Canvas, person: Person, front: np.ndarray, ink: Colour) -> None:
    band = np.vstack([front + (0, 0.02), (front + (0, -0.2))[::-1]])
    canvas.fill(band, mix(person.second, (255, 255, 255), 0.15), outline=ink, width=person.ink_width)
    for at in range(4, len(front) - 4, 5):
        canvas.line(
            np.array([front[at], front[at] + (0, -0.17)]), mix(person.second, (20, 14, 16), 0.25), 0.02
        )
