"""The casting set: pump impellers photographed from above, sound or with a defect."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np

from tl_core.synthetic.practice import camera, defects, harmless, metal
from tl_core.synthetic.practice.part import SIZE_PX, new_part, polar, soft_step
from tl_core.synthetic.practice.writing import Shot

CLASSES = ("def_front", "ok_front")

COUNTS = {
    ("train", "def_front"): 170,
    ("train", "ok_front"): 90,
    ("test", "def_front"): 60,
    ("test", "ok_front"): 34,
}

ABOUT = """Cast impellers seen from above: def_front has a blow hole, crack, chipped rim or scratch,
ok_front has none. Stains, polishing lines and dust are harmless and lie on both.
boxes.json: per file, the kind and box [x0, y0, x1, y1] (pixels, corners included) of every defect."""


def draw(rng: np.random.Generator, label: str) -> tuple[np.ndarray, dict[str, Any]]:
    """One photograph of a casting.

    The defects have random numbers of their own: with the same seed, `def_front` is the part of
    `ok_front` under the same light, only damaged.

    Returns: image (300, 300, 3) uint8 RGB; info {"defects": [{"kind", "box": [x0, y0, x1, y1]}]}
    with boxes in pixels, corners included, empty for `ok_front`.
    """
    rng, defect_rng = rng.spawn(2)
    part = new_part(rng)
    radius, angle = polar(part)
    surface = metal.shade(part, rng, radius, angle)
    lum = harmless.add(surface.brightness, part, rng, surface.is_face)
    edge = defects.rough_edge(rng, angle)
    marks = defects.plan(defect_rng, part) if label == "def_front" else []
    lum, edge, boxes = defects.cut(lum, edge, marks, part, defect_rng, radius, angle)
    on_part = soft_step((edge - radius) * np.float32(part.radius_px))
    light = camera.uneven_light(rng, SIZE_PX, rng.uniform(0.04, 0.2)) * np.float32(rng.uniform(0.85, 1.18))
    image = camera.expose(
        (surface.table + (lum - surface.table) * on_part) * light,
        rng,
        blur_px=rng.uniform(0.0, 0.75),
        noise=rng.uniform(0.006, 0.02),
        gamma=rng.uniform(0.85, 1.2),
    )
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), {"defects": boxes}


def shots(seed: int) -> list[Shot]:
    """Every picture of the set; each has its own random numbers, so order and threads do not matter."""
    plan: list[Shot] = []
    for (split, label), count in COUNTS.items():
        for _ in range(count):
            number = len(plan)
            file = f"{split}/{label}/cast_{label.removesuffix('_front')}_{number:04d}.jpg"
            plan.append(Shot(file, functools.partial(_draw_number, seed, number, label)))
    return plan


def _draw_number(seed: int, number: int, label: str) -> tuple[np.ndarray, dict[str, Any]]:
    return draw(np.random.default_rng([seed, number]), label)
