"""Casting defects: blow hole, crack, chipped rim, scratch.

Defects have relief: a wall in shadow and a wall that catches the lamp. They are large enough to
be seen at 224 px, by a person at a projector too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from tl_core.synthetic.practice import camera
from tl_core.synthetic.practice.part import Part, on_face, to_pixels
from tl_core.synthetic.practice.strokes import Stroke, mask_of, tapered

KINDS = ("blow_hole", "crack", "chipped_rim", "scratch")
_ODDS = (0.34, 0.22, 0.22, 0.22)
_PER_TURN = 2048


@dataclass(frozen=True)
class Mark:
    kind: str
    strokes: list[Stroke] = field(default_factory=list)
    # of all kinds but the chipped rim
    chip: tuple[float, float, float] = (0.0, 0.0, 0.0)
    # depth in outer radii, angle, half width in radians


def plan(rng: np.random.Generator, part: Part) -> list[Mark]:
    """One to three defects; more than half of the parts have one."""
    num = int(rng.choice([1, 2, 3], p=[0.55, 0.33, 0.12]))
    return [_PLANNERS[str(kind)](rng, part) for kind in rng.choice(KINDS, size=num, p=_ODDS)]


def _blow_hole(rng: np.random.Generator, part: Part) -> Mark:
    """A gas pore with an uneven outline, often with smaller ones around it."""
    radius, angle = on_face(rng, part)
    (middle,) = to_pixels(part, np.array([radius]), np.array([angle]))
    is_on_hub = radius < part.hub
    size_px = rng.uniform(3.6, 6.6)
    num_around = int(rng.choice([0, 1, 2, 4], p=[0.4, 0.25, 0.2, 0.15]))
    if is_on_hub:
        size_px = min(size_px, 0.42 * (part.hub - part.bore) * part.radius_px)
        num_around = 0
    strokes = [(_blob(rng, middle, size_px), 0.0)]
    for _ in range(num_around):
        away, turn = rng.uniform(1.6, 3.2) * size_px, rng.uniform(0, 2 * np.pi)
        beside = middle + away * np.array([np.cos(turn), np.sin(turn)])
        strokes.append((_blob(rng, beside, size_px * rng.uniform(0.3, 0.6)), 0.0))
    return Mark("blow_hole", strokes)


def _blob(rng: np.random.Generator, middle: np.ndarray, size_px: float) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wobble = np.ones(24)
    for k in (2, 3, 4, 5):
        wobble += rng.normal(0, 0.2 / k) * np.cos(k * turn + rng.uniform(0, 6.3))
    lean, stretch = rng.uniform(0, np.pi), rng.uniform(0.7, 1.0)
    points = np.stack([np.cos(turn) * wobble, np.sin(turn) * wobble * stretch], axis=-1) * size_px
    spin = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    return points @ spin.T + middle


def _crack(rng: np.random.Generator, part: Part) -> Mark:
    """A jagged line that starts at the rim or the groove and wanders across the flange."""
    is_inward = rng.random() < 0.6
    end = part.groove + rng.uniform(0.02, 0.14) if is_inward else rng.uniform(0.82, 0.93)
    radius = np.linspace(0.985 if is_inward else part.groove, end, 17)
    # Long bends with short jags on them.
    wander = np.cumsum(rng.normal(rng.normal(0, 0.012), 0.018, 17)) + rng.normal(0, 0.012, 17)
    angle = rng.uniform(0, 2 * np.pi) + wander
    line = to_pixels(part, radius + rng.normal(0, 0.004, 17), angle)
    width = rng.uniform(2.0, 3.0)
    # Widest where it opened, a hair at its tip.
    strokes = [(line[:7], width), (line[6:12], width * 0.75), tapered(line[10:], width * 0.7)]
    if rng.random() < 0.5:
        at = int(rng.integers(3, 11))
        heading = line[at + 3] - line[at]
        side = np.array([-heading[1], heading[0]]) * rng.choice([-1, 1])
        reach = np.linspace(0, rng.uniform(0.8, 1.5), 6)[:, None]
        branch = line[at] + reach * (0.7 * side + 0.6 * heading) + rng.normal(0, 0.6, (6, 2)) * (reach > 0)
        strokes.append(tapered(branch, width * 0.75))
    return Mark("crack", strokes)


def _scratch(rng: np.random.Generator, part: Part) -> Mark:
    """One to four gouges across the turned face, never along the lathe marks."""
    radius, angle = on_face(rng, part)
    radius = max(radius, (part.groove + 0.95) / 2 - 0.06)
    (middle,) = to_pixels(part, np.array([radius]), np.array([angle]))
    heading = angle + rng.uniform(-0.9, 0.9)
    ahead = np.array([np.cos(heading), np.sin(heading)])
    side = np.array([-ahead[1], ahead[0]])
    length_px = rng.uniform(0.3, 0.46) * part.radius_px
    bend_px = rng.normal(0, 1.5)
    strokes = []
    for k in range(int(rng.choice([1, 2, 3, 4], p=[0.35, 0.3, 0.2, 0.15]))):
        t = np.linspace(-0.5, 0.5, 12) * rng.uniform(0.5 if k else 0.8, 1.0) + rng.normal(0, 0.08) * (k > 0)
        offset_px = k * rng.uniform(2.5, 5) + bend_px * (1 - 4 * t**2) + k * rng.normal(0, 6) * t
        line = middle + (t * length_px)[:, None] * ahead + offset_px[:, None] * side
        strokes.append(tapered(line, rng.uniform(1.7, 2.8)))
    return Mark("scratch", strokes)


def _chipped_rim(rng: np.random.Generator, part: Part) -> Mark:
    chip = (rng.uniform(0.06, 0.11), rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.22))
    return Mark("chipped_rim", chip=chip)


_PLANNERS = {"blow_hole": _blow_hole, "crack": _crack, "scratch": _scratch, "chipped_rim": _chipped_rim}


def rough_edge(rng: np.random.Generator, angle: np.ndarray) -> np.ndarray:
    """The radius at which a sound part ends in every direction: 1, but for a cast edge's roughness."""
    edge = np.ones_like(angle)
    for k in (3, 7, 13, 22):
        edge += np.float32(rng.normal(0, 0.0007)) * np.cos(k * angle + np.float32(rng.uniform(0, 6.3)))
    return edge


