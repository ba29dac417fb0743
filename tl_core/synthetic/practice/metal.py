"""Light on a casting: brightness of every pixel from its radius and angle, and one lamp.

Edges are shaded by the slope of the part's profile, the turned faces by the bow-tie shine of
lathe marks. Everything is a function of radius and angle, blurred along the radius, so edges
are soft by construction and no supersampling is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tl_core.synthetic.practice import camera
from tl_core.synthetic.practice.part import SIZE_PX, Part, polar, soft_step

_PER_RADIUS = 2048
# entries of a radial table per unit of radius
_TABLE_SIZE = int(1.1 * _PER_RADIUS)
# beyond 1.1 radii nothing belongs to the part
_PER_TURN = 2048


@dataclass(frozen=True)
class Surface:
    """All (SIZE_PX, SIZE_PX) float32, 0 black to 1 white."""

    brightness: np.ndarray
    # of the part, before defects
    is_face: np.ndarray
    # near 1 on turned metal, 0 in recess, groove and bore
    table: np.ndarray
    # what the part lies on, with its shadow


def shade(part: Part, rng: np.random.Generator, radius: np.ndarray, angle: np.ndarray) -> Surface:
    index = np.minimum((radius * np.float32(_PER_RADIUS)).astype(np.int32), _TABLE_SIZE - 1)
    turn = (angle * np.float32(_PER_TURN / (2 * np.pi))).astype(np.int32) & (_PER_TURN - 1)

    def ring(*bands: tuple[float, float]) -> np.ndarray:
        return np.take(_radial(bands, soft=0.55 / part.radius_px), index)

    # Flange, lip and hub share the shine, each with its own brightness.
    is_face = ring(
        (0, 0), (part.bore, 0.93), (part.hub, 0), (part.recess, 1.04), (part.lip, 0), (part.groove, 1)
    )
    face = np.take(_shine(rng, part), turn)
    face = face + _lathe_marks(rng, radius, angle) * np.float32(rng.uniform(0.01, 0.03))
    face += camera.smooth_noise(rng, SIZE_PX, 14) * np.float32(rng.uniform(0.004, 0.014))
    brightness = face * is_face
    towards_lamp = np.cos(angle - np.float32(part.lamp)) * np.float32(rng.uniform(0.16, 0.3))
    brightness += ring(*_slopes(part)) * towards_lamp
    brightness += ring((0, 0), (part.hub, 1), (part.recess, 0)) * _recess(part, rng)
    brightness += ring((0, 0), (part.lip, 1), (part.groove, 0)) * np.float32(rng.uniform(0.1, 0.2))
    brightness += ring((0, 1), (part.bore, 0)) * _bore(part, rng.uniform(0.3, 0.75))
    return Surface(brightness, is_face, _table_top(part, rng, radius))


def _radial(bands: tuple[tuple[float, float], ...], soft: float) -> np.ndarray:
    """(_TABLE_SIZE,) over the radius: bands are (radius where it starts, value), blurred by `soft`."""
    starts = np.array([start for start, _ in bands])
    values = np.array([value for _, value in bands], dtype=np.float32)
    radii = np.arange(_TABLE_SIZE) / _PER_RADIUS
    table = values[np.maximum(np.searchsorted(starts, radii, side="right") - 1, 0)]
    blurred = cv2.GaussianBlur(
        table[None], (0, 0), sigmaX=soft * _PER_RADIUS, borderType=cv2.BORDER_REPLICATE
    )
    return blurred[0]


def _slopes(part: Part) -> list[tuple[float, float]]:
    """Chamfers: where the profile falls outwards (+) or inwards (-)."""
    w = 1.6 / part.radius_px
    chamfers = [
        (part.bore, part.bore + w, -0.8),
        (part.hub - 1.5 * w, part.hub, 0.8),
        (part.recess, part.recess + 1.3 * w, -0.9),
        (part.lip - 1.3 * w, part.lip, 0.9),
        (part.groove, part.groove + 1.3 * w, -0.8),
        (1 - 2.2 * w, 1.1, 0.9),
    ]
    return [(0, 0)] + [band for start, end, slope in chamfers for band in ((start, slope), (end, 0))]


def _lathe_marks(rng: np.random.Generator, radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Fine concentric lines that come and go along the turn; of about unit spread."""
    fine = rng.standard_normal((320, 24)) + rng.standard_normal((320, 1))
    coarse = cv2.resize(rng.standard_normal((40, 10)), (24, 320))
    strip = ((fine + coarse) * 0.8).astype(np.float32)
    strip = np.hstack([strip, strip[:, :1]])
    return cv2.remap(
        strip,
        angle * np.float32(24 / (2 * np.pi)),
        radius * np.float32(300),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _shine(rng: np.random.Generator, part: Part) -> np.ndarray:
    """(_PER_TURN,) brightness over the angle of a turned face: a bow tie towards the lamp, and
    what else of the room is mirrored in it."""
    angle = np.linspace(0, 2 * np.pi, _PER_TURN, endpoint=False)
    shine = np.full(_PER_TURN, rng.uniform(0.56, 0.68))
    sharpness = rng.uniform(2.0, 7.0)
    shine += rng.uniform(0.12, 0.26) * np.exp(sharpness * (np.cos(2 * (angle - part.lamp)) - 1))
    shine += rng.uniform(0.0, 0.1) * np.cos(angle - part.lamp)
    for _ in range(rng.integers(1, 4)):
        middle, half = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5)
        away = np.abs((angle - middle + np.pi) % (2 * np.pi) - np.pi)
        edge = rng.uniform(0.03, 0.15)
        shine += rng.uniform(-0.16, 0.12) / (1 + np.exp(np.clip((away - half) / edge, -30, 30)))
    return shine.astype(np.float32)


