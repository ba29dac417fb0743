"""Writing a practice set to disk: pictures, `boxes.json`, `README.txt`; all of it or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tl_core.base.errors import RunExists
from tl_core.base.files.atomic import output_errors

JPEG_QUALITY = 92


@dataclass(frozen=True)
class Shot:
    """One picture of a set that is still to be drawn."""

    file: str
    # posix path inside the set: the last folder is the class
    draw: Callable[[], tuple[np.ndarray, dict[str, Any]]]
    # -> image (H, W, 3) uint8 RGB, what is to be noted about it


def write_set(
    shots: list[Shot], out: Path, *, about: str, on_progress: Callable[[int, int], None] | None = None
) -> Path:
    """Draw and save every shot under `out`, which may exist if it is empty.

    The set grows in a hidden folder beside `out` and is renamed at the end, so an interrupted
    write leaves nothing under the set's name.

    Raises: RunExists: `out` holds something. OutputUnwritable: read-only folder, full disk.
    """
    with output_errors(out):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunExists(path=out)
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            _fill(shots, beside, about, on_progress)
            beside.chmod(0o755)
            _put_in_place(beside, out)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return out


def _put_in_place(beside: Path, out: Path) -> None:
    """Raises: RunExists: somebody else was quicker. OSError."""
    try:
        # Windows does not rename onto a folder, not even onto an empty one.
        if out.exists():
            out.rmdir()
        beside.rename(out)
    except OSError as error:
        if out.is_dir() and any(out.iterdir()):
            raise RunExists(path=out) from error
        raise


def _fill(
    shots: list[Shot], folder: Path, about: str, on_progress: Callable[[int, int], None] | None
) -> None:
    for sub in sorted({str(Path(shot.file).parent) for shot in shots}):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    notes: dict[str, Any] = {}
    for done, (shot, info) in enumerate(_drawn(shots, folder), start=1):
        if "defects" in info:
            notes[shot.file] = info["defects"]
        if on_progress is not None:
            on_progress(done, len(shots))
    if notes:
        (folder / "boxes.json").write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
    counts = Counter(str(Path(shot.file).parent.as_posix()) for shot in shots)
    lines = [about.strip(), "", "Pictures:", *(f"  {name}: {counts[name]}" for name in sorted(counts))]
    (folder / "README.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _drawn(shots: list[Shot], folder: Path) -> Iterator[tuple[Shot, dict[str, Any]]]:
    def one(shot: Shot) -> dict[str, Any]:
        image, info = shot.draw()
        is_encoded, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not is_encoded:
            raise OSError(f"OpenCV could not encode {shot.file}")
        # Not cv2.imwrite: it fails without an exception, and on Korean paths under Windows.
        (folder / shot.file).write_bytes(data.tobytes())
        return info

    # Two workers: most of the time is inside NumPy and OpenCV, which let go of the lock.
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield from zip(shots, pool.map(one, shots), strict=True)
