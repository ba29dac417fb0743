"""Cast pump impellers seen from above, as a camera over an inspection table sees them.

A part is a set of radii (bore, hub, vane recess, lip, groove, flange, chamfer), shaded with
one lamp: edges by the slope of the profile, the turned faces by the bow-tie shine of lathe
marks. Everything is a function of radius and angle, so edges are soft by construction and no
supersampling is needed. Radii are parts of the outer radius; angles are radians, y down.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tl_core.data.samples import camera, defects
from tl_core.data.samples.writing import Shot

CLASSES = ("def_front", "ok_front")
SIZE_PX = 300

_TABLE = 2048
# entries of a radial table per unit of radius
_TABLE_END = 1.1
# radius where the tables stop


@dataclass(frozen=True)
class Part:
    """One casting lying under the camera; lengths named _px are pixels, others outer radii."""

    centre_px: tuple[float, float]
    radius_px: float
    to_disc: np.ndarray
    # (2, 2) float32: pixels from the centre -> disc plane
    bore: float
    hub: float
    recess: float
    lip: float
    groove: float
    num_vanes: int
    swirl: float
    # radians a vane turns from hub to lip
    turn: float
    # radians the whole part is turned
    lamp: float
    # direction the light comes from, radians
    parallax: tuple[float, float]
    # how far the recess floor and the table below seem shifted, pixels


def _new_part(rng: np.random.Generator) -> Part:
    radius_px = rng.uniform(103, 131)
    room = max(4.0, 146 - radius_px)
    tilt_axis = rng.uniform(0, np.pi)
    squeeze = rng.uniform(0.94, 1.0)
    axis = np.array([[np.cos(tilt_axis), np.sin(tilt_axis)], [-np.sin(tilt_axis), np.cos(tilt_axis)]])
    to_disc = axis.T @ np.diag([1 / squeeze, 1.0]) @ axis / radius_px
    bore = rng.uniform(0.165, 0.2)
    hub = bore + rng.uniform(0.075, 0.105)
    recess = rng.uniform(0.5, 0.56)
    lip = recess + rng.uniform(0.035, 0.06)
    lean = (1 - squeeze) * 90
    return Part(
        centre_px=(150 + rng.uniform(-room, room) * 0.7, 150 + rng.uniform(-room, room) * 0.7),
        radius_px=radius_px,
        to_disc=to_disc.astype(np.float32),
        bore=bore,
        hub=hub,
        recess=recess,
        lip=lip,
        groove=lip + rng.uniform(0.02, 0.035),
        num_vanes=int(rng.integers(6, 9)),
        swirl=rng.uniform(0.9, 1.3),
        turn=rng.uniform(0, 2 * np.pi),
        lamp=rng.uniform(0, 2 * np.pi),
        parallax=(
            np.cos(tilt_axis) * lean + rng.uniform(-2, 2),
            np.sin(tilt_axis) * lean + rng.uniform(-2, 2),
        ),
    )


def _polar(part: Part, shift_px: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    """Radius (outer radius = 1) and angle of every pixel on the plane of the part, float32."""
    x, y = camera.pixel_grid(SIZE_PX)
    dx = x - np.float32(part.centre_px[0] + shift_px[0])
    dy = y - np.float32(part.centre_px[1] + shift_px[1])
    (a, b), (c, d) = part.to_disc
    return cv2.cartToPolar(a * dx + b * dy, c * dx + d * dy)


def _radial(bands: list[tuple[float, float]], soft: float) -> np.ndarray:
    """Table over the radius: `bands` are (radius where it starts, value), blurred by `soft` radii."""
    radii = np.arange(int(_TABLE * _TABLE_END)) / _TABLE
    starts = np.array([start for start, _ in bands])
    values = np.array([value for _, value in bands], dtype=np.float32)
    table = values[np.maximum(np.searchsorted(starts, radii, side="right") - 1, 0)]
    return cv2.GaussianBlur(table[None], (0, 0), sigmaX=soft * _TABLE, borderType=cv2.BORDER_REPLICATE)[0]


def _at(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.take(table, index)


def _lathe_marks(rng: np.random.Generator, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Fine concentric lines that come and go along the turn; about unit spread."""
    fine = rng.standard_normal((320, 24)).astype(np.float32) + rng.standard_normal((320, 1)).astype(
        np.float32
    )
    coarse = cv2.resize(rng.standard_normal((40, 10)).astype(np.float32), (24, 320))
    strip = fine * 0.8 + coarse * 0.8
    strip = np.hstack([strip, strip[:, :1]])
    return cv2.remap(
        strip,
        angle * np.float32(24 / (2 * np.pi)),
        radius * np.float32(300),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _shine(rng: np.random.Generator, part: Part) -> np.ndarray:
    """(2048,) brightness over the angle of a turned face: a bow tie towards the lamp, and what
    else of the room is mirrored in it."""
    angle = np.linspace(0, 2 * np.pi, 2048, endpoint=False)
    ring = np.full(2048, rng.uniform(0.56, 0.68))
    sharpness = rng.uniform(2.0, 7.0)
    ring += rng.uniform(0.12, 0.26) * np.exp(sharpness * (np.cos(2 * (angle - part.lamp)) - 1))
    ring += rng.uniform(0.0, 0.1) * np.cos(angle - part.lamp)
    for _ in range(rng.integers(1, 4)):
        middle, half = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5)
        away = np.abs((angle - middle + np.pi) % (2 * np.pi) - np.pi)
        edge = rng.uniform(0.03, 0.15)
        ring += rng.uniform(-0.16, 0.12) / (1 + np.exp(np.clip((away - half) / edge, -30, 30)))
    return ring.astype(np.float32)


