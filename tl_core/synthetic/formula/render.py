"""Form and scene -> pixels: colour, background, cutout, light, bars in front, blur, grain.

A picture is a list of colour planes (px, px) float32, one where the scene is grey and three where
it is not, put together only at the end: NumPy is fastest on whole planes.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from tl_core.synthetic.formula.family import Form
from tl_core.synthetic.formula.lattice import fractal_noise, value_noise
from tl_core.synthetic.formula.plane import pixel_grid, soft_step, turned
from tl_core.synthetic.formula.scene import BACKGROUNDS, CUTOUTS, Background, Bar, Cutout, Light, Scene


def render(scene: Scene, form: Form, rng: np.random.Generator, px: int) -> np.ndarray:
    """(px, px, 3) uint8 RGB. From rng come only the grains."""
    cover = _cover(scene, form, px)
    light = _brightness(scene.light, px)
    planes = _coloured(scene, form.value, cover, px)
    planes = [plane * light + scene.light.offset for plane in planes]
    for bar in scene.bars:
        _lay(bar, planes, px)
    if scene.blur_passes:
        planes = [_blurred(plane, scene.blur, scene.blur_passes) for plane in planes]
    pixels = [_exposed(plane, scene.grain, rng) for plane in planes]
    return cv2.merge(pixels * 3 if scene.is_grey else pixels)


def _coloured(scene: Scene, value: np.ndarray, cover: np.ndarray | None, px: int) -> list[np.ndarray]:
    channels = range(1 if scene.is_grey else 3)
    paint = [scene.first[c] + (scene.second[c] - scene.first[c]) * value for c in channels]
    if cover is None:
        return paint
    back, pattern = scene.background, _pattern(scene.background, px)
    planes = []
    for c in channels:
        behind = back.first[c] + (back.second[c] - back.first[c]) * pattern
        planes.append(behind + (paint[c] - behind) * cover)
    return planes


def _pattern(background: Background, px: int) -> np.ndarray:
    """How much of the background's second colour; broadcasts to (px, px)."""
    x, y = pixel_grid(px)
    kind, rate = BACKGROUNDS[background.kind], background.rate
    if kind == "plain":
        return np.zeros((1, 1), np.float32)
    if kind in ("graded", "stripes"):
        along, _ = turned(x, y, background.angle)
        part = 0.5 + 0.5 * (along if kind == "graded" else np.sin(along * (rate * 2.5)))
    elif kind == "clouds":
        part = value_noise(x * rate, y * rate, background.salt)
    else:
        part = fractal_noise(x * (rate / 2), y * (rate / 2), background.salt, octaves=3, gain=0.6)
    return part * background.strength


def _cover(scene: Scene, form: Form, px: int) -> np.ndarray | None:
    if scene.cutout is None:
        return form.cover
    return _window(scene.cutout, scene.background.angle, px)


def _window(cutout: Cutout, angle: float, px: int) -> np.ndarray:
    """(px, px) of 0..1; the edge of the half plane lies across the angle."""
    x, y = pixel_grid(px)
    kind = CUTOUTS[cutout.kind]
    if kind == "half":
        inside, _ = turned(x - 0.5 * cutout.x, y - 0.5 * cutout.y, angle)
    elif kind == "oval":
        inside = cutout.radius - np.sqrt((x - cutout.x) ** 2 + ((y - cutout.y) * cutout.aspect) ** 2)
    else:
        sides = np.maximum(np.abs(x - cutout.x) * cutout.aspect, np.abs(y - cutout.y))
        inside = 0.85 * cutout.radius - sides
    return soft_step(inside * (px / 2))


def _brightness(light: Light, px: int) -> np.ndarray:
    """Around 1; broadcasts to (px, px)."""
    x, y = pixel_grid(px)
    if light.slope == 0 and light.vignette == 0:
        return np.full((1, 1), light.gain, np.float32)
    cos, sin = light.slope * math.cos(light.angle), light.slope * math.sin(light.angle)
    of_x = cos * x - light.vignette * x * x
    of_y = sin * y - light.vignette * y * y
    return (1 + of_x + of_y) * light.gain


def _lay(bar: Bar, planes: list[np.ndarray], px: int) -> None:
    x, y = pixel_grid(px)
    along, across = turned(x - bar.x, y - bar.y, bar.angle)
    inside = np.minimum(bar.half_width - np.abs(along), bar.half_length - np.abs(across))
    cover = soft_step(inside * (px / 2))
    for plane, colour in zip(planes, bar.colour, strict=False):
        plane += (colour - plane) * cover


def _blurred(plane: np.ndarray, strength: float, passes: int) -> np.ndarray:
    kernel = np.array([strength, 1 - 2 * strength, strength], np.float32)
    for _ in range(passes):
        plane = cv2.sepFilter2D(plane, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    return plane


def _exposed(plane: np.ndarray, grain: float, rng: np.random.Generator) -> np.ndarray:
    """0..1 float32 -> uint8, with grain even between -grain and grain."""
    lots = rng.random(plane.shape, dtype=np.float32)
    noisy = plane + (lots * (2 * grain) - grain)
    return (np.clip(noisy, 0, 1) * 255).astype(np.uint8)
