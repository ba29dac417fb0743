"""Classify pictures with the model.onnx beside this file. Needs onnxruntime, pillow and numpy, nothing else.

    python classify.py PICTURE ... [--json]

How a picture becomes numbers is the model's picture path, version 1; each step below names its paragraph.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # nobody is told that the model is used
import onnxruntime

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "AVIF", "JPEG2000")
MAX_PIXELS, MAX_JPEG_PIXELS = 40_000_000, 210_000_000
BATCH = 8
MODEL = Path(__file__).with_name("model.onnx")
Image.MAX_IMAGE_PIXELS = None  # ours are the limits


class NotReadable(Exception):
    """A picture that cannot be used; the text says why."""


class Classifier:
    """c = Classifier()
    c.classify([("cat.jpg", open("cat.jpg", "rb").read())])
    """

    def __init__(self, model: Path = MODEL) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        about = self.session.get_modelmeta().custom_metadata_map
        self.classes: list[str] = json.loads(about["classes"])
        self.px = int(about["image_px"])
        self.whites: dict[str, Any] = json.loads(about["whites"])
        self.positive = about.get("positive_class")
        self.threshold = float(about["threshold"]) if "threshold" in about else None
        self.sure_from = float(about["sure_from"]) if "sure_from" in about else None

    def classify(self, pictures: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
        """(name, content of the file) of each -> {"file", "label", "probabilities", "unsure"} or {"file",
        "error"}; "unsure" only where a limit was decided for the model."""
        answers: list[dict[str, Any]] = [{"file": name} for name, _ in pictures]
        squares, places = [], []
        for place, (_, content) in enumerate(pictures):
            try:
                squares.append(resized(read(content, self.px, self.whites), self.px))
                places.append(place)
            except NotReadable as error:
                answers[place]["error"] = str(error)
        for start in range(0, len(squares), BATCH):
            batch = np.stack(squares[start : start + BATCH])
            (probabilities,) = self.session.run(None, {"pictures": batch})
            for place, row in zip(places[start:], probabilities, strict=False):
                answers[place] |= self.answer(row)
        return answers

    def answer(self, row: np.ndarray) -> dict[str, Any]:
        """Probabilities of one picture (C,) -> what is said of it."""
        best, confidence = int(row.argmax()), float(row.max())
        if self.threshold is not None:  # of two classes
            positive, t = self.classes.index(str(self.positive)), self.threshold
            best = positive if row[positive] >= t else 1 - positive
            confidence = min(0.5 + 0.5 * abs(float(row[positive]) - t) / min(t, 1 - t), 1.0)
        named = {name: float(p) for name, p in zip(self.classes, row, strict=True)}
        answer: dict[str, Any] = {"label": self.classes[best], "probabilities": named}
        return answer if self.sure_from is None else {**answer, "unsure": confidence < self.sure_from}


def read(content: bytes, px: int, whites: dict[str, Any]) -> np.ndarray:
    """A file's bytes -> (H, W, 3) uint8 RGB, upright. Raises: NotReadable."""
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
        is_jpeg = picture.format in ("JPEG", "MPO")
        # 2: a large JPEG is decoded at a half, a quarter or an eighth
        room = min(picture.size) // (2 * px) if is_jpeg else 1
        reduction = next(step for step in (8, 4, 2, 1) if step <= max(room, 1))
        pixels = picture.width * picture.height
        if pixels > MAX_JPEG_PIXELS or pixels / reduction**2 > MAX_PIXELS:
            raise NotReadable("it is too large")
        depth = _depth(picture, content)
        if reduction > 1:
            picture.draft(None, (picture.width // reduction, picture.height // reduction))
        picture.seek(0)  # 1: the first of several
        picture.load()
        is_negative = picture.format == "TIFF" and getattr(picture, "tag_v2", {}).get(262) == 0
        is_empty_alpha = picture.format == "BMP" and picture.mode == "RGBA" and not _alpha(picture).any()
        upright = ImageOps.exif_transpose(picture)  # 3
        if upright.mode.startswith(("I", "F")):
            grey = eight_bit(np.asarray(upright), whites, is_negative)
            return np.repeat(grey[..., None], 3, axis=2)
        if depth > 8 and whites["whole"] not in (None, 65535):
            raise NotReadable("colours of more than 8 bits: save it as a picture of 8 bits")
        is_clear = upright.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in upright.info
        if not is_clear or is_empty_alpha:
            return np.asarray(upright.convert("RGB"))
        layer = upright.convert("RGBA")
        shown = Image.new("RGB", layer.size, "white")  # 5
        shown.paste(layer, mask=layer.getchannel("A"))
        return np.asarray(shown)
    except NotReadable:
        raise
    except Exception as error:  # damaged files make Pillow raise almost anything
        raise NotReadable(f"it is not a picture, or it is damaged ({error})") from None


def _alpha(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.getchannel("A"))


def _depth(picture: Image.Image, content: bytes) -> int:
    """Bits of a sample, also where Pillow keeps only the upper eight."""
    if picture.format == "PNG":
        return content[24]
    return max(getattr(picture, "tag_v2", {}).get(258, (8,))) if picture.format == "TIFF" else 8


def eight_bit(values: np.ndarray, whites: dict[str, Any], is_negative: bool) -> np.ndarray:
    """6: deep samples, any shape, -> uint8, by the scale of the set that the model was trained on."""
    if values.dtype.kind == "f":
        white = whites["fraction"] or _white(values, (1.0, 255.0, 65535.0))
        values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=white, neginf=0.0)
    elif values.dtype.itemsize <= 2:
        white = whites["whole"] or 65535.0
    else:
        white = whites["whole"] or _white(values, (255.0, 65535.0, 2.0**32 - 1))
    scaled = np.clip(values.astype(np.float32) * np.float32(255 / white), 0, 255)
    return ((255 - scaled if is_negative else scaled) + 0.5).astype(np.uint8)


def _white(values: np.ndarray, known: tuple[float, ...]) -> float:
    finite = values[np.isfinite(values)]
    peak = float(np.quantile(finite, 0.999)) if finite.size else 0.0
    return next((white for white in known if peak <= white * 1.5), known[-1])


def resized(image: np.ndarray, px: int) -> np.ndarray:
    """7: (H, W, 3) uint8 -> (px, px, 3): sides that shrink are averaged, those that grow interpolated."""
    height, width = image.shape[:2]
    if height > px or width > px:
        is_halved = height == 2 * px and width == 2 * px
        image = _averaged(image, min(height, px), min(width, px), is_halved)
    return _grown(image, px) if image.shape[:2] != (px, px) else image


def _averaged(image: np.ndarray, height: int, width: int, is_halved: bool) -> np.ndarray:
    lines = np.empty((height, 3, image.shape[1]), np.float32)
    for line, shares in zip(lines, _shares(image.shape[0], height), strict=True):
        (used,) = np.nonzero(shares)  # by rows, so that a large picture is never in memory as floats
        rows = slice(used[0], used[-1] + 1)
        line[:] = (shares[rows] @ image[rows].reshape(len(used), -1).astype(np.float32)).reshape(-1, 3).T
    averages = lines.reshape(3 * height, -1) @ np.ascontiguousarray(_shares(image.shape[1], width).T)
    averages /= image.shape[0] * image.shape[1] / (height * width)
    whole = np.floor(averages + 0.5) if is_halved else np.rint(averages)
    return whole.reshape(height, 3, width).transpose(0, 2, 1).astype(np.uint8)


def _shares(old: int, new: int) -> np.ndarray:
    """(new, old) float32: how much of every old pixel each new one covers."""
    scale = old / new
    low = np.arange(new)[:, None] * scale
    pixel = np.arange(old)[None]
    overlap = np.minimum(pixel + 1, low + scale) - np.maximum(pixel, low)
    return np.where(overlap > 1e-3, overlap, 0).astype(np.float32)


def _grown(image: np.ndarray, px: int) -> np.ndarray:
    """In whole numbers of 1/2048, as OpenCV does it."""
    (top, bottom, down), (left, right, across) = (
        _neighbours(image.shape[0], px),
        _neighbours(image.shape[1], px),
    )
    wide = image.astype(np.int32)
    wide = wide[:, left] * (2048 - across[:, None]) + wide[:, right] * across[:, None]
    above = ((2048 - down[:, None, None]) * (wide[top] >> 4)) >> 16
    below = (down[:, None, None] * (wide[bottom] >> 4)) >> 16
    return ((above + below + 2) >> 2).astype(np.uint8)


def _neighbours(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each new pixel the two old ones that it lies between, and how near the second is, of 2048."""
    place = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    low = place.astype(np.int32)
    return low, np.minimum(low + 1, old - 1), np.rint((place - low) * 2048).astype(np.int32)


def main() -> int:
    parser = argparse.ArgumentParser(description="Classify pictures with the model.onnx beside this file.")
    parser.add_argument("pictures", nargs="+", metavar="PICTURE")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # names in any script, on any console
    classifier = Classifier()
    answers: list[dict[str, Any]] = []
    for name in args.pictures:  # one at a time: as many as you like
        try:
            answers += classifier.classify([(name, Path(name).read_bytes())])
        except OSError as error:
            answers.append({"file": name, "error": error.strerror or str(error)})
    if args.json:
        print(json.dumps({"predictions": answers}, ensure_ascii=False, indent=2))
        return 0 if any("error" not in answer for answer in answers) else 2
    for answer in answers:
        if "error" in answer:
            print(f"{answer['file']}: {answer['error']}", file=sys.stderr)
        else:
            mark = "  unsure" if answer.get("unsure") else ""
            print(
                f"{answer['file']}  {answer['label']}  {answer['probabilities'][answer['label']]:.1%}{mark}"
            )
    return 0 if any("error" not in answer for answer in answers) else 2


if __name__ == "__main__":
    sys.exit(main())