def _recess(part: Part, rng: np.random.Generator, table_light: np.ndarray) -> np.ndarray:
    """The dark channel floor with its curved vanes, seen a little shifted because it lies deeper."""
    radius, angle = _polar(part, part.parallax)
    along = (radius - np.float32(part.hub)) / np.float32(part.recess - part.hub)
    phase = (angle - np.float32(part.turn) - np.float32(part.swirl) * along) * np.float32(
        part.num_vanes / (2 * np.pi)
    )
    phase -= np.floor(phase)
    towards = np.cos(angle - np.float32(part.lamp))
    back = np.exp(-phase * 5.0)
    edge = np.exp(-(((phase - 0.07) / 0.05) ** 2))
    floor = np.float32(rng.uniform(0.05, 0.09)) + np.float32(0.03) * along
    return (
        floor
        + back * np.float32(0.07) * (1 - 0.4 * towards)
        + edge * np.float32(rng.uniform(0.05, 0.14)) * (0.9 + 0.5 * towards)
    ) * table_light


def _bore(part: Part, through: float) -> np.ndarray:
    """Through the bore: the table, and on one side the bore's own wall."""
    radius, angle = _polar(part, (part.parallax[0] * 1.8, part.parallax[1] * 1.8))
    inside = _soft_step((np.float32(part.bore * 0.97) - radius) * np.float32(part.radius_px))
    wall = np.float32(0.3) + np.float32(0.22) * np.cos(angle - np.float32(part.lamp + np.pi))
    shade = 1 - np.float32(0.35) * _soft_step(
        (radius - np.float32(part.bore * 0.6)) * np.float32(part.radius_px * 0.25)
    )
    return wall + (np.float32(through) * shade - wall) * inside


def _soft_step(distance_px: np.ndarray) -> np.ndarray:
    """0 outside, 1 inside, over about one pixel: the anti-aliasing of an edge."""
    return np.clip(distance_px * np.float32(0.8) + np.float32(0.5), 0, 1)


def _table_top(part: Part, rng: np.random.Generator, radius: np.ndarray) -> np.ndarray:
    """The inspection table, with the shadow of the part."""
    top = np.full((SIZE_PX, SIZE_PX), rng.uniform(0.42, 0.72), np.float32)
    top += camera.smooth_noise(rng, SIZE_PX, 5) * np.float32(0.012)
    top += camera.smooth_noise(rng, SIZE_PX, 90) * np.float32(rng.uniform(0.003, 0.012))
    throw = rng.uniform(3, 12)
    far, _ = _polar(part, (-np.cos(part.lamp) * throw, -np.sin(part.lamp) * throw))
    spread = rng.uniform(0.04, 0.1)
    shadow = 1 / (1 + np.exp(np.clip((far - np.float32(1.0)) / np.float32(spread), -20, 20)))
    contact = np.exp(-np.clip(radius - 1, 0, None) * np.float32(part.radius_px / 2.2))
    return top * (1 - np.float32(rng.uniform(0.35, 0.7)) * shadow) * (1 - np.float32(0.45) * contact)


