"""One picture file -> RGB uint8 (H, W, 3), or a stated reason why not.

Pillow reads the header first, so an oversized picture is refused before a pixel is decoded.
OpenCV decodes what it decodes faithfully (upright 8-bit grey or RGB); Pillow does the rest, and OpenCV
again what Pillow cannot: more than 8 bits in three colours.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from tl_core.base.errors import UnreadableImage
from tl_core.data.layouts.file_kinds import PLUGINS, ending, has_plugin, plugin_detail
from tl_core.data.pixels.budget import room_for
from tl_core.data.pixels.sample_depth import Whites, eight_bit, needed, white_of

MAX_PIXELS = 40_000_000
"""Of what is decoded. OpenCV took a 400-megapixel file without a word: 20 s and 2.9 GB."""
MAX_JPEG_PIXELS = 210_000_000
"""Of a JPEG that can be decoded at a half, a quarter or an eighth, as phones write them: at 200 megapixels
0.25 s and 45 MB, a progressive one 1.4 s and 620 MB."""
MAX_FILE_BYTES = 1 << 30
"""40 megapixels of the widest samples: what is longer holds something else too."""

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "AVIF", "JPEG2000")
# several pictures in one JPEG (MPO) open as JPEG
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_MAY_BE_DEEP = ("png", "tif", "tiff", "jp2", "j2k")
_BITS, _PHOTOMETRIC, _PLANES = 258, 262, 284
# tags of TIFF 6.0
_BAND_ROWS = 256
_OPENCV_FORMATS = ("JPEG", "MPO", "PNG", "BMP", "WEBP")
_RGB = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2 | cv2.IMREAD_COLOR_RGB,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4 | cv2.IMREAD_COLOR_RGB,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_COLOR_RGB,
}
# {reduction: flag}; "grayscale" here is the reduction alone, its "color" would be BGR and a copy to turn it
_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
# EXIF orientations of a picture turned by a quarter. Source: Exif 2.32, tag Orientation

Image.MAX_IMAGE_PIXELS = None
# Every refusal, of a size too, is reported by us: Pillow's and OpenCV's own lines would only be noise.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(
    source: Path | bytes, name: str | None = None, *, max_px: int | None = None, whites: Whites | None = None
) -> np.ndarray:
    """Decode a picture as a person sees it: EXIF rotation applied, first frame of an animation,
    transparency over white, more than 8 bits scaled to 8, CMYK converted.

    Args: name: what the error calls the file. max_px: side that the picture will be resized to,
        in pixels; a JPEG with more than twice that may be decoded at 1/2, 1/4 or 1/8, never
        below twice `max_px` on its short side, and may so be larger.
        whites: the scale of deep pictures in the set it belongs to; None: see `sample_depth.eight_bit`.
    Returns: uint8 (H, W, 3), RGB.
    Raises: UnreadableImage: with the reason; nothing else.
    """
    name = name or (str(source) if isinstance(source, Path) else "image")
    try:
        with _opened(source, name, max_px) as (opened, data):
            return _decode(opened, data, name, max_px, whites)
    except OSError as error:
        raise from_os_error(error, name) from None


def read_square(
    source: Path | bytes, name: str | None = None, *, px: int, whites: Whites | None = None
) -> np.ndarray:
    """`read_image`, then `resize_square` before the next large picture is decoded: uint8 (px, px, 3). What
    many threads read stays small by it. Raises: UnreadableImage."""
    name = name or (str(source) if isinstance(source, Path) else "image")
    try:
        with _opened(source, name, px) as (opened, data):
            return resize_square(_decode(opened, data, name, px, whites), px)
    except OSError as error:
        raise from_os_error(error, name) from None


def whites_needed(path: Path) -> Whites | None:
    """What a deep picture asks for, to find the scale of its set; None of one of 8 bits, unreadable
    ones included: their reader says why."""
    if ending(path.name) not in _MAY_BE_DEEP:
        return None
    try:
        with _opened(path, path.name, None) as (opened, data):
            return needed(_deep_values(opened, data)) if opened.is_deep else None
    except (OSError, UnreadableImage):
        return None
    except Exception:  # see _header
        return None


@contextmanager
def _opened(source: Path | bytes, name: str, max_px: int | None) -> Iterator[tuple[_Opened, bytes]]:
    """A picture whose header has been found good, and its content. The header alone decides whether to read
    on; content and pixels then take their turn in the room for decoding, and are gone when it is left.

    Raises: OSError, UnreadableImage.
    """
    if not isinstance(source, bytes):
        if source.is_fifo():  # opening one waits for a writer, perhaps for ever
            raise UnreadableImage(file=name, reason="not_an_image", detail="FIFO")
        if (size := source.stat().st_size) > MAX_FILE_BYTES:
            raise UnreadableImage(file=name, reason="file_too_large", detail=f"{size >> 20:,}")
    file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with file, _header(file, name, max_px) as first:
        reduction = _reduction(first.picture, max_px)
        pixels = max(first.num_pixels // reduction**2, first.num_pixels // 4)
    with room_for(pixels):
        data = source if isinstance(source, bytes) else source.read_bytes()
        with _header(io.BytesIO(data), name, max_px) as opened:
            yield opened, data


def resize_square(image: np.ndarray, px: int) -> np.ndarray:
    """Resize to (px, px, 3), aspect ratio ignored, as the expression guide does.

    Every side that shrinks is averaged over (bilinear would alias fine defects away), whatever the other
    one does; a side that grows is interpolated, bilinear.
    """
    height, width = image.shape[:2]
    smaller = min(width, px), min(height, px)
    if smaller != (width, height):  # OpenCV averages only where no side grows
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    if smaller != (px, px):
        image = cv2.resize(image, (px, px), interpolation=cv2.INTER_LINEAR)
    return image


def pixels_hash(square: np.ndarray) -> str:
    """Equal for equal pixels, wherever the file lies and whatever it is called: 32 hexadecimal digits.
    square: (px, px, 3) uint8."""
    return hashlib.blake2b(square.tobytes(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class _Opened:
    """A picture whose header has been read; nothing is decoded."""

    size: tuple[int, int]
    # (width, height)
    picture: Image.Image | None
    # Pillow's; None of a TIFF whose samples only OpenCV knows, such as floats in three colours
    tags: Any = None
    # of a TIFF
    is_deep: bool = False
    # more than 8 bits

    @property
    def num_pixels(self) -> int:
        return self.size[0] * self.size[1]

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *_: object) -> None:
        if self.picture:
            self.picture.close()


def _header(file: IO[bytes], name: str, max_px: int | None = None) -> _Opened:
    """Open without decoding; refuse what is empty, foreign or too large."""
    start = file.read(132)
    file.seek(0)
    if not start:
        raise UnreadableImage(file=name, reason="empty_file", detail="")
    formats = (*_FORMATS, *_plugin_formats(start, name))
    try:
        try:
            picture = Image.open(file, formats=formats)
        except UnidentifiedImageError:
            if start[:2] not in (b"II", b"MM"):
                raise
            opened = _tiff_header(file)
        else:
            opened = _Opened(
                picture.size, picture, getattr(picture, "tag_v2", None), _is_deep(picture, start)
            )
    except Exception as error:  # damaged files make Pillow's readers raise almost anything
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnreadableImage(file=name, reason="not_an_image", detail=_first_line(error)) from None
    pixels = opened.num_pixels
    if pixels > MAX_JPEG_PIXELS or pixels / _reduction(opened.picture, max_px) ** 2 > MAX_PIXELS:
        raise UnreadableImage(file=name, reason="too_large", detail=f"{pixels / 1e6:.1f}")
    return opened


def _plugin_formats(start: bytes, name: str) -> tuple[str, ...]:
    """What Pillow reads beside its own: HEIC and JPEG XL, where the package for it is installed.

    Raises: UnreadableImage: it is not, or what we never read, both by their content, whatever the name.
    """
    is_heic = start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS
    is_jxl = start[:2] == b"\xff\x0a" or start[4:12] == b"JXL \r\n\x87\n"
    if is_heic or is_jxl:
        own = "heic" if is_heic else "jxl"
        if not has_plugin(own):
            raise UnreadableImage(file=name, reason="unsupported", detail=plugin_detail(own))
        import importlib

        plugin = importlib.import_module(PLUGINS[own][2])
        if is_heic:
            plugin.register_heif_opener()
        return ("HEIF",) if is_heic else ("JXL",)
    if start[128:132] == b"DICM":
        raise UnreadableImage(file=name, reason="unsupported", detail="DICOM")
    return ()


def _tiff_header(file: IO[bytes]) -> _Opened:
    """Of a TIFF that Pillow does not know; OpenCV reads floats in three colours and of 64 bits."""
    file.seek(0)
    start = file.read(16)
    tags = TiffImagePlugin.ImageFileDirectory_v2(start if start[2] == 43 or start[3] == 43 else start[:8])
    file.seek(tags.next)
    tags.load(file)
    return _Opened((int(tags[256]), int(tags[257])), None, tags, is_deep=True)


def _is_deep(picture: Image.Image, start: bytes) -> bool:
    """Whether it has more than 8 bits in a sample, also where Pillow would give only the upper ones."""
    if picture.mode.startswith(("I", "F")):
        return True
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(_BITS, (8,))) > 8  # type: ignore[attr-defined]
    return picture.format == "PNG" and start[24] == 16


def _decode(opened: _Opened, data: bytes, name: str, max_px: int | None, whites: Whites | None) -> np.ndarray:
    picture, reduction = opened.picture, _reduction(opened.picture, max_px)
    if picture and not opened.is_deep and _opencv_is_faithful(picture):
        decoded = _with_opencv(data, _RGB[reduction])
        if decoded is not None:
            return decoded
    try:
        if opened.is_deep:
            return _shown(_deep_values(opened, data), opened, whites)
        return _decode_with_pillow(picture, reduction)  # type: ignore[arg-type]
    except UnreadableImage as error:
        raise UnreadableImage(**{**error.values, "file": name}) from None
    except MemoryError:
        raise UnreadableImage(file=name, reason="no_memory", detail="") from None
    except Exception as error:  # see _header
        text = _first_line(error)
        reason = "truncated" if "truncated" in text.lower() else "not_an_image"
        raise UnreadableImage(file=name, reason=reason, detail=text) from None


def _with_opencv(data: bytes, flag: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        return None


def _deep_values(opened: _Opened, data: bytes) -> np.ndarray:
    """(H, W) or (H, W, 3 or 4), RGB, upright: samples as the file has them. Raises: what Pillow raises."""
    picture = opened.picture
    if picture and picture.mode.startswith(("I", "F")):
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        return np.asarray(picture)
    if opened.tags and opened.tags.get(_PLANES, 1) == 2:
        # both decoders give wrong colours without a word
        raise UnreadableImage(file="", reason="unsupported", detail="TIFF, planes")
    decoded = _with_opencv(data, cv2.IMREAD_UNCHANGED)
    if decoded is not None:
        return decoded if decoded.ndim == 2 else _turned_to_rgb(decoded)
    if picture is None:
        raise ValueError("no decoder reads these samples")
    picture.load()  # zstd and lzma: Pillow alone, which keeps the upper 8 bits
    ImageOps.exif_transpose(picture, in_place=True)
    return np.asarray(picture.convert("RGB")).astype(np.uint16) * 257


def _turned_to_rgb(values: np.ndarray) -> np.ndarray:
    """BGR(A) -> RGB(A), in its own place."""
    for top in range(0, len(values), _BAND_ROWS):
        band = values[top : top + _BAND_ROWS]
        band[..., :3] = band[..., 2::-1].copy()
    return values


def _shown(values: np.ndarray, opened: _Opened, whites: Whites | None) -> np.ndarray:
    """Deep samples -> uint8 (H, W, 3), transparency over white; by bands, since each step takes four times
    the room of what it gives."""
    is_negative = bool(opened.tags) and opened.tags.get(_PHOTOMETRIC) == 0
    layers = values[..., None] if values.ndim == 2 else values
    num_colours = min(layers.shape[2], 3)
    widen = 257 if values.dtype == np.uint8 else 1  # OpenCV gave the upper bits
    white = white_of(layers[..., :num_colours], whites)
    white_alpha = white_of(layers[..., 3:], None) if layers.shape[2] == 4 else 1.0
    image = np.empty((*layers.shape[:2], 3), np.uint8)
    for top in range(0, len(layers), _BAND_ROWS):
        band = layers[top : top + _BAND_ROWS]
        band = band.astype(np.uint16) * widen if widen > 1 else band
        shown = eight_bit(band[..., :num_colours], white, is_negative=is_negative)
        if layers.shape[2] == 4:
            alpha = eight_bit(band[..., 3:], white_alpha).astype(np.float32) / 255
            shown = (shown * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
        image[top : top + _BAND_ROWS] = shown
    return image


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


def _reduction(picture: Image.Image | None, max_px: int | None) -> int:
    if max_px is None or picture is None or picture.format not in ("JPEG", "MPO"):
        return 1
    factor = min(picture.size) // (2 * max_px)
    return next((step for step in (8, 4, 2) if step <= factor), 1)


def _decode_with_pillow(picture: Image.Image, reduction: int) -> np.ndarray:
    if reduction > 1:
        picture.draft(None, (picture.width // reduction, picture.height // reduction))
    picture.seek(0)
    picture.load()
    is_bmp = picture.format == "BMP"
    ImageOps.exif_transpose(picture, in_place=True)  # without a copy where it is upright
    is_clear = picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
    if is_clear and is_bmp and picture.getextrema()[-1] == (0, 0):
        # Windows leaves the fourth byte at 0 where nothing is meant to be transparent
        is_clear = False
    image = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, _BAND_ROWS):  # whole, each step would need the picture once more
        band = picture.crop((0, top, picture.width, min(top + _BAND_ROWS, picture.height)))
        image[top : top + _BAND_ROWS] = _over_white(band) if is_clear else np.asarray(band.convert("RGB"))
    return image


def _over_white(band: Image.Image) -> np.ndarray:
    layer = band.convert("RGBA")
    shown = Image.new("RGB", layer.size, "white")
    shown.paste(layer, mask=layer.getchannel("A"))
    return np.asarray(shown)


def from_os_error(error: OSError, name: str) -> UnreadableImage:
    """What the system says of a file or folder called `name`, as the person is told it."""
    known = {FileNotFoundError: "vanished", PermissionError: "permission"}
    return UnreadableImage(file=name, reason=known.get(type(error), "os_error"), detail=_first_line(error))


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
