"""Memory for decoding is bounded by what one large picture needs, however many threads ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.decoding_memory import peaks
from tests.core.data_drawing import encoded, scene
from tl_core.base.errors import UnreadableImage
from tl_core.data.pixels import decode

MEGAPIXELS = 10
BYTES_PER_PIXEL = 24
"""The stated bound, in docs/reliability.md."""
AROUND_MIB = 60
"""Threads, the C library's arenas, a piece of Python here and there."""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells a peak and sets it back")
@pytest.mark.parametrize(
    "kind",
    ["PNG, palette, transparent", "PNG, RGBA, 16 bits", "WebP, RGBA, animated", "BMP", "TIFF, RGB",
     "JPEG, 5.2 times as large, progressive"],
)  # fmt: skip
def test_eight_threads_take_no_more_than_one_large_picture_needs(kind):
    _, (together,) = peaks(kind, (8,), MEGAPIXELS)
    assert together <= MEGAPIXELS * 1e6 * BYTES_PER_PIXEL / 2**20 + AROUND_MIB


def test_a_file_longer_than_any_picture_is_refused_unread_and_its_size_named(tmp_path, monkeypatch):
    path = tmp_path / "padded.png"
    path.write_bytes(encoded(scene(0), "png"))
    with path.open("r+b") as file:  # a hole: nothing lies on the disk
        file.truncate(decode.MAX_FILE_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(UnreadableImage) as refusal:
        decode.read_image(path)
    assert refusal.value.values["reason"] == "file_too_large"
    assert refusal.value.values["detail"] == "1,024"
