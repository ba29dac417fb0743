"""More than 8 bits, floats, negatives: one scale for a set, and no pixel decides alone."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.core.data_drawing import scene
from tl_core.base.errors import UnreadableImage
from tl_core.data.pixels.decode import read_image, whites_needed
from tl_core.data.pixels.sample_depth import Whites
from tl_core.data.prepare import prepare

GREY = scene(3)[:, :, 0]


def tiff(values: np.ndarray, *, photometric: int = 1, orientation: int = 1, planes: int = 1) -> bytes:
    """An uncompressed TIFF with the samples as they are; the tags that Pillow cannot be asked to write."""
    height, width = values.shape[:2]
    colours = 1 if values.ndim == 2 else values.shape[2]
    kinds = {"u": 1, "i": 2, "f": 3}
    order = np.moveaxis(values, 2, 0) if planes == 2 else values
    data = order.astype(values.dtype.newbyteorder("<")).tobytes()
    bits = values.dtype.itemsize * 8
    tags = [(256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * colours), (259, 3, [1])]
    tags += [(262, 3, [2 if colours == 3 else photometric]), (274, 3, [orientation]), (277, 3, [colours])]
    tags += [(278, 4, [height]), (284, 3, [planes]), (339, 3, [kinds[values.dtype.kind]] * colours)]
    parts = colours if planes == 2 else 1
    strips = 8 + 2 + 12 * (len(tags) + 2) + 4
    extra = b""
    sizes = [len(data) // parts] * parts
    body = strips + 6 * colours * 2 + 8 * parts
    tags += [(273, 4, [body + sum(sizes[:i]) for i in range(parts)]), (279, 4, sizes)]
    out = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for tag, kind, numbers in sorted(tags):
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            packed, extra = struct.pack("<I", strips + len(extra)), extra + packed
        out += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    return out + bytes(4) + extra.ljust(body - strips, b"\0") + data


def far(image: np.ndarray, wanted: np.ndarray = GREY) -> float:
    wanted = wanted if wanted.ndim == 3 else np.repeat(wanted[:, :, None], 3, axis=2)
    assert image.shape == wanted.shape
    return float(np.abs(image.astype(int) - wanted).mean())


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("is_rgb", [False, True])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_set_of_deep_pictures_is_read_at_the_scale_of_its_highest_bit(tmp_path, bits, is_rgb, ending):
    white = 2**bits - 1
    drawn = [scene(seed) if is_rgb else scene(seed)[:, :, 0] for seed in range(6)]
    for number, image in enumerate(drawn):
        deep = np.rint(image / 255 * (white if number == 0 else white * 0.6)).astype(np.uint16)
        path = tmp_path / "ab"[number % 2] / f"{number}.{ending}"
        path.parent.mkdir(exist_ok=True)
        if number == 0:
            deep.flat[0] = white
        data = tiff(deep) if ending == "tif" else cv2.imencode(".png", deep[..., ::-1] if is_rgb else deep)[1]
        path.write_bytes(bytes(data))
    whites = Whites.together(whites_needed(path) for path in sorted(tmp_path.glob("*/*")))
    assert (whites, whites.bits) == (Whites(whole=white), bits)
    assert far(read_image(tmp_path / "a" / f"0.{ending}", whites=whites), drawn[0]) < 1
    assert far(read_image(tmp_path / "b" / f"1.{ending}", whites=whites), drawn[1] * 0.6) < 1


def test_the_scale_is_kept_with_the_set_and_a_brighter_new_picture_is_clipped(tmp_path: Path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(6):
            grey = scene(number + 10 * (name == "b"))[:, :, 0]
            deep = (grey.astype(np.uint16) * 16).clip(0, 4000)
            deep[0, 0] = 4095
            Image.fromarray(deep).save(tmp_path / name / f"{number}.png")
    prepared = prepare(tmp_path, image_px=96, seed=0, val_fraction=0.2, test_fraction=0.2)
    assert prepared.whites == Whites(whole=4095)
    assert prepared.images.mean() > 90
    brighter = tiff(np.full((8, 8), 60_000, np.uint16))
    assert read_image(brighter, whites=prepared.whites).min() == 255


@pytest.mark.parametrize("top", [None, 1.0005, np.inf, np.nan, -np.inf, 300.0])
@pytest.mark.parametrize("scale", [1, 255, 65535])
@pytest.mark.parametrize("is_rgb", [False, True])
def test_one_pixel_does_not_decide_about_a_float_picture(top, scale, is_rgb):
    wanted = scene(3) if is_rgb else GREY
    values = (wanted / 255 * scale).astype(np.float32)
    if top is not None:
        values[0, 0] = top * scale
    assert far(read_image(tiff(values)), wanted) < 1


def test_a_double_and_a_32_bit_integer_are_read(tmp_path: Path):
    assert far(read_image(tiff(GREY / 255))) < 1
    deep = GREY.astype(np.int32) * 257
    deep[0, 0] = 2**30
    assert far(read_image(tiff(deep))) < 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_white_is_zero_is_read_as_its_twin(dtype):
    scale = {np.uint8: 1, np.uint16: 257, np.float32: np.float32(1 / 255)}[dtype]
    values = ((255 - GREY).astype(np.float64) * scale).astype(dtype)
    assert far(read_image(tiff(values, photometric=0))) < 1


def test_white_is_zero_of_twelve_bits_is_turned_within_its_own_scale():
    values = (255 - GREY).astype(np.uint16) * 16
    assert far(read_image(tiff(values, photometric=0), whites=Whites(whole=4095))) < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("is_rgb", [False, True])
def test_a_turned_tiff_stands_upright_in_every_depth(tmp_path: Path, orientation, dtype, is_rgb):
    wanted = scene(4)[:60] if is_rgb else scene(4)[:60, :, 0]
    turns = {1: wanted, 2: wanted[:, ::-1], 3: wanted[::-1, ::-1], 4: wanted[::-1]}
    turned = np.swapaxes(wanted, 0, 1)
    turns |= {5: turned, 6: turned[::-1], 7: turned[::-1, ::-1], 8: turned[:, ::-1]}
    scale = {np.uint8: 1, np.uint16: 257, np.float32: np.float32(1 / 255)}[dtype]
    values = np.ascontiguousarray(turns[orientation] * np.float64(scale)).astype(dtype)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(values, orientation=orientation))
    assert far(read_image(path), wanted) < 1


@pytest.mark.parametrize("compression", ["zstd", "lzma", "tiff_lzw", "tiff_adobe_deflate"])
def test_compressions_that_one_decoder_alone_knows_are_read(tmp_path: Path, compression):
    for number, image in enumerate((scene(5), (GREY.astype(np.uint16) * 257), GREY.astype(np.float32) / 255)):
        path = tmp_path / f"{number}.tif"
        Image.fromarray(image).save(path, compression=compression)
        assert far(read_image(path), scene(5) if number == 0 else GREY) < 1


def test_deep_colours_in_separate_planes_are_refused_since_both_decoders_get_them_wrong():
    with pytest.raises(UnreadableImage) as caught:
        read_image(tiff(scene(1).astype(np.uint16) * 257, planes=2))
    assert caught.value.values["reason"] == "unsupported"
    assert far(read_image(tiff(scene(1), planes=2)), scene(1)) < 1
