"""The pictures that an export is checked with: all that the run never learnt from, and where these are few,
drawn ones of many sizes and kinds of file beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.base.errors import UnreadableImage
from tl_core.data import folders
from tl_core.data.pixels.decode import pixels_hash, resize_square
from tl_core.export.subject import Subject
from tl_core.runs.run_folder import read_table

LEAST = 200
"""Pictures that agreement is looked at on."""
OnStep = Callable[[int, int], None]
DRAWN_PX = (96, 224, 500, 900)
DRAWN_AS: dict[str, dict[str, Any]] = {".jpg": {"quality": 90}, ".png": {}, ".webp": {"quality": 80}}
NUM_CALIBRATION = 128
"""Training pictures that show an int8 export how large its numbers become."""
VIEWS_SEED = 0
COLUMNS = {"file", "truth", "split", "group", "pixels"}


@dataclass(frozen=True)
class CheckPictures:
    files: list[Path]
    squares: np.ndarray
    # uint8 (N, px, px, 3), of the files, by the reference picture path
    truth: np.ndarray
    # (N,) index of the class; -1 where there is none
    groups: np.ndarray
    # (N,) int, as the run's: copies and bursts share a number
    judged: np.ndarray
    # (N,) bool: those that the accuracy is measured on
    split: str
    # which these are: test or val; "" without any

    def __len__(self) -> int:
        return len(self.files)

    @property
    def num_drawn(self) -> int:
        return int((self.truth < 0).sum())


def for_check(subject: Subject, scratch: Path, on_step: OnStep = lambda done, total: None) -> CheckPictures:
    """Test and validation pictures that are still where the run found them, as it found them.

    scratch: an empty folder, for what is drawn. Raises: OSError: no room there. RunDamaged.
    """
    classes, predictor = subject.classes, subject.predictor
    rows = [row for row in _rows(subject) if row["split"] in ("test", "val") and row["truth"] in classes]
    paths = folders.paths_of(Path(str(predictor.run.read_config()["data"]))) if rows else {}
    files, squares, kept = [], [], []
    for done, row in enumerate(rows):
        on_step(done, len(rows))
        if (path := paths.get(row["file"])) and (square := _square(subject, path, row["pixels"])) is not None:
            files.append(path)
            squares.append(square)
            kept.append(row)
    splits = {row["split"] for row in kept}
    split = "test" if "test" in splits else "val" if splits else ""
    truth = [classes.index(row["truth"]) for row in kept]
    groups = [int(row["group"]) for row in kept]
    for number in range(len(files), LEAST):
        on_step(number, LEAST)
        path = _drawn(number, scratch)
        files.append(path)
        squares.append(resize_square(predictor.read(path), predictor.image_px))
        truth.append(-1)
        groups.append(-1 - number)
    judged = [row["split"] == split for row in kept] + [False] * (len(files) - len(kept))
    return CheckPictures(
        files, np.stack(squares), np.array(truth), np.array(groups), np.array(judged, dtype=bool), split
    )


def for_calibration(subject: Subject) -> np.ndarray:
    """uint8 (N, px, px, 3): training pictures, varied as in training; N = 0 where they are gone.

    Raises: RunDamaged.
    """
    from tl_core.data.pixels.augment import augment

    predictor, settings = subject.predictor, subject.predictor.run.settings()
    rows = [row for row in _rows(subject) if row["split"] == "train"]
    some = np.random.default_rng(settings.seed).permutation(len(rows))
    paths = folders.paths_of(Path(str(predictor.run.read_config()["data"]))) if rows else {}
    squares: list[np.ndarray] = []
    for index in some:
        path = paths.get(rows[index]["file"])
        square = _square(subject, path, rows[index]["pixels"]) if path else None
        if square is None:
            continue
        if settings.augment and len(squares) % 2:
            key = (settings.seed, int(index), 0, VIEWS_SEED)
            square = augment(square, key=key, strength=settings.augmentation)
        squares.append(square)
        if len(squares) == NUM_CALIBRATION:
            break
    px = predictor.image_px
    return np.stack(squares) if squares else np.zeros((0, px, px, 3), np.uint8)


def _rows(subject: Subject) -> list[dict[str, str]]:
    """Of metrics/pictures.csv, those that are whole."""
    rows = read_table(subject.predictor.run.pictures_path)
    return [row for row in rows if row.keys() >= COLUMNS and None not in row.values()]


def _square(subject: Subject, path: Path, pixels: str) -> np.ndarray | None:
    """None where the file is gone, or is another picture by now."""
    try:
        square = resize_square(subject.predictor.read(path), subject.predictor.image_px)
    except UnreadableImage:
        return None
    return square if pixels_hash(square) == pixels else None


def _drawn(number: int, scratch: Path) -> Path:
    """The same number gives the same picture: sizes and kinds of file in turn."""
    from PIL import Image

    from tl_core.synthetic.formula import draw

    px = DRAWN_PX[number % len(DRAWN_PX)]
    ending, settings = list(DRAWN_AS.items())[number % len(DRAWN_AS)]
    path = scratch / f"drawn-{number:03d}{ending}"
    picture = Image.fromarray(draw(number * 37 % 1000, number, min(px, 224)))
    picture.resize((px, px * 3 // 4)).save(path, **settings)
    return path
