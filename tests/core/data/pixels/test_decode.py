"""Every kind of picture file becomes the same upright RGB array, or a stated reason."""

from __future__ import annotations

import os
import struct
import sys
import threading
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.core.data_drawing import encoded, scene, write
from tl_core.base.errors import UnreadableImage
from tl_core.data.layouts.file_kinds import EXTENSIONS
from tl_core.data.pixels import decode
from tl_core.data.pixels.budget import MAX_PIXELS_AT_ONCE, room_for
from tl_core.data.pixels.decode import read_image, resize_square


def reason_of(source: Path | bytes, **options: int) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read_image(source, "photo.jpg", **options)
    assert caught.value.values["file"] == "photo.jpg"
    assert "reason." not in caught.value.message("en")
    assert "reason." not in caught.value.message("ko")
    return caught.value.values["reason"]


def png_header(width: int, height: int) -> bytes:
    """The first bytes of a PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    about = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", about)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("ending", [*EXTENSIONS, *(one.upper() for one in EXTENSIONS)])
def test_every_extension_is_read_as_rgb(tmp_path: Path, ending: str):
    drawn = scene(1)
    options = {"lossless": True} if ending.lower() == "webp" else {}
    if ending.lower() in ("jpg", "jpeg", "jpe", "jfif", "mpo", "avif"):
        options = {"quality": 95} | ({} if ending.lower() in ("avif", "mpo") else {"subsampling": 0})
    image = read_image(write(tmp_path / f"a.{ending}", drawn, **options))
    assert image.shape == drawn.shape
    assert image.dtype == np.uint8
    # a GIF has 256 colours, and colours are halved in the smaller JPEG and in AVIF
    assert np.abs(image.astype(int) - drawn).mean() < (8 if ending.lower() in ("gif", "mpo", "avif") else 2)


@pytest.mark.parametrize("name", ["주물 사진 (1).png", "with space.jpg", "ㄱ나 ü.webp"])
def test_korean_and_spaced_names_are_read(tmp_path: Path, name: str):
    assert read_image(write(tmp_path / "한글 폴더" / name, 1)).shape == (96, 96, 3)


def test_bytes_and_file_give_the_same_picture(tmp_path: Path):
    path = write(tmp_path / "a.jpg", 1)
    assert np.array_equal(read_image(path), read_image(path.read_bytes()))


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(ending: str, orientation: int):
    drawn = np.zeros((40, 60, 3), np.uint8)
    drawn[:20, :30] = (255, 0, 0)  # red in the upper left, as a person sees it
    stored = {
        1: drawn,
        2: drawn[:, ::-1],
        3: drawn[::-1, ::-1],
        4: drawn[::-1],
        5: drawn.transpose(1, 0, 2),
        6: np.rot90(drawn, 1),
        7: drawn[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(drawn, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read_image(encoded(np.ascontiguousarray(stored), ending, exif=exif))
    assert image.shape == (40, 60, 3)
    assert image[10, 15, 0] > 200
    assert image[30, 45].max() < 60
    assert image[10, 45].max() < 60


def test_grey_becomes_three_equal_channels():
    grey = scene(1)[:, :, 0]
    image = read_image(encoded(grey, "png"))
    assert np.array_equal(image, np.repeat(grey[:, :, None], 3, axis=2))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_are_scaled_not_clipped(ending: str):
    deep = np.linspace(0, 65535, 96 * 96).reshape(96, 96).astype(np.uint16)
    image = read_image(encoded(deep, ending))
    assert np.abs(image[:, :, 0].astype(float) - deep / 257).max() <= 1


def test_a_dark_sixteen_bit_picture_stays_dark():
    assert read_image(encoded(np.full((20, 20), 200, np.uint16), "png")).max() <= 1


def test_floats_of_a_tiff_are_scaled():
    image = read_image(encoded(np.full((20, 20), 0.5, np.float32), "tif"))
    assert abs(int(image[0, 0, 0]) - 128) <= 1


@pytest.mark.parametrize("ending", ["png", "webp", "tif"])
def test_transparency_is_laid_over_white(ending: str):
    layer = np.zeros((40, 40, 4), np.uint8)
    layer[:20] = (200, 0, 0, 255)
    image = read_image(encoded(layer, ending, **({"lossless": True} if ending == "webp" else {})))
    assert image[5, 5].tolist() == [200, 0, 0]
    assert image[35, 5].tolist() == [255, 255, 255]


def test_a_palette_keeps_its_colours_and_its_transparent_entry_turns_white():
    picture = Image.new("P", (20, 20), 0)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.paste(1, (0, 0, 20, 10))
    assert read_image(encoded(picture, "png"))[15, 5].tolist() == [10, 20, 30]
    clear = read_image(encoded(picture, "png", transparency=0))
    assert clear[5, 5].tolist() == [200, 100, 50]
    assert clear[15, 5].tolist() == [255, 255, 255]


def test_the_transparent_colour_of_an_rgb_png_turns_white():
    drawn = np.full((20, 20, 3), 7, np.uint8)
    assert read_image(encoded(drawn, "png", transparency=(7, 7, 7))).min() == 255


@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_cmyk_is_converted(ending: str):
    image = read_image(encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), ending))
    red, green, blue = image[10, 10].astype(int)
    assert red > 200 > 90 > max(green, blue)


@pytest.mark.parametrize("ending", ["png", "webp", "tif"])
def test_an_animation_gives_its_first_frame(ending: str):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    options = {"lossless": True} if ending == "webp" else {}
    data = encoded(frames[0], ending, save_all=True, append_images=frames[1:], **options)
    assert read_image(data)[5, 5].tolist() == [255, 0, 0]


def test_a_wrong_ending_does_not_matter(tmp_path: Path):
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encoded(scene(3), "png"))
    assert np.array_equal(read_image(path), scene(3))


@pytest.mark.parametrize("ending", EXTENSIONS)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_file_that_breaks_off_is_refused_in_every_format(ending: str, share: float):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    data = encoded(noise, ending)
    assert reason_of(data[: int(len(data) * share)]) in ("truncated", "not_an_image")


def test_empty_foreign_and_missing_files_have_their_own_reasons(tmp_path: Path):
    empty = tmp_path / "empty.png"
    empty.touch()
    assert reason_of(empty) == "empty_file"
    assert reason_of(b"Once upon a time there was no picture.") == "not_an_image"
    assert reason_of(b"\0\0\0\x18ftypheic" + bytes(100)) == "unsupported"
    assert reason_of(tmp_path / "gone.png") == "vanished"
    assert reason_of(tmp_path) in ("os_error", "permission")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_damage_never_raises_anything_but_unreadable_image():
    rng = np.random.default_rng(0)
    for ending in EXTENSIONS:
        whole = encoded(scene(1), ending)
        for _ in range(40):
            data = bytearray(whole)
            for place in rng.integers(0, len(data), 12):
                data[place] = rng.integers(256)
            try:
                image = read_image(bytes(data))
            except UnreadableImage:
                continue
            assert image.ndim == 3
            assert image.shape[2] == 3


@pytest.mark.parametrize(("width", "height"), [(8200, 5000), (20_000, 20_000), (100_000, 100_000)])
def test_a_picture_above_forty_megapixels_is_refused_without_decoding_it(width: int, height: int):
    tracemalloc.start()
    try:
        assert reason_of(png_header(width, height)) == "too_large"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000  # bytes; one decoded row of the last is 300,000, the first picture 123 million


def test_a_real_picture_of_41_megapixels_is_refused_and_its_size_named(tmp_path: Path):
    path = write(tmp_path / "photo.png", Image.new("L", (8200, 5000)))
    with pytest.raises(UnreadableImage, match=r"41\.0 megapixels"):
        read_image(path, max_px=224)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason_of(tmp_path / "pipe.jpg") == "not_an_image"


def test_a_jpeg_that_can_be_decoded_smaller_may_have_the_pixels_of_a_phone(tmp_path: Path):
    path = write(tmp_path / "photo.jpg", Image.new("L", (12_000, 9_000), 90))
    assert read_image(path, max_px=224).shape == (1125, 1500, 3)
    assert reason_of(path) == "too_large"  # all of its pixels
    size = (16_400, 12_900)
    assert reason_of(write(tmp_path / "larger.jpg", Image.new("L", size)), max_px=224) == "too_large"


def test_a_large_jpeg_may_be_decoded_smaller_but_not_below_twice_what_is_asked():
    drawn = scene(5, px=1024)
    data = encoded(drawn, "jpg", quality=95)
    assert read_image(data).shape == (1024, 1024, 3)
    assert read_image(data, max_px=224).shape == (512, 512, 3)
    assert read_image(data, max_px=600).shape == (1024, 1024, 3)
    exact = resize_square(read_image(data), 224).astype(int)
    assert np.abs(exact - resize_square(read_image(data, max_px=224), 224)).mean() < 1


def test_a_rotated_large_jpeg_is_reduced_and_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (2048, 1024)), "jpg", exif=exif)
    assert read_image(data, max_px=128).shape == (512, 256, 3)


def test_resizing_to_a_square_averages_when_shrinking():
    stripes = np.zeros((448, 448, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize_square(stripes, 224)
    assert small.shape == (224, 224, 3)
    assert 126 <= small.min() <= small.max() <= 129
    assert resize_square(scene(1, px=20), 224).shape == (224, 224, 3)
    assert resize_square(scene(1)[:10], 224).shape == (224, 224, 3)


@pytest.mark.parametrize("shape", [(4000, 200), (2000, 200), (2048, 64), (200, 4000), (64, 2048)])
def test_a_thin_scratch_across_a_long_picture_is_seen_wherever_it_lies(shape: tuple[int, int]):
    clean = np.full((*shape, 3), 128, np.uint8)
    reached = resize_square(clean, 224)
    along = int(shape[1] > shape[0])
    for at in range(5, max(shape) - 5, 37):
        marked = clean.copy()
        np.moveaxis(marked, along, 0)[at : at + 3] = 255
        assert int(np.abs(resize_square(marked, 224).astype(int) - reached).max()) >= 10, at


@pytest.mark.parametrize(
    ("content", "package"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(100), "pillow-heif"),
        (b"\0\0\0\x18ftypmif1" + bytes(100), "pillow-heif"),
        (b"\xff\x0a" + bytes(100), "pillow-jxl-plugin"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100), "pillow-jxl-plugin"),
        (bytes(128) + b"DICM" + bytes(100), "DICOM"),
    ],
)
def test_formats_that_a_plugin_reads_are_named_and_not_called_damaged(content, package, monkeypatch):
    monkeypatch.setattr(decode, "has_plugin", lambda own: False)
    with pytest.raises(UnreadableImage, match=package) as caught:
        read_image(content, "photo.jpg")
    assert caught.value.values["reason"] == "unsupported"


def test_a_turned_avif_stands_upright():
    wanted = scene(2)[:60]
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.ascontiguousarray(np.rot90(wanted, 1))
    image = read_image(encoded(turned, "avif", quality=95, exif=exif.tobytes()))
    assert image.shape == wanted.shape and np.abs(image.astype(int) - wanted).mean() < 8


def test_the_unused_fourth_byte_of_a_bmp_hides_nothing_and_a_used_one_does():
    drawn = scene(1)
    for alpha, wanted in ((0, drawn), (255, drawn)):
        layer = np.dstack([drawn[..., ::-1], np.full(drawn.shape[:2], alpha, np.uint8)])
        header = struct.pack("<IiiHHIIiiII", 108, 96, -96, 1, 32, 3, layer.nbytes, 2835, 2835, 0, 0)
        header += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
        data = b"BM" + struct.pack("<IHHI", 14 + 108 + layer.nbytes, 0, 0, 122) + header + layer.tobytes()
        assert np.array_equal(read_image(data), wanted)


def test_large_pictures_are_decoded_one_at_a_time_and_small_ones_side_by_side():
    order: list[str] = []
    both = threading.Barrier(2, timeout=20)

    def small():
        with room_for(MAX_PIXELS_AT_ONCE // 4):
            both.wait()  # breaks unless the other one is inside too
            order.append("small")

    def large(name: str):
        with room_for(10 * MAX_PIXELS_AT_ONCE):
            order.extend([f"{name} in", f"{name} out"])

    for targets in ((small, small), (lambda: large("a"), lambda: large("b"))):
        threads = [threading.Thread(target=target) for target in targets]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert order[:2] == ["small", "small"]
    assert order[2][0] == order[3][0] and order[4][0] == order[5][0] and len(order) == 6


def test_too_little_memory_is_not_called_a_damaged_file(monkeypatch: pytest.MonkeyPatch):
    def no_room(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decode, "_with_opencv", lambda *_: None)
    monkeypatch.setattr(decode, "_decode_with_pillow", no_room)
    assert reason_of(encoded(scene(0), "png")) == "no_memory"
