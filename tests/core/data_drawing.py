"""Pictures that the data tests draw for themselves."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def scene(seed: int, px: int = 96) -> np.ndarray:
    """uint8 (px, px, 3): coarse shapes under finer and fainter ones, as photographs have them."""
    rng = np.random.default_rng(seed)
    total = np.zeros((px, px, 3))
    for cells, strength in ((5, 60), (12, 30), (30, 15)):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((px, px), Image.Resampling.BICUBIC)
        total += (np.asarray(smooth) / 127.5 - 1) * strength
    return np.clip(total + 127.5, 0, 255).astype(np.uint8)


def encoded(image: np.ndarray | Image.Image, ending: str, **options: object) -> bytes:
    """The file's content in the format that the ending asks for."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    formats = dict.fromkeys(("jpg", "jpeg", "jpe", "jfif"), "JPEG") | {"tif": "TIFF", "tiff": "TIFF"}
    formats |= {"jp2": "JPEG2000", "j2k": "JPEG2000"}
    if ending in ("jp2", "j2k"):
        options = {"no_jp2": ending == "j2k", **options}
    picture.save(buffer, formats.get(ending, ending.upper()), **options)
    return buffer.getvalue()


def write(path: Path, image: np.ndarray | Image.Image | int, **options: object) -> Path:
    """Save a picture (or the scene of a seed) under `path`, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(image, int):
        image = scene(image)
    path.write_bytes(encoded(image, path.suffix[1:].lower(), **options))
    return path


def class_folders(root: Path, counts: dict[str, int], first_seed: int = 0) -> Path:
    """`root/<class>/<n>.png`, every picture different."""
    seed = first_seed
    for name, count in counts.items():
        for number in range(count):
            write(root / name / f"{number:03}.png", seed)
            seed += 1
    return root
