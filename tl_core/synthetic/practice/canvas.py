"""Drawing in head coordinates: smooth outlines, ink strokes and soft shade on a picture twice as large.

Points are (N, 2) float in units of half the head's height, origin in the middle of the head,
y down. The canvas turns, scales and shifts them; `Head.surface` first puts them on the round of
the head, so that a turned head foreshortens its features.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_SHIFT = 4
_SCALE = 2
# drawn this many times larger, then reduced

Colour = tuple[float, float, float]
# RGB, 0..255


def curve(
    points: list[tuple[float, float]] | np.ndarray, *, closed: bool = False, steps: int = 8
) -> np.ndarray:
    """Smooth line through the points (Catmull-Rom): (N, 2) -> (M, 2)."""
    p = np.asarray(points, dtype=np.float64)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    line = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    line = line.reshape(-1, 2)
    return line if closed else np.vstack([line, p[-2:-1]])


def ellipse(x: float, y: float, rx: float, ry: float, *, turn: float = 0.0, steps: int = 36) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    points = np.stack([rx * np.cos(angle), ry * np.sin(angle)], axis=-1)
    return points @ rotation(turn).T + (x, y)


def rotation(turn: float) -> np.ndarray:
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def mix(a: Colour, b: Colour, part: float) -> Colour:
    """`part` of b, the rest a."""
    red, green, blue = (x + (y - x) * part for x, y in zip(a, b, strict=True))
    return red, green, blue


@dataclass(frozen=True)
class Pose:
    """Where the head is and where it looks; angles in radians, lengths in pixels."""

    x_px: float
    y_px: float
    scale_px: float
    # half the head's height
    roll: float
    yaw: float
    pitch: float
    mirrored: bool

    def surface(self, points: np.ndarray, *, width: float = 0.85, lift: float = 0.0) -> np.ndarray:
        """Points of the face as seen on the turned head: (N, 2) -> (N, 2).

        Args: width: half the head's width. lift: how far in front of the round they are (a nose tip).
        """
        x, y = points[:, 0], points[:, 1]
        z = np.sqrt(np.clip(1 - (x / (width * 1.25)) ** 2 - (y / 1.5) ** 2, 0.04, 1)) * 0.8 + lift
        seen_x = x * np.cos(self.yaw) + z * np.sin(self.yaw)
        deep = z * np.cos(self.yaw) - x * np.sin(self.yaw)
        seen_y = y * np.cos(self.pitch) + deep * np.sin(self.pitch)
        return np.stack([seen_x, seen_y], axis=-1)

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        mirrored = points * np.array([-1.0 if self.mirrored else 1.0, 1.0])
        return mirrored @ rotation(self.roll).T * self.scale_px + (self.x_px, self.y_px)


class Canvas:
    """A picture that is drawn part by part, back to front."""

    def __init__(self, size_px: int, pose: Pose, background: np.ndarray) -> None:
        """background: (size_px, size_px, 3) uint8."""
        self.size_px = size_px
        self.pose = pose
        self.image = cv2.resize(background, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_LINEAR)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        pixels = self.pose.to_pixels(np.asarray(points, dtype=np.float64)) * _SCALE
        return np.round(pixels * (1 << _SHIFT)).astype(np.int32)[:, None]

    def fill(
        self, points: np.ndarray, colour: Colour, *, outline: Colour | None = None, width: float = 0.0
    ) -> None:
        fixed = self._fixed(points)
        cv2.fillPoly(self.image, [fixed], colour, cv2.LINE_AA, _SHIFT)
        if outline is not None and width > 0:
            cv2.polylines(self.image, [fixed], True, outline, self._thickness(width), cv2.LINE_AA, _SHIFT)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        """width: of the stroke, in head units."""
        cv2.polylines(
            self.image, [self._fixed(points)], False, colour, self._thickness(width), cv2.LINE_AA, _SHIFT
        )

    def stroke(self, points: np.ndarray, colour: Colour, width: float, *, taper: float = 0.25) -> None:
        """An ink stroke, thick in the middle; `taper` is what is left of the width at the ends."""
        heading = np.gradient(points, axis=0)
        side = np.stack([-heading[:, 1], heading[:, 0]], axis=-1)
        side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
        swell = taper + (1 - taper) * np.sin(np.linspace(0, np.pi, len(points)))
        half = (width / 2 * swell)[:, None]
        self.fill(np.vstack([points + side * half, (points - side * half)[::-1]]), colour)

    def shade(
        self,
        points: np.ndarray,
        colour: Colour,
        strength: float,
        *,
        soft: float = 0.0,
        inside: np.ndarray | None = None,
    ) -> None:
        """Lay a colour over the picture, `strength` 0..1.

        Args: soft: blur, in head units. inside: clip to this outline.
        """
        fixed = self._fixed(points)
        grow = int(np.ceil(soft * self.pose.scale_px * _SCALE * 2.5)) + 2
        corners = fixed[:, 0] / (1 << _SHIFT)
        limit = self.size_px * _SCALE
        x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int) - grow, 0, limit)
        x1, y1 = np.clip(np.ceil(corners.max(axis=0)).astype(int) + grow, 0, limit)
        if x1 <= x0 or y1 <= y0:
            return
        origin = np.array([x0, y0]) << _SHIFT
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [(fixed - origin).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
        if soft > 0:
            sigma = soft * self.pose.scale_px * _SCALE
            # A wide blur is made on a smaller mask: same look, a tenth of the work.
            factor = max(1, int(sigma // 1.5))
            small = cv2.resize(
                mask, (max(1, (x1 - x0) // factor), max(1, (y1 - y0) // factor)), interpolation=cv2.INTER_AREA
            )
            mask = cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / factor), (x1 - x0, y1 - y0))
        if inside is not None:
            clip = np.zeros_like(mask)
            cv2.fillPoly(clip, [(self._fixed(inside) - origin).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
            mask = cv2.min(mask, clip)
        region = self.image[y0:y1, x0:x1]
        cover = mask.astype(np.float32) * np.float32(strength / 255)
        paint = np.full(region.shape, np.round(colour), np.uint8)
        region[:] = cv2.blendLinear(region, paint, 1 - cover, cover)

    def _thickness(self, width: float) -> int:
        return max(1, round(width * self.pose.scale_px * _SCALE))

    def reduced(self) -> np.ndarray:
        """(size_px, size_px, 3) float32, 0..1."""
        small = cv2.resize(self.image, (self.size_px, self.size_px), interpolation=cv2.INTER_AREA)
        return small.astype(np.float32) * np.float32(1 / 255)
