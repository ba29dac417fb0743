"""Casting defects (blow hole, crack, chipped rim, scratch) and the harmless marks beside them.

Defects have relief: a wall in shadow, a wall that catches the lamp. Harmless marks (stains,
polishing hairlines that follow the lathe, dust) are on sound and defective parts alike, so that
"somewhere there is a dark spot" does not tell the classes apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tl_core.data.samples import camera

if TYPE_CHECKING:
    from tl_core.data.samples.casting import Part

KINDS = ("blow_hole", "crack", "chipped_rim", "scratch")
_SHIFT = 4
# OpenCV draws at 1/16 pixel


@dataclass(frozen=True)
class Mark:
    """kind; strokes: (polyline (N, 2) float pixels, width px); `at`: (radius, angle, size) of a chip."""

    kind: str
    strokes: list[tuple[np.ndarray, float]] = field(default_factory=list)
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)


def plan(rng: np.random.Generator, part: Part) -> list[Mark]:
    """One to three defects; most parts have one."""
    num = int(rng.choice([1, 2, 3], p=[0.55, 0.33, 0.12]))
    kinds = rng.choice(KINDS, size=num, p=[0.34, 0.22, 0.22, 0.22])
    return [_PLANNERS[str(kind)](rng, part) for kind in kinds]


def plan_harmless(rng: np.random.Generator, part: Part) -> list[Mark]:
    marks = [Mark("stain", at=_on_face(rng, part) + (rng.uniform(4, 13),)) for _ in range(rng.integers(0, 4))]
    marks += [_hairline(rng, part) for _ in range(rng.integers(0, 4))]
    return marks


def _on_face(rng: np.random.Generator, part: Part) -> tuple[float, float]:
    """A place (radius, angle) on the flange, sometimes on the hub."""
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.12:
        return (part.bore + part.hub) / 2, angle
    low, high = part.groove + 0.05, 0.93
    return float(np.sqrt(rng.uniform(low**2, high**2))), angle


def to_pixels(part: Part, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Disc plane -> (N, 2) pixel coordinates."""
    disc = np.stack([np.asarray(radius) * np.cos(angle), np.asarray(radius) * np.sin(angle)], axis=-1)
    return disc @ np.linalg.inv(part.to_disc).T + part.centre_px


def _blow_hole(rng: np.random.Generator, part: Part) -> Mark:
    """A gas pore with an uneven outline, often with smaller ones around it."""
    radius, angle = _on_face(rng, part)
    middle = to_pixels(part, np.array([radius]), np.array([angle]))[0]
    size = rng.uniform(3.4, 6.5)
    strokes = [(_blob(rng, middle, size), 0.0)]
    for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.4, 0.25, 0.2, 0.15]))):
        away = rng.uniform(1.6, 3.2) * size
        turn = rng.uniform(0, 2 * np.pi)
        strokes.append(
            (
                _blob(
                    rng, middle + away * np.array([np.cos(turn), np.sin(turn)]), size * rng.uniform(0.3, 0.6)
                ),
                0.0,
            )
        )
    return Mark("blow_hole", strokes)


def _blob(rng: np.random.Generator, middle: np.ndarray, size_px: float) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    wobble = 1 + sum(rng.normal(0, 0.2 / k) * np.cos(k * turn + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5))
    stretch = rng.uniform(0.7, 1.0)
    lean = rng.uniform(0, np.pi)
    points = np.stack([np.cos(turn) * wobble, np.sin(turn) * wobble * stretch], axis=-1) * size_px
    spin = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    return points @ spin.T + middle


