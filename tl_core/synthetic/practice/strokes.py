"""Anti-aliased shapes as masks."""

from __future__ import annotations

import cv2
import numpy as np

_SHIFT = 4
# OpenCV draws at 1/16 pixel

Stroke = tuple[np.ndarray, float]
# points (N, 2) in pixels, width in pixels; width 0 fills the outline


def mask_of(shape: tuple[int, ...], strokes: list[Stroke]) -> np.ndarray:
    """(H, W) float32 0..1: drawn twice as large and reduced."""
    canvas = np.zeros((shape[0] * 2, shape[1] * 2), np.uint8)
    for points, width in strokes:
        fixed = np.round(points * 2 * (1 << _SHIFT)).astype(np.int32)[:, None]
        if width:
            cv2.polylines(canvas, [fixed], False, 255, max(1, round(width * 2)), cv2.LINE_AA, _SHIFT)
        else:
            cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, _SHIFT)
    small = cv2.resize(canvas, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1 / 255)


def tapered(line: np.ndarray, width_px: float) -> Stroke:
    """A stroke that is thin at both ends: how a tool skids over metal."""
    heading = np.gradient(line, axis=0)
    side = np.stack([-heading[:, 1], heading[:, 0]], axis=-1)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    half = width_px / 2 * np.sqrt(np.sin(np.linspace(0.03, 0.97, len(line)) * np.pi))[:, None]
    return np.vstack([line + side * half, (line - side * half)[::-1]]), 0.0
