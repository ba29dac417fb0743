"""Small pictures drawn for tests: dots against stripes, in any number and size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def draw(rng: np.random.Generator, kind: str, px: int = 48) -> np.ndarray:
    """(px, px, 3) uint8: noise with six dots, stripes or rings of random colours."""
    image = rng.normal(128, 20, (px, px, 3)).clip(0, 255).astype(np.uint8)
    for _ in range(6):
        x, y = (int(v) for v in rng.integers(4, px - 4, 2))
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        if kind == "dots":
            cv2.circle(image, (x, y), int(rng.integers(2, 5)), colour, -1)
        elif kind == "stripes":
            cv2.line(image, (x, 0), (x + int(rng.integers(-5, 5)), px), colour, 2)
        else:
            cv2.circle(image, (x, y), int(rng.integers(5, 9)), colour, 1)
    return image


def write_classes(root: Path, counts: dict[str, int], *, px: int = 48, seed: int = 0) -> Path:
    """root/<class>/000.png …; the class name picks what is drawn."""
    rng = np.random.default_rng(seed)
    for kind, count in counts.items():
        (root / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            ok, data = cv2.imencode(".png", draw(rng, kind, px))
            assert ok
            (root / kind / f"{number:03d}.png").write_bytes(data.tobytes())
    return root