def cut(
    lum: np.ndarray,
    edge: np.ndarray,
    marks: list[Mark],
    part: Part,
    rng: np.random.Generator,
    radius: np.ndarray,
    angle: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Cut the defects into the part.

    Shapes: lum, edge, radius, angle (H, W) float32 -> lum, edge, and a box per defect.
    """
    boxes: list[dict[str, Any]] = []
    for mark in marks:
        if mark.kind == "chipped_rim":
            lum, edge, mask = _chip(lum, edge, mark, part, rng, radius, angle)
        else:
            mask = mask_of(lum.shape, mark.strokes)
            lum = _carve(lum, mask, mark.kind, part, rng)
        x, y, width, height = cv2.boundingRect((mask > 0.15).astype(np.uint8))
        boxes.append({"kind": mark.kind, "box": [x, y, x + width - 1, y + height - 1]})
    return lum, edge, boxes


def _relief(depth: np.ndarray, lamp: float) -> np.ndarray:
    """Light on the walls of something `depth` deep: the far wall is lit, the near one is not."""
    soft = cv2.GaussianBlur(depth, (0, 0), 0.9)
    dx = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.25)
    dy = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.25)
    return dx * np.float32(np.cos(lamp)) + dy * np.float32(np.sin(lamp))


def _carve(lum: np.ndarray, mask: np.ndarray, kind: str, part: Part, rng: np.random.Generator) -> np.ndarray:
    walls = _relief(mask, part.lamp)
    if kind == "scratch":
        # Freshly bared metal shines between a dark and a bright flank.
        return lum + mask * np.float32(rng.uniform(0.16, 0.36)) + walls * np.float32(rng.uniform(1.0, 1.4))
    darkness = np.float32(rng.uniform(0.68, 0.88))
    return lum * (1 - darkness * mask) + walls * np.float32(rng.uniform(0.35, 0.7))


def _chip(
    lum: np.ndarray,
    edge: np.ndarray,
    mark: Mark,
    part: Part,
    rng: np.random.Generator,
    radius: np.ndarray,
    angle: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Metal missing at the rim: a dark broken face, and beyond it the table."""
    _, middle, _ = mark.chip
    turned = angle + np.float32(3 * np.pi - middle)
    index = (turned * np.float32(_PER_TURN / (2 * np.pi))).astype(np.int32) & (_PER_TURN - 1)
    bite = np.take(_bite(rng, mark), index)
    inner = edge - bite
    broken = np.clip((radius - inner) * np.float32(part.radius_px * 0.8) + 0.5, 0, 1) * (bite > 0.002)
    grain = camera.smooth_noise(rng, lum.shape[0], 110) * np.float32(0.07)
    face = np.float32(rng.uniform(0.16, 0.32)) + grain
    lum = lum + (face - lum) * broken + _relief(broken, part.lamp) * np.float32(0.4)
    remaining = edge - bite * np.float32(rng.uniform(0.3, 0.7))
    return lum, remaining, broken * (radius < edge)


def _bite(rng: np.random.Generator, mark: Mark) -> np.ndarray:
    """(_PER_TURN,) float32, depth over the angle: a few shells beside each other, as brittle iron
    breaks, with some crumbling."""
    depth, _, half = mark.chip
    turn = np.linspace(-np.pi, np.pi, _PER_TURN, endpoint=False)
    bite = np.zeros(_PER_TURN)
    for at in np.linspace(-0.6, 0.6, int(rng.integers(2, 5))):
        place, reach = (at + rng.normal(0, 0.1)) * half, half * rng.uniform(0.35, 0.6)
        shell = np.sqrt(np.clip(1 - ((turn - place) / reach) ** 2, 0, 1))
        bite = np.maximum(bite, shell * rng.uniform(0.55, 1.0) * depth)
    crumbs = np.interp(turn, np.linspace(-half, half, 25), rng.normal(0, 0.1, 25))
    return np.clip(bite * (1 + crumbs), 0, None).astype(np.float32)
