"""Drawn faces of many people, teasing or not: head, neck, clothes, background and light."""

from __future__ import annotations

import functools
import math
from typing import Any

import cv2
import numpy as np

from tl_core.data.samples import camera, face, hair, moods
from tl_core.data.samples.canvas import Canvas, Pose, curve, ellipse, mix
from tl_core.data.samples.people import Person, new_person
from tl_core.data.samples.writing import Shot

CLASSES = ("non_teasing", "teasing")
SIZE_PX = 300
NUM_PEOPLE = 60
NUM_PER_PERSON = 5
NUM_TEASING = 100

ABOUT = """Drawn faces. teasing: a lopsided smirk or grin, a wink, a raised brow, a tongue. non_teasing:
everything else (neutral, smiling, laughing, sad, surprised, angry, sleepy, eyes closed). File names are
face_PERSON_PICTURE.jpg: the same person appears several times, in both classes."""


def _background(rng: np.random.Generator) -> np.ndarray:
    """(SIZE_PX, SIZE_PX, 3) uint8: plain, graded, striped, dotted, or lamps out of focus."""
    x, y = camera.pixel_grid(SIZE_PX)
    hue = rng.uniform(0, 180)

    def colour(value: float) -> np.ndarray:
        hsv = np.uint8([[[(hue + rng.normal(0, 12)) % 180, rng.uniform(20, 130), np.clip(value, 40, 250)]]])
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)

    bright = rng.uniform(90, 240)
    first, second = colour(bright), colour(bright + rng.normal(0, 35))
    angle = rng.uniform(0, 2 * np.pi)
    along = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) / SIZE_PX
    kind = rng.choice(["plain", "graded", "stripes", "dots", "lamps", "wall"])
    if kind == "plain":
        part = np.zeros_like(x)
    elif kind == "stripes":
        part = np.clip(np.sin(along * rng.uniform(30, 90)) * 6, 0, 1)
    elif kind == "dots":
        step = rng.uniform(18, 40)
        across = (y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))) / SIZE_PX
        waves = np.cos(along * (2 * math.pi * SIZE_PX / step)) + np.cos(
            across * (2 * math.pi * SIZE_PX / step)
        )
        part = np.clip((waves - np.float32(0.7)) * np.float32(step * 0.12), 0, 1)
    elif kind == "lamps":
        part = np.zeros_like(x)
        for _ in range(12):
            lamp = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
            middle = (int(rng.integers(SIZE_PX)), int(rng.integers(SIZE_PX)))
            cv2.circle(lamp, middle, int(rng.integers(8, 34)), 255, -1, cv2.LINE_AA)
            part = cv2.max(part, lamp.astype(np.float32) * np.float32(rng.uniform(0.2, 0.9) / 255))
    elif kind == "wall":
        part = np.clip(
            (y - np.float32(rng.uniform(120, 260)) + x * np.float32(rng.normal(0, 0.1))) * 0.7, 0, 1
        )
    else:
        part = np.clip(along * rng.uniform(0.6, 1.4) + 0.2, 0, 1)
    part = part.astype(np.float32)
    picture = cv2.merge([part * (b - a) + a for a, b in zip(first, second, strict=True)])
    return cv2.convertScaleAbs(picture)


def _new_pose(rng: np.random.Generator) -> Pose:
    scale = rng.uniform(82, 106)
    return Pose(
        x_px=150 + rng.uniform(-16, 16),
        y_px=150 + rng.uniform(-10, 16),
        scale_px=scale,
        roll=rng.normal(0, 0.13),
        yaw=float(np.clip(rng.normal(0, 0.2), -0.38, 0.38)),
        pitch=float(np.clip(rng.normal(0, 0.08), -0.16, 0.16)),
        mirrored=bool(rng.random() < 0.5),
    )


def _head_outline(person: Person, mood: moods.Mood, yaw: float) -> np.ndarray:
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


