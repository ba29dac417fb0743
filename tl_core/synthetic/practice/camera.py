"""What the camera adds to a drawn scene: vignette, exposure, softness, sensor noise, rounding."""

from __future__ import annotations

import functools

import cv2
import numpy as np


@functools.lru_cache(maxsize=4)
def pixel_grid(size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres x and y, each (size_px, size_px) float32; shared, so never write into them."""
    x, y = np.meshgrid(np.arange(size_px, dtype=np.float32) + 0.5, np.arange(size_px, dtype=np.float32) + 0.5)
    x.flags.writeable = y.flags.writeable = False
    return x, y


def smooth_noise(rng: np.random.Generator, size_px: int, cells: int) -> np.ndarray:
    """(size_px, size_px) float32 of about unit spread, varying over size_px / cells pixels."""
    coarse = rng.standard_normal((cells + 2, cells + 2)).astype(np.float32)
    return cv2.resize(coarse, (size_px, size_px), interpolation=cv2.INTER_CUBIC)


def uneven_light(rng: np.random.Generator, size_px: int, strength: float) -> np.ndarray:
    """(size_px, size_px) float32 around 1: a lamp on one side, plus the lens's darker corners."""
    x, y = pixel_grid(size_px)
    half = size_px / 2
    angle = rng.uniform(0, 2 * np.pi)
    across = (x - half) * np.float32(np.cos(angle) / half) + (y - half) * np.float32(np.sin(angle) / half)
    corners = ((x - half) ** 2 + (y - half) ** 2) / np.float32(half * half)
    return 1 + np.float32(strength) * across - np.float32(rng.uniform(0.02, 0.12)) * corners


def _gamma_curve(gamma: float) -> np.ndarray:
    return (np.linspace(0, 1, 1024) ** gamma).astype(np.float32)


def expose(
    scene: np.ndarray, rng: np.random.Generator, *, blur_px: float, noise: float, gamma: float = 1.0
) -> np.ndarray:
    """A photograph of the scene.

    Shapes: scene (H, W) or (H, W, 3) float32, 0 black to 1 white -> the same shape, uint8.

    Args: blur_px: sigma of the lens's softness, below 0.2 none. noise: sigma of the sensor's
    noise at white, as a part of 1; it falls with the square root of the light.
    """
    lens = cv2.GaussianBlur(scene, (0, 0), blur_px) if blur_px >= 0.2 else scene
    scene = np.asarray(np.clip(lens, 0, 1), dtype=np.float32)
    if gamma != 1.0:
        scene = np.take(_gamma_curve(gamma), (scene * 1023).astype(np.int32))
    grain = rng.standard_normal(scene.shape[:2], dtype=np.float32) * np.float32(noise)
    if scene.ndim == 3:
        grain = grain[..., np.newaxis]  # the same in all three channels
    noisy = scene + grain * np.sqrt(scene + np.float32(0.05))
    return cv2.convertScaleAbs(np.clip(noisy, 0, 1), alpha=255)