def _crack(rng: np.random.Generator, part: Part) -> Mark:
    """A jagged line that starts at the rim or the groove and wanders across the flange."""
    is_inward = rng.random() < 0.6
    start, end = (
        (0.985, part.groove + rng.uniform(0.02, 0.14))
        if is_inward
        else (part.groove, rng.uniform(0.82, 0.93))
    )
    steps = int(rng.integers(9, 15))
    radius = np.linspace(start, end, steps) + rng.normal(0, 0.008, steps)
    wander = np.cumsum(rng.normal(rng.normal(0, 0.02), 0.035, steps))
    angle = rng.uniform(0, 2 * np.pi) + wander
    line = to_pixels(part, radius, angle)
    width = rng.uniform(1.7, 2.8)
    strokes = [(line[: steps // 2 + 1], width), (line[steps // 2 :], width * 0.75)]
    if rng.random() < 0.5:
        at = int(rng.integers(2, steps - 3))
        heading = line[at + 1] - line[at]
        side = np.array([-heading[1], heading[0]]) * rng.choice([-1, 1])
        reach = np.linspace(0, rng.uniform(2.0, 3.5), 5)[:, None]
        branch = line[at] + reach * (0.8 * side + 0.6 * heading) + rng.normal(0, 0.7, (5, 2)) * (reach > 0)
        strokes.append((branch, width * 0.6))
    return Mark("crack", strokes)


def _scratch(rng: np.random.Generator, part: Part) -> Mark:
    """One to three gouges across the turned face, never along the lathe marks."""
    radius, angle = _on_face(rng, part)
    radius = max(radius, (part.groove + 0.95) / 2 - 0.06)
    middle = to_pixels(part, np.array([radius]), np.array([angle]))[0]
    heading = angle + rng.uniform(-0.9, 0.9)
    ahead = np.array([np.cos(heading), np.sin(heading)])
    side = np.array([-ahead[1], ahead[0]])
    length = rng.uniform(0.3, 0.46) * part.radius_px
    bend = rng.normal(0, 1.5)
    strokes = []
    for k in range(int(rng.choice([1, 2, 3, 4], p=[0.35, 0.3, 0.2, 0.15]))):
        t = np.linspace(-0.5, 0.5, 12) * rng.uniform(0.5, 1.0) + rng.normal(0, 0.08) * (k > 0)
        offset = k * rng.uniform(2.5, 5) + bend * (1 - 4 * t**2) + k * rng.normal(0, 6) * t
        strokes.append(
            (
                _tapered(
                    middle + (t * length)[:, None] * ahead + offset[:, None] * side, rng.uniform(1.5, 2.6)
                ),
                0.0,
            )
        )
    return Mark("scratch", strokes)


def _tapered(line: np.ndarray, width_px: float) -> np.ndarray:
    """Outline of a stroke that is thin at both ends: how a tool skids over metal."""
    heading = np.gradient(line, axis=0)
    side = np.stack([-heading[:, 1], heading[:, 0]], axis=-1)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    half = width_px / 2 * np.sqrt(np.sin(np.linspace(0.03, 0.97, len(line)) * np.pi))[:, None]
    return np.vstack([line + side * half, (line - side * half)[::-1]])


def _chipped_rim(rng: np.random.Generator, part: Part) -> Mark:
    """`at`: depth in radii, angle, half width in radians."""
    return Mark(
        "chipped_rim", at=(rng.uniform(0.05, 0.11), rng.uniform(0, 2 * np.pi), rng.uniform(0.09, 0.22))
    )


def _hairline(rng: np.random.Generator, part: Part) -> Mark:
    """A faint polishing line: an arc, as everything harmless on a lathe is."""
    radius = rng.uniform(part.groove + 0.03, 0.95)
    start, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.9)
    angle = start + np.linspace(0, length, 24)
    return Mark("hairline", [(to_pixels(part, np.full(24, radius), angle), 1.0)])


_PLANNERS = {"blow_hole": _blow_hole, "crack": _crack, "scratch": _scratch, "chipped_rim": _chipped_rim}


def _mask(shape: tuple[int, ...], strokes: list[tuple[np.ndarray, float]]) -> np.ndarray:
    """(H, W) float32 0..1: strokes drawn twice as large and reduced; width 0 fills the outline."""
    canvas = np.zeros((shape[0] * 2, shape[1] * 2), np.uint8)
    for points, width in strokes:
        fixed = np.round(points * 2 * (1 << _SHIFT)).astype(np.int32)[:, None]
        if width:
            cv2.polylines(canvas, [fixed], False, 255, max(1, round(width * 2)), cv2.LINE_AA, _SHIFT)
        else:
            cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, _SHIFT)
    return cv2.resize(canvas, (shape[1], shape[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _relief(depth: np.ndarray, lamp: float) -> np.ndarray:
    """Light on the walls of something `depth` deep: the far wall is lit, the near one is not."""
    soft = cv2.GaussianBlur(depth, (0, 0), 0.9)
    dx = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.25)
    dy = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.25)
    return dx * np.float32(np.cos(lamp)) + dy * np.float32(np.sin(lamp))


def _box(mask: np.ndarray) -> list[int]:
    x, y, width, height = cv2.boundingRect((mask > 0.15).astype(np.uint8))
    return [int(x), int(y), int(x + width - 1), int(y + height - 1)]


def apply(
    lum: np.ndarray,
    marks: list[Mark],
    part: Part,
    rng: np.random.Generator,
    radius: np.ndarray,
    angle: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Cut the defects into the part.

    Shapes: lum, radius, angle (H, W) float32. Returns: lum; edge (H, W), the radius at which the
    part ends in every direction (1 but for chips and the roughness of a cast edge); boxes.
    """
    boxes: list[dict[str, Any]] = []
    wave = sum(
        rng.normal(0, 0.0007) * np.cos(k * angle + np.float32(rng.uniform(0, 6.3))) for k in (3, 7, 13, 22)
    )
    edge = (1 + wave).astype(np.float32)
    for mark in marks:
        if mark.kind == "chipped_rim":
            lum, edge, mask = _chip(lum, edge, mark, part, rng, radius, angle)
        else:
            mask = _mask(lum.shape, mark.strokes)
            lum = _carve(lum, mask, mark.kind, part, rng)
        boxes.append({"kind": mark.kind, "box": _box(mask)})
    return lum, edge, boxes


def _carve(lum: np.ndarray, mask: np.ndarray, kind: str, part: Part, rng: np.random.Generator) -> np.ndarray:
    walls = _relief(mask, part.lamp)
    if kind == "scratch":
        polish = np.float32(rng.uniform(0.12, 0.34))
        return lum + mask * polish + walls * np.float32(rng.uniform(0.9, 1.3))
    darkness = rng.uniform(0.62, 0.86)
    return lum * (1 - np.float32(darkness) * mask) + walls * np.float32(rng.uniform(0.35, 0.7))


def _chip(
    lum: np.ndarray,
    edge: np.ndarray,
    mark: Mark,
    part: Part,
    rng: np.random.Generator,
    radius: np.ndarray,
    angle: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    depth, middle, half = mark.at
    turn = np.linspace(-np.pi, np.pi, 2048, endpoint=False)
    # A few shell-shaped bites beside each other, as brittle iron breaks, and some crumbling.
    bite = np.zeros(2048)
    for at in np.linspace(-0.6, 0.6, int(rng.integers(2, 5))):
        place, reach = (at + rng.normal(0, 0.1)) * half, half * rng.uniform(0.35, 0.6)
        shell = np.sqrt(np.clip(1 - ((turn - place) / reach) ** 2, 0, 1))
        bite = np.maximum(bite, shell * rng.uniform(0.55, 1.0) * depth)
    crumbs = np.interp(turn, np.linspace(-half, half, 25), rng.normal(0, 0.1, 25))
    bite = np.clip(bite * (1 + crumbs), 0, None).astype(np.float32)
    index = ((angle - np.float32(middle) + np.float32(3 * np.pi)) * np.float32(2048 / (2 * np.pi))).astype(
        np.int32
    ) & 2047
    inner = edge - np.take(bite, index)
    outer = edge - np.take(bite, index) * np.float32(rng.uniform(0.3, 0.7))
    broken = np.clip((radius - inner) * np.float32(part.radius_px * 0.8) + 0.5, 0, 1)
    broken *= np.take(bite > 0.002, index)
    face = np.float32(rng.uniform(0.16, 0.34)) + camera.smooth_noise(rng, lum.shape[0], 110) * np.float32(
        0.07
    )
    lum = lum + (face - lum) * broken + _relief(broken, part.lamp) * np.float32(0.4)
    return lum, outer.astype(np.float32), broken * (radius < edge)


def apply_harmless(
    lum: np.ndarray, marks: list[Mark], part: Part, rng: np.random.Generator, is_face: np.ndarray
) -> np.ndarray:
    """Stains, hairlines and dust; no relief. Shapes: lum, is_face (H, W) float32."""
    x, y = camera.pixel_grid(lum.shape[0])
    for mark in marks:
        if mark.kind == "hairline":
            mask = cv2.GaussianBlur(_mask(lum.shape, mark.strokes), (0, 0), 0.6)
            lum = lum + mask * np.float32(rng.uniform(-0.14, 0.12)) * is_face
            continue
        place, angle, size = mark.at
        cx, cy = to_pixels(part, np.array([place]), np.array([angle]))[0]
        spread = ((x - np.float32(cx)) / np.float32(size)) ** 2 + (
            (y - np.float32(cy)) / np.float32(size * rng.uniform(0.5, 1))
        ) ** 2
        ragged = 1 + np.float32(0.3) * camera.smooth_noise(rng, lum.shape[0], 40)
        stain = np.exp(-spread * np.clip(ragged, 0.3, 2))
        lum = lum * (1 - stain * np.float32(rng.uniform(-0.12, 0.3)) * is_face)
    num_dust = int(rng.integers(0, 9))
    dust = np.zeros(lum.shape, np.float32)
    dust[rng.integers(0, lum.shape[0], num_dust), rng.integers(0, lum.shape[1], num_dust)] = rng.uniform(
        0.3, 1.0, num_dust
    )
    return lum - cv2.GaussianBlur(dust, (0, 0), 0.7) * np.float32(0.5)
