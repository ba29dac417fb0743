"""`python`: the folder answers by itself, from the bytes of any file, as `predict` does."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.core.drawn import write_classes
from tl_core.base.errors import UnreadableImage
from tl_core.data.pixels.decode import read_image, resize_square
from tl_core.data.pixels.sample_depth import Whites
from tl_core.export import workflow
from tl_core.export.handout import classify
from tl_core.inference.predictor import Predictor, predict_files
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule

UNKNOWN = {"whole": None, "fraction": None}


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory) -> Path:
    decision_rule.save(finished, DecisionRule(positive_class="dots", threshold=0.4, sure_from=0.9))
    try:
        made = workflow.export(finished, "python", tmp_path_factory.mktemp("out") / "model")
    finally:
        (finished.path / decision_rule.FILE).unlink()
    assert made.passed
    return made.path


def alone(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A Python that finds what is installed, and nothing of ours."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HEADSWAP"))}
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=120
    )


def test_it_answers_as_predict_does_without_our_package(folder, run, tmp_path):
    decision_rule.save(run, DecisionRule(positive_class="dots", threshold=0.4, sure_from=0.9))
    assert "No module named 'tl_core'" in alone("-c", "import tl_core", cwd=tmp_path).stderr
    pictures = sorted(
        map(str, write_classes(tmp_path / "new", {"dots": 4, "stripes": 4}, px=90).rglob("*.png"))
    )
    (tmp_path / "bad.png").write_bytes(b"no picture")
    done = alone(str(folder / "classify.py"), "--json", *pictures, str(tmp_path / "bad.png"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *found, bad = json.loads(done.stdout)["predictions"]
    assert "damaged" in bad["error"]
    for one, expected in zip(found, predict_files(Predictor.load(run), pictures), strict=True):
        assert one["file"] == expected["file"]
        assert (one["label"], one["unsure"]) == (expected["label"], expected["unsure"])
        assert one["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-4)


def test_the_script_imports_nothing_of_ours_and_versions_are_named(folder):
    assert "tl_core" not in (folder / "classify.py").read_text(encoding="utf-8")
    named = (folder / "requirements.txt").read_text(encoding="utf-8").split()
    assert [line.partition("==")[0] for line in named] == ["onnxruntime", "pillow", "numpy"]


@pytest.mark.parametrize(
    "height, width",
    [(300, 224), (448, 448), (672, 448), (1000, 667), (100, 70), (500, 90), (224, 500), (1, 1), (9, 223)],
)
def test_pixels_are_resized_as_the_reference_does(height, width):
    rng = np.random.default_rng(height)
    image = np.empty((height, width, 3), np.uint8)
    image[:] = cv2.GaussianBlur(rng.integers(0, 256, image.shape, np.uint8), (3, 3), 0).reshape(image.shape)
    gap = np.abs(classify.resized(image, 224).astype(int) - resize_square(image, 224))
    assert gap.max() <= 1 and (gap > 0).mean() < 0.02


def encoded(kind: str, **settings) -> bytes:
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (30, 40, 4), np.uint8)
    picture = Image.fromarray(cv2.resize(small, (1200, 900), interpolation=cv2.INTER_CUBIC))
    picture = picture.convert(settings.pop("mode", "RGB"))
    buffer = io.BytesIO()
    if settings.pop("turned", False):
        exif = Image.Exif()
        exif[0x0112] = 6
        settings["exif"] = exif
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind, settings",
    [
        ("JPEG", {"quality": 90}),
        ("JPEG", {"progressive": True, "subsampling": 0}),
        ("JPEG", {"mode": "L"}),
        ("JPEG", {"mode": "CMYK"}),
        ("JPEG", {"turned": True}),
        ("PNG", {}),
        ("PNG", {"mode": "RGBA"}),
        ("PNG", {"mode": "P"}),
        ("PNG", {"mode": "I;16"}),
        ("TIFF", {"mode": "F"}),
        ("BMP", {}),
        ("WEBP", {"mode": "RGBA"}),
        ("GIF", {"mode": "P"}),
        ("JPEG2000", {}),
    ],
)
def test_files_are_decoded_as_the_reference_does(kind, settings):
    content = encoded(kind, **dict(settings))
    ours, theirs = read_image(content, max_px=224), classify.read(content, 224, UNKNOWN)
    assert theirs.shape == ours.shape and theirs.dtype == np.uint8
    assert np.abs(theirs.astype(int) - ours).max() <= 1


def test_deep_pictures_are_read_on_the_scale_of_the_run():
    values = (np.add.outer(np.arange(40), np.arange(50)) * 40).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    ours = read_image(buffer.getvalue(), whites=Whites(whole=4095))
    theirs = classify.read(buffer.getvalue(), 224, {"whole": 4095, "fraction": None})
    assert np.array_equal(ours, theirs) and theirs.max() > 200


@pytest.mark.parametrize("content", [b"", b"no picture", encoded("PNG")[:200]])
def test_what_the_reference_refuses_is_refused(content):
    with pytest.raises(UnreadableImage):
        read_image(content, max_px=32)
    with pytest.raises(classify.NotReadable):
        classify.read(content, 32, UNKNOWN)
