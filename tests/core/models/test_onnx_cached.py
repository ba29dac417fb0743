"""ONNX Runtime answers what torch answers, or torch does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.base.files import cache_folder
from tl_core.data.pixels.decode import read_image
from tl_core.inference.predictor import WORTH_EXPORTING, Predictor
from tl_core.models.onnx import cached
from tl_core.runs.execution import workflow
from tl_core.runs.run_folder import RunFolder

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    folder = write_classes(tmp_path_factory.mktemp("data"), {"dots": 62, "stripes": 63})
    return [read_image(path) for path in sorted(folder.rglob("*.png"))]


@pytest.fixture(scope="module", params=["timm", "torchvision"])
def made(request, tmp_path_factory) -> tuple[RunFolder, Path]:
    """A finished run, and the cache in which its worker has left the ONNX model."""
    folder, cache = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("cache")
    data = write_classes(folder / "data", {"dots": 62, "stripes": 63})
    config = preset(
        "casting", weights="formula", image_px=32, augment=False, target_per_class=0, views=1,
        precision="fp32", device="cpu", library=request.param,
        head={"epochs": 2, "learning_rate": 0.05}, finetune={"epochs": 0},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSWAP_CACHE", str(cache))
        run = workflow.create_run(data, folder / "run", config)
        assert workflow.execute(run) == "finished"
    return run, cache


@pytest.fixture
def run(made, monkeypatch) -> RunFolder:
    """The run, with its ONNX model taken into use however long either took here."""
    folder, cache = made
    monkeypatch.setenv("HEADSWAP_CACHE", str(cache))
    (told,) = (cache / "onnx").glob("*.json")
    content = json.loads(cache_folder.read_checked(told) or b"")
    cache_folder.write_checked(told, json.dumps({**content, "is_used": True}).encode())
    return folder


@pytest.fixture
def with_torch(run, monkeypatch) -> Predictor:
    with monkeypatch.context() as patch:
        patch.setattr(cached, "open_fast", lambda key: None)
        return Predictor.load(run)


def is_fast(predictor: Predictor) -> bool:
    return predictor._answered.get("fast") is not None


def test_both_give_the_same_answers_and_features_in_any_number(run, with_torch, pictures):
    fast = Predictor.load(run)
    assert is_fast(fast) and not is_fast(with_torch)
    for some in (pictures[:1], pictures[:7]):
        for found, expected in zip(
            fast.predict_with_features(some), with_torch.predict_with_features(some), strict=True
        ):
            assert found.dtype == expected.dtype == np.float32
            np.testing.assert_allclose(found, expected, atol=1e-3)
    assert fast.predict([]).shape == (0, 2) and fast.predict_with_features([])[1].shape == (0, 1280)


def test_a_run_that_has_ended_answers_without_loading_torch(run):
    code = (
        "import sys, numpy as np; from tl_core.inference.predictor import Predictor;"
        f"rows = Predictor.load(__import__('pathlib').Path({str(run.path)!r}))"
        ".predict([np.zeros((40, 50, 3), np.uint8)]);"
        "print(rows.shape, sorted({'torch', 'timm', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )
    assert done.stdout.strip() == "(1, 2) []", done.stderr


def test_a_damaged_file_is_thrown_away_and_torch_answers(run, made, with_torch, pictures, caplog):
    (path,) = (made[1] / "onnx").glob("*.onnx")
    whole, told = path.read_bytes(), path.with_suffix(".json").read_bytes()
    path.write_bytes(whole[:-100] + bytes(100))
    predictor = Predictor.load(run)
    assert not is_fast(predictor) and not path.exists() and "thrown away" in caplog.text
    np.testing.assert_array_equal(predictor.predict(pictures[:2]), with_torch.predict(pictures[:2]))
    path.write_bytes(whole)
    path.with_suffix(".json").write_bytes(told)


def test_after_enough_answers_torch_hands_over(run, tmp_path, monkeypatch, pictures):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path))
    monkeypatch.setattr(cached, "_compared", lambda *_: (0.0, {"onnx": 1.0, "torch": 2.0}))
    predictor = Predictor.load(run)
    first = predictor.predict(pictures[: WORTH_EXPORTING - 1])
    assert not is_fast(predictor) and not (tmp_path / "onnx").exists()
    predictor.predict(pictures[:1])
    assert is_fast(predictor) and is_fast(Predictor.load(run))
    np.testing.assert_allclose(predictor.predict(pictures[: WORTH_EXPORTING - 1]), first, atol=1e-3)


@pytest.mark.parametrize(
    ("difference", "seconds"),
    [(0.1, {"onnx": 1.0, "torch": 2.0}), (float("nan"), {"onnx": 1.0, "torch": 2.0})]
    + [(0.0, {"onnx": 2.0, "torch": 1.0})],
)
def test_a_model_that_differs_or_is_slower_is_not_used(
    with_torch, tmp_path, monkeypatch, pictures, difference, seconds
):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path))
    monkeypatch.setattr(cached, "_compared", lambda *_: (difference, seconds))
    squares = with_torch._squares(pictures[:2])
    assert cached.export_checked(with_torch.model, "key", squares, with_torch.mean, with_torch.std) is None
    assert cached.open_fast("key") is None


def test_a_machine_without_onnx_runtime_is_answered_by_torch(run, with_torch, monkeypatch, pictures, caplog):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (path,) = (Path(os.environ["HEADSWAP_CACHE"]) / "onnx").glob("*.onnx")
    kept = path.read_bytes(), path.with_suffix(".json").read_bytes()
    predictor = Predictor.load(run)
    assert not is_fast(predictor) and caplog.text
    np.testing.assert_array_equal(predictor.predict(pictures[:2]), with_torch.predict(pictures[:2]))
    path.write_bytes(kept[0])
    path.with_suffix(".json").write_bytes(kept[1])