def _recess(part: Part, rng: np.random.Generator) -> np.ndarray:
    """The dark channel floor with its curved vanes, seen a little shifted because it lies deeper."""
    radius, angle = polar(part, part.parallax)
    along = (radius - np.float32(part.hub)) / np.float32(part.recess - part.hub)
    turned = angle - np.float32(part.turn) - np.float32(part.swirl) * along
    phase = turned * np.float32(part.num_vanes / (2 * np.pi))
    phase -= np.floor(phase)
    towards = np.cos(angle - np.float32(part.lamp))
    floor = np.float32(rng.uniform(0.05, 0.09)) + np.float32(0.03) * along
    back = np.float32(0.07) * np.exp(phase * np.float32(-5)) * (1 - np.float32(0.4) * towards)
    edge = np.exp(-(((phase - np.float32(0.07)) / np.float32(0.05)) ** 2)) * np.float32(
        rng.uniform(0.05, 0.14)
    )
    return floor + back + edge * (np.float32(0.9) + np.float32(0.5) * towards)


def _bore(part: Part, table_light: float) -> np.ndarray:
    """Through the bore: the table, and on one side the bore's own wall."""
    radius, angle = polar(part, (part.parallax[0] * 1.8, part.parallax[1] * 1.8))
    inside = soft_step((np.float32(part.bore * 0.97) - radius) * np.float32(part.radius_px))
    wall = np.float32(0.3) - np.float32(0.22) * np.cos(angle - np.float32(part.lamp))
    depth = soft_step((radius - np.float32(part.bore * 0.6)) * np.float32(part.radius_px * 0.25))
    table = np.float32(table_light) * (1 - np.float32(0.35) * depth)
    return wall + (table - wall) * inside


def _table_top(part: Part, rng: np.random.Generator, radius: np.ndarray) -> np.ndarray:
    """The inspection table, with the shadow of the part."""
    top = np.full((SIZE_PX, SIZE_PX), rng.uniform(0.42, 0.72), np.float32)
    top += camera.smooth_noise(rng, SIZE_PX, 5) * np.float32(0.012)
    top += camera.smooth_noise(rng, SIZE_PX, 90) * np.float32(rng.uniform(0.003, 0.012))
    throw_px = rng.uniform(3, 12)
    far, _ = polar(part, (-np.cos(part.lamp) * throw_px, -np.sin(part.lamp) * throw_px))
    spread = rng.uniform(0.04, 0.1)
    shadow = 1 / (1 + np.exp(np.clip((far - 1) / np.float32(spread), -20, 20)))
    contact = np.exp(-np.clip(radius - 1, 0, None) * np.float32(part.radius_px / 2.2))
    return top * (1 - np.float32(rng.uniform(0.35, 0.7)) * shadow) * (1 - np.float32(0.45) * contact)