def _body(canvas: Canvas, person: Person) -> None:
    ink = mix(person.clothes, (20, 14, 16), 0.3 + 0.5 * person.ink_dark)
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
    canvas.fill(neck, person.skin, outline=mix(person.skin, (20, 14, 16), 0.6), width=person.ink_width * 0.8)
    canvas.shade(ellipse(0, 0.86, 0.75 * w, 0.36), skin_shadow, 0.75, soft=0.03, inside=neck)
    if person.neckline == "collar":
        for side in (-1, 1):
            flap = np.array(
                [(side * 0.42 * w, 1.2), (side * 0.02, 1.62), (side * 0.42, 1.8), (side * 0.7 * w, 1.42)]
            )
            canvas.fill(flap, mix(person.clothes, (255, 255, 255), 0.35), outline=ink, width=person.ink_width)
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
            canvas.fill(fold, mix(person.clothes, (20, 14, 16), 0.15), outline=ink, width=person.ink_width)
            canvas.line(np.array([(side * 0.22, 1.66), (side * 0.24, 2.1)]), (240, 238, 230), 0.035)


def _head(canvas: Canvas, person: Person, outline: np.ndarray, lamp: int) -> None:
    """Ears, the head itself, its shaded side, the blush of the cheeks."""
    ink = face.ink_of(person)
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


def _freckles(canvas: Canvas, person: Person) -> None:
    spots = [(0.28, 0.24), (0.36, 0.3), (0.44, 0.25), (0.33, 0.37), (0.5, 0.33)]
    for side in (-1, 1):
        for x, y in spots:
            spot = canvas.pose.surface(ellipse(side * x, y, 0.016, 0.014, steps=10), width=person.width)
            canvas.shade(spot, mix(person.skin, (120, 50, 20), 0.6), 0.7)


def draw(
    rng: np.random.Generator, label: str, person: Person | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """One picture of a person (a new one if none is given).

    Returns: image (300, 300, 3) uint8 RGB; info {"mood": its name}.
    """
    person = person or new_person(rng)
    mood = moods.teasing(rng) if label == "teasing" else moods.ordinary(rng)
    pose = _new_pose(rng)
    lamp = int(rng.choice([-1, 1]))
    canvas = Canvas(SIZE_PX, pose, _background(rng))
    outline = _head_outline(person, mood, pose.yaw)
    hair.behind(canvas, person)
    _body(canvas, person)
    _head(canvas, person, outline, lamp)
    if person.has_freckles:
        _freckles(canvas, person)
    jaw = outline[(outline[:, 1] > 0.15)]
    face.beard(canvas, person, jaw)
    face.nose(canvas, person)
    for side in (-1, 1):
        face.eye(canvas, person, mood, side)
    face.mouth(canvas, person, mood)
    hair.over(canvas, person, rng)
    for side in (-1, 1):
        face.brow(canvas, person, mood, side)
    face.glasses(canvas, person)
    return _photograph(canvas.reduced(), rng), {"mood": mood.name}


def _photograph(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    warm = rng.normal(0, 0.05)
    light = camera.uneven_light(rng, SIZE_PX, rng.uniform(0.02, 0.2)) * np.float32(rng.uniform(0.9, 1.12))
    tinted = [light * np.float32(1 + warm * part) for part in (1, 0.1, -1)]
    scene = cv2.multiply(scene, cv2.merge(tinted))
    if rng.random() < 0.08:
        scene = cv2.cvtColor(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return camera.expose(
        scene, rng, blur_px=rng.uniform(0, 0.8), noise=rng.uniform(0.003, 0.012), gamma=rng.uniform(0.85, 1.2)
    )


def shots(seed: int) -> list[Shot]:
    """Every picture of the set: NUM_PEOPLE people, each in both classes."""
    rng = np.random.default_rng([seed, 0])
    people = [new_person(np.random.default_rng([seed, 1, number])) for number in range(NUM_PEOPLE)]
    num_teasing = np.full(NUM_PEOPLE, NUM_TEASING // NUM_PEOPLE)
    num_teasing[rng.permutation(NUM_PEOPLE)[: NUM_TEASING - num_teasing.sum()]] += 1
    plan = []
    for number, person in enumerate(people):
        teasing = set(rng.permutation(NUM_PER_PERSON)[: num_teasing[number]].tolist())
        for picture in range(NUM_PER_PERSON):
            label = CLASSES[picture in teasing]
            file = f"{label}/face_{number:03d}_{picture:02d}.jpg"
            plan.append(Shot(file, functools.partial(_draw_number, seed, number, picture, label, person)))
    return plan


def _draw_number(
    seed: int, number: int, picture: int, label: str, person: Person
) -> tuple[np.ndarray, dict[str, Any]]:
    return draw(np.random.default_rng([seed, 2, number, picture]), label, person)
