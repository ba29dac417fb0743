"""The expression set: drawn faces of many people, teasing or not."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np

from tl_core.synthetic.practice import bust, camera, face, hair, moods, traits
from tl_core.synthetic.practice.backdrop import backdrop
from tl_core.synthetic.practice.canvas import Canvas, Pose
from tl_core.synthetic.practice.people import Person, new_person
from tl_core.synthetic.practice.writing import Shot

CLASSES = ("non_teasing", "teasing")
SIZE_PX = 300
NUM_PEOPLE = 60
NUM_PER_PERSON = 5
NUM_TEASING = 100

ABOUT = """Drawn faces. teasing: a lopsided smirk or grin, a wink, a raised brow, a tongue. non_teasing:
everything else (neutral, smiling, laughing, sad, surprised, angry, sleepy, eyes closed). File names are
face_PERSON_PICTURE.jpg: the same person appears several times, in both classes."""


def _new_pose(rng: np.random.Generator) -> Pose:
    scale = rng.uniform(96, 114)
    return Pose(
        x_px=150 + rng.uniform(-10, 10),
        y_px=156 + rng.uniform(-9, 9),
        scale_px=scale,
        roll=rng.normal(0, 0.08),
        yaw=float(np.clip(rng.normal(0, 0.13), -0.3, 0.3)),
        pitch=float(np.clip(rng.normal(0, 0.06), -0.14, 0.14)),
        mirrored=bool(rng.random() < 0.5),
    )


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
    canvas = Canvas(SIZE_PX, pose, backdrop(rng, SIZE_PX))
    outline = bust.head_outline(person, mood, pose.yaw)
    hair.behind(canvas, person)
    bust.body(canvas, person)
    bust.head(canvas, person, outline, lamp)
    if person.has_freckles:
        traits.freckles(canvas, person)
    jaw = outline[(outline[:, 1] > 0.15)]
    traits.beard(canvas, person, jaw)
    traits.nose(canvas, person)
    for side in (-1, 1):
        face.eye(canvas, person, mood, side)
    face.mouth(canvas, person, mood)
    hair.over(canvas, person, rng)
    for side in (-1, 1):
        face.brow(canvas, person, mood, side)
    traits.glasses(canvas, person)
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
    plan: list[Shot] = []
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
