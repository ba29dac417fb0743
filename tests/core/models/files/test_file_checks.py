"""A model file that is not as it was written, or of other classes, answers nothing."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from tests.ui.explorable_run import explorable_run
from tl_core.base.errors import CheckpointDamaged, RunDamaged
from tl_core.base.files import atomic
from tl_core.inference.predictor import Predictor
from tl_core.models.files import checkpoint_files, file_checks
from tl_core.runs.run_folder import RunFolder, write_json

WEIGHTS = {"one": torch.arange(40.0), "two": torch.ones(3, 5)}
ABOUT = {"classes": ["bad", "good"]}


def flip(path: Path, seed: int) -> None:
    """One bit of the file, anywhere."""
    content, rng = bytearray(path.read_bytes()), random.Random(seed)
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def test_no_flipped_bit_of_weights_is_accepted(tmp_path: Path):
    path = tmp_path / "final.safetensors"
    checkpoint_files.save_weights(path, WEIGHTS, ABOUT)
    assert torch.equal(checkpoint_files.load_weights(path)["one"], WEIGHTS["one"])
    sound = path.read_bytes()
    for seed in range(200):
        flip(path, seed)
        with pytest.raises(RunDamaged, match="final.safetensors"):
            checkpoint_files.load_weights(path)
        path.write_bytes(sound)


def test_no_flipped_bit_of_what_a_resume_needs_is_accepted(tmp_path: Path):
    path = tmp_path / "last.pt"
    checkpoint_files.save_state(path, {"epoch": 3, "weights": WEIGHTS})
    assert checkpoint_files.load_state(path)["epoch"] == 3
    sound = path.read_bytes()
    for seed in range(100):
        flip(path, seed)
        with pytest.raises(CheckpointDamaged, match="delete it"):
            checkpoint_files.load_state(path)
        path.write_bytes(sound)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum")
def test_anybody_can_check_the_sums(tmp_path: Path):
    for number in range(3):
        checkpoint_files.save_weights(tmp_path / "final.safetensors", {"one": torch.full((4,), number)})
        checkpoint_files.save_state(tmp_path / "last.pt", {"epoch": number})
    done = subprocess.run(["sha256sum", "-c", file_checks.SUMS], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "final.safetensors: OK\nlast.pt: OK\n")


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_process_killed_between_the_files_leaves_one_that_loads(tmp_path: Path, monkeypatch, written: int):
    path = tmp_path / "last.pt"
    checkpoint_files.save_state(path, {"epoch": 1})
    whole, calls = atomic.write_atomic, []

    def dies(place: Path, content: bytes | str) -> None:
        if len(calls) == written:
            raise KeyboardInterrupt
        calls.append(place)
        whole(place, content)

    for epoch in (2, 3):
        calls.clear()
        monkeypatch.setattr(file_checks, "write_atomic", dies)
        with pytest.raises(KeyboardInterrupt):
            checkpoint_files.save_state(path, {"epoch": epoch})
        monkeypatch.undo()
        assert checkpoint_files.load_state(path)["epoch"] in (1, 2, 3)


def test_a_file_without_a_sum_loads(tmp_path: Path):
    path = tmp_path / "final.safetensors"
    checkpoint_files.save_weights(path, WEIGHTS)
    (tmp_path / file_checks.SUMS).unlink()
    assert not file_checks.has_sum(path)
    assert checkpoint_files.load_weights(path).keys() == WEIGHTS.keys()


def test_equal_weights_make_equal_files(tmp_path: Path):
    for name in ("a", "b"):
        checkpoint_files.save_weights(tmp_path / name, WEIGHTS, ABOUT | {"library": "timm"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def run_with_model(tmp_path: Path) -> RunFolder:
    run = explorable_run(tmp_path / "run", tmp_path / "pictures")
    final = run.models / "final.safetensors"
    checkpoint_files.save_weights(final, checkpoint_files.load_weights(final), ABOUT)
    return run


def test_classes_in_another_order_than_the_models_are_refused(tmp_path: Path):
    run = run_with_model(tmp_path)
    assert Predictor.load(run).classes == ABOUT["classes"]
    write_json(run.config_path, run.read_config() | {"class_to_idx": {"good": 0, "bad": 1}})
    with pytest.raises(RunDamaged, match="bad, good ≠ good, bad"):
        Predictor.load(run)
    write_json(run.config_path, run.read_config() | {"class_to_idx": {"bad": 1, "good": 0}})
    with pytest.raises(RunDamaged, match="class_to_idx"):
        Predictor.load(run)


def test_a_damaged_model_answers_nothing(tmp_path: Path):
    run = run_with_model(tmp_path)
    for seed in range(3):
        flip(run.models / "final.safetensors", seed)
        with pytest.raises(RunDamaged, match="final.safetensors"):
            Predictor.load(run)
