"""One picture file -> RGB uint8 (H, W, 3), or a stated reason why not.

Pillow reads the header first, so an oversized picture is refused before a pixel is decoded.
OpenCV decodes what it decodes faithfully (upright 8-bit grey or RGB); Pillow does the rest.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from PIL import Image, ImageOps

from tl_core.base.errors import UnreadableImage

"""File name endings that count as pictures, lower case."""

MAX_PIXELS = 40_000_000
"""Of what is decoded. OpenCV took a 400-megapixel file without a word: 20 s and 2.9 GB."""
MAX_JPEG_PIXELS = 210_000_000
"""Of a JPEG that can be decoded at a half, a quarter or an eighth, as phones write them: at 200 megapixels
0.25 s and 45 MB, a progressive one 1.4 s and 620 MB."""

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF")  # several pictures in one JPEG (MPO) open as JPEG
_OPENCV_FORMATS = ("JPEG", "MPO", "PNG", "BMP", "WEBP")
_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
# EXIF orientations of a picture turned by a quarter. Source: Exif 2.32, tag Orientation

Image.MAX_IMAGE_PIXELS = None
# Every refusal, of a size too, is reported by us: Pillow's and OpenCV's own lines would only be noise.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(source: Path | bytes, name: str | None = None, *, max_px: int | None = None) -> np.ndarray:
    """Decode a picture as a person sees it: EXIF rotation applied, first frame of an animation,
    transparency over white, 16 bits scaled to 8 by the format's full range, CMYK converted.

    Args: name: what the error calls the file. max_px: side that the picture will be resized to,
        in pixels; a JPEG with more than twice that may be decoded at 1/2, 1/4 or 1/8, never
        below twice `max_px` on its short side, and may so be larger.
    Returns: uint8 (H, W, 3), RGB.
    Raises: UnreadableImage: with the reason; nothing else.
    """
    name = name or (str(source) if isinstance(source, Path) else "image")
    try:
        if isinstance(source, Path):
            if source.is_fifo():  # opening one waits for a writer, perhaps for ever
                raise UnreadableImage(file=name, reason="not_an_image", detail="FIFO")
            with source.open("rb") as file:  # the header alone decides whether to read on
                _check_header(file, name, max_px)
            source = source.read_bytes()
        return _decode(source, name, max_px)
    except OSError as error:
        raise from_os_error(error, name) from None


def resize_square(image: np.ndarray, px: int) -> np.ndarray:
    """Resize to (px, px, 3), aspect ratio ignored, as the expression guide does.

    Area averaging when shrinking (bilinear would alias fine defects away), bilinear otherwise.
    """
    shrinks = image.shape[0] >= px and image.shape[1] >= px
    return cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def pixels_hash(square: np.ndarray) -> str:
    """Equal for equal pixels, wherever the file lies and whatever it is called: 32 hexadecimal digits."""
    return hashlib.blake2b(square.tobytes(), digest_size=16).hexdigest()


def _check_header(file: IO[bytes], name: str, max_px: int | None) -> Image.Image:
    """Open without decoding; refuse what is empty, foreign or too large."""
    start = file.read(12)
    file.seek(0)
    if not start:
        raise UnreadableImage(file=name, reason="empty_file", detail="")
    try:
        picture = Image.open(file, formats=_FORMATS)
    except Exception as error:  # damaged files make Pillow's readers raise almost anything
        if isinstance(error, OSError) and error.errno is not None:
            raise
        is_heif = start[4:8] == b"ftyp"  # HEIC and AVIF, what many phones write
        reason = "unsupported" if is_heif else "not_an_image"
        raise UnreadableImage(file=name, reason=reason, detail=_first_line(error)) from None
    pixels = picture.width * picture.height
    if pixels > MAX_JPEG_PIXELS or pixels / _reduction(picture, max_px) ** 2 > MAX_PIXELS:
        raise UnreadableImage(file=name, reason="too_large", detail=f"{pixels / 1e6:.1f}")
    return picture


def _decode(data: bytes, name: str, max_px: int | None) -> np.ndarray:
    with _check_header(io.BytesIO(data), name, max_px) as picture:
        if _opencv_is_faithful(picture):
            flag = _REDUCED.get(_reduction(picture, max_px), cv2.IMREAD_COLOR)
            try:
                decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
            except cv2.error:
                decoded = None
            if decoded is not None:
                return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
        try:
            return _decode_with_pillow(picture, max_px)
        except Exception as error:  # see _check_header
            text = _first_line(error)
            reason = "truncated" if "truncated" in text.lower() else "not_an_image"
            raise UnreadableImage(file=name, reason=reason, detail=text) from None


def _opencv_is_faithful(picture: Image.Image) -> bool:
    """True for upright, opaque, still 8-bit grey or RGB; OpenCV gets the rest wrong or undefined."""
    if picture.format not in _OPENCV_FORMATS or picture.mode not in ("L", "RGB"):
        return False
    if "transparency" in picture.info:
        return False
    if picture.format in ("PNG", "WEBP") and getattr(picture, "is_animated", False):
        return False
    return _orientation(picture) == 1


def _orientation(picture: Image.Image) -> int:
    """EXIF's 1 to 8; 1 is upright."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1  # asking further would make Pillow decode the whole picture
    return picture.getexif().get(_ORIENTATION, 1)


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """(width, height) in pixels that `read_image` gives a picture whose header was opened."""
    width, height = picture.size
    # a TIFF's size is upright already: Pillow turns it in the header
    is_turned = picture.format != "TIFF" and _orientation(picture) in _ON_ITS_SIDE
    return (height, width) if is_turned else (width, height)


def _reduction(picture: Image.Image, max_px: int | None) -> int:
    if max_px is None or picture.format not in ("JPEG", "MPO"):
        return 1
    factor = min(picture.size) // (2 * max_px)
    return next((step for step in (8, 4, 2) if step <= factor), 1)


def _decode_with_pillow(picture: Image.Image, max_px: int | None) -> np.ndarray:
    reduction = _reduction(picture, max_px)
    if reduction > 1:
        picture.draft(None, (picture.width // reduction, picture.height // reduction))
    picture.seek(0)
    picture.load()
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        return _eight_bit(np.asarray(picture), picture.mode)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.new("RGB", layer.size, "white")
        picture.paste(layer, mask=layer.getchannel("A"))
    return np.array(picture.convert("RGB"))


def _eight_bit(values: np.ndarray, mode: str) -> np.ndarray:
    """(H, W) integers of 16 bits, or floats in 0..1 or 0..255 -> uint8 (H, W, 3). Pillow's own
    conversion clips at 255 and turns a 16-bit picture white."""
    values = np.nan_to_num(values.astype(np.float32))
    if mode.startswith("I;16") or values.max() > 255:
        values = values / 257
    elif mode == "F" and values.max() <= 1:
        values = values * 255
    grey = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def from_os_error(error: OSError, name: str) -> UnreadableImage:
    """What the system says of a file or folder called `name`, as the person is told it."""
    known = {FileNotFoundError: "vanished", PermissionError: "permission"}
    return UnreadableImage(file=name, reason=known.get(type(error), "os_error"), detail=_first_line(error))


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