def draw(rng: np.random.Generator, label: str) -> tuple[np.ndarray, dict[str, Any]]:
    """One photograph of a casting.

    Returns: image (300, 300, 3) uint8 RGB; info {"defects": [{"kind", "box": [x0, y0, x1, y1]}]}
    with boxes in pixels, corners included, empty for `ok_front`.
    """
    part = _new_part(rng)
    radius, angle = _polar(part)
    marks = defects.plan(rng, part) if label == "def_front" else []
    harmless = defects.plan_harmless(rng, part)

    index = np.minimum((radius * np.float32(_TABLE)).astype(np.int32), int(_TABLE * _TABLE_END) - 1)
    turn_index = (angle * np.float32(2048 / (2 * np.pi))).astype(np.int32) & 2047
    soft = 0.55 / part.radius_px

    table = _table_top(part, rng, radius)
    light = camera.uneven_light(rng, SIZE_PX, rng.uniform(0.04, 0.2))

    # Turned faces: flange, lip and hub share the shine, each with its own brightness.
    is_face = _at(
        _radial(
            [
                (0, 0),
                (part.bore, 0.93),
                (part.hub, 0),
                (part.recess, 1.04),
                (part.lip, 0.0),
                (part.groove, 1.0),
            ],
            soft,
        ),
        index,
    )
    face = _at(_shine(rng, part), turn_index)
    face = face + _lathe_marks(rng, radius, angle) * np.float32(rng.uniform(0.01, 0.03))
    face += camera.smooth_noise(rng, SIZE_PX, 14) * np.float32(rng.uniform(0.004, 0.014))
    lum = face * is_face

    # Chamfers: the slope of the profile towards or away from the lamp.
    w = 1.6 / part.radius_px
    slope = _radial(
        [
            (0, 0),
            (part.bore - w, 0),
            (part.bore, -0.8),
            (part.bore + w, 0),
            (part.hub - 1.5 * w, 0.8),
            (part.hub, 0),
            (part.recess - w, 0),
            (part.recess, -0.9),
            (part.recess + 1.3 * w, 0),
            (part.lip - 1.3 * w, 0.9),
            (part.lip, 0),
            (part.groove, -0.8),
            (part.groove + 1.3 * w, 0),
            (1 - 2.2 * w, 0.9),
            (1.02, 0.9),
        ],
        soft,
    )
    lum += _at(slope, index) * np.cos(angle - np.float32(part.lamp)) * np.float32(rng.uniform(0.16, 0.3))

    in_recess = _at(_radial([(0, 0), (part.hub, 1), (part.recess, 0)], soft), index)
    lum += in_recess * _recess(part, rng, light)
    in_groove = _at(_radial([(0, 0), (part.lip, 1), (part.groove, 0)], soft), index)
    lum += in_groove * np.float32(rng.uniform(0.1, 0.2))
    in_bore = _at(_radial([(0, 1), (part.bore, 0)], soft), index)
    lum += in_bore * _bore(part, rng.uniform(0.3, 0.75))

    lum = defects.apply_harmless(lum, harmless, part, rng, is_face)
    lum, edge, boxes = defects.apply(lum, marks, part, rng, radius, angle)
    on_part = _soft_step((edge - radius) * np.float32(part.radius_px))
    scene = (table + (lum - table) * on_part) * light * np.float32(rng.uniform(0.85, 1.18))

    image = camera.expose(
        scene,
        rng,
        blur_px=rng.uniform(0.0, 0.75),
        noise=rng.uniform(0.006, 0.02),
        gamma=rng.uniform(0.85, 1.2),
    )
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), {"defects": boxes}


ABOUT = """Cast impellers seen from above: def_front has a blow hole, crack, chipped rim or scratch, ok_front has none.
Stains, polishing lines and dust are harmless and lie on both. boxes.json: per file, the kind and box
[x0, y0, x1, y1] (pixels, corners included) of every defect."""

COUNTS = {
    ("train", "def_front"): 170,
    ("train", "ok_front"): 90,
    ("test", "def_front"): 60,
    ("test", "ok_front"): 34,
}


def shots(seed: int) -> list[Shot]:
    """Every picture of the set; each has its own random numbers, so order and threads do not matter."""
    plan = []
    for (split, label), count in COUNTS.items():
        for _ in range(count):
            number = len(plan)
            file = f"{split}/{label}/cast_{label[: label.index('_')]}_{number:04d}.jpg"
            plan.append(Shot(file, functools.partial(_draw_number, seed, number, label)))
    return plan


def _draw_number(seed: int, number: int, label: str) -> tuple[np.ndarray, dict[str, Any]]:
    return draw(np.random.default_rng([seed, number]), label)
