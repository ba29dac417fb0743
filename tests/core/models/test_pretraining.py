"""Pre-training of the built-in backbone: the same pictures at every attempt; a stop costs nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import signal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tl_core.base.errors import ConfigError
from tl_core.models.pretraining import __main__ as command
from tl_core.models.pretraining import finish, pictures
from tl_core.models.pretraining.dense import BINS, GRID, SIZE, DenseTarget
from tl_core.models.pretraining.loop import Pretraining
from tl_core.models.pretraining.recipe import Phase, Recipe, read_phases
from tl_core.models.weights import sources
from tl_core.synthetic.formula import class_names

TINY = Recipe(phases=(Phase(32, 12), Phase(40, 4)), batch_size=4, warm_up=4)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def states_equal(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def learn(work: Pretraining, until: int) -> None:
    for step in range(work.step, until):
        work.train_step(*pictures.Steps(work.recipe)[step])


def test_small_pictures_come_first_and_every_phase_has_its_pictures():
    assert TINY.num_steps == 4
    assert [TINY.image_px(step) for step in range(4)] == [32, 32, 32, 40]
    with pytest.raises(IndexError):
        TINY.image_px(4)


def test_the_rate_rises_stays_and_falls_to_nearly_nothing():
    recipe = Recipe(phases=(Phase(64, 100_000),), batch_size=100, warm_up=10_000, decay_part=0.5)
    rates = [recipe.learning_rate_at(step) for step in range(recipe.num_steps)]
    assert rates[0] == pytest.approx(recipe.learning_rate / 100)
    assert set(rates[100:500]) == {recipe.learning_rate}
    assert rates[500:] == sorted(rates[500:], reverse=True)
    assert rates[-1] == pytest.approx(recipe.learning_rate / 500)


@pytest.mark.parametrize("text", ["64", "64:", "64:-1", "abc:3", "8:100"])
def test_a_phase_that_makes_no_sense_is_refused(text):
    with pytest.raises(ConfigError):
        read_phases([text])


def test_a_step_draws_the_same_pictures_at_every_attempt_and_another_step_others():
    first, labels = pictures.Steps(TINY)[1]
    again, labels_again = pictures.Steps(TINY)[1]
    other, _ = pictures.Steps(TINY)[2]
    assert torch.equal(first, again) and torch.equal(labels, labels_again)
    assert first.shape == (4, 32, 32, 3) and first.dtype == torch.uint8
    assert not torch.equal(first, other)


def test_workers_draw_what_the_process_itself_would_draw():
    alone = list(pictures.stream(TINY, 2, 0))
    helped = list(pictures.stream(TINY, 2, 1))
    assert len(alone) == len(helped) == 2
    for (x, y), (also_x, also_y) in zip(alone, helped, strict=True):
        assert torch.equal(x, also_x) and torch.equal(y, also_y)


def test_every_class_comes_up_equally_often():
    places = np.arange(3 * len(class_names()))
    labels = pictures.Steps(TINY)._classes(places)
    assert set(np.bincount(labels).tolist()) == {3}
    assert not np.array_equal(labels[:1000], labels[1000:2000])


def test_the_pictures_it_is_judged_on_are_never_trained_on():
    largest = max(Recipe().num_steps, 10**9 // 128) * 128
    assert largest < pictures.UNSEEN
    judged, labels = pictures.unseen(5, 32, finish.TEST_SEED)
    settling, _ = pictures.unseen(5, 32, finish.STATISTICS_SEED)
    assert judged.shape == (5, 32, 32, 3) and len(labels) == 5
    assert not np.array_equal(judged, settling)


@pytest.mark.parametrize(("angle", "bin_"), [(0, 0), (90, 4)])
def test_the_dense_target_knows_which_way_an_edge_runs(angle, bin_):
    ramp = torch.arange(48.0).div(4).sin()
    grey = ramp.expand(48, 48) if angle == 0 else ramp[:, None].expand(48, 48)
    cells = DenseTarget().histograms(grey.expand(1, 3, 48, 48))
    assert cells.shape == (1, BINS, GRID, GRID)
    assert set(cells[0].argmax(0).flatten().tolist()) <= {bin_, bin_ + 1}


def test_the_dense_target_is_standardised_and_blind_to_contrast():
    target = DenseTarget()
    pixels = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    weak, strong = target.histograms(10 * pixels), target.histograms(100 * pixels)
    assert torch.allclose(weak, strong, rtol=0.05)
    numbers = target(pixels)
    assert numbers.shape == (8, SIZE) and numbers.abs().max() <= 5
    assert numbers.mean().abs() < 1e-4


def test_a_run_gone_on_with_ends_in_the_very_same_weights(tmp_path):
    whole = Pretraining(TINY)
    learn(whole, 4)
    stopped = Pretraining(TINY)
    learn(stopped, 2)
    stopped.save(tmp_path / "last.pt")
    resumed = Pretraining(TINY)
    resumed.load(tmp_path / "last.pt")
    assert resumed.step == 2
    learn(resumed, 4)
    assert states_equal(resumed.network.state_dict(), whole.network.state_dict())
    assert states_equal(resumed.averaged().state_dict(), whole.averaged().state_dict())


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    Pretraining(TINY).save(tmp_path / "last.pt")
    with pytest.raises(ConfigError):
        Pretraining(dataclasses.replace(TINY, seed=1)).load(tmp_path / "last.pt")


def test_settling_changes_only_the_batch_statistics_of_a_copy():
    network = Pretraining(TINY).network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settled = finish.settled(network, image_px=32, num_pictures=8).state_dict()
    assert states_equal(network.state_dict(), before)
    changed = {name.rpartition(".")[2] for name in before if not torch.equal(before[name], settled[name])}
    assert changed == {"running_mean", "running_var", "num_batches_tracked"}


@pytest.fixture
def quick(monkeypatch):
    """The end of the command on a handful of pictures."""
    monkeypatch.setattr(finish, "IMAGE_PX", 32)
    monkeypatch.setattr(finish, "SIZES", (32,))
    monkeypatch.setattr(finish, "NUM_STATISTICS", 8)
    monkeypatch.setattr(finish, "NUM_TEST", 10)
    monkeypatch.setattr(command, "LOG_EVERY", 2)


def test_the_command_ends_in_a_weight_file_that_the_app_can_use(tmp_path, quick):
    out = tmp_path / "out"
    assert command.main([str(out), "--phases", "32:16", "--batch-size", "4", "--workers", "0"]) == 0
    path = out / "formula_b0.safetensors"
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card["num_pictures_seen"] == 16 and path.stat().st_size < 12e6
    assert card["unseen_accuracy"]["32"]["num"] == 10
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16, torch.int64}
    choice = sources.choose(f"file:{path}")
    assert choice.num_classes == 1000 and choice.image_px == 32
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["pictures"] for line in lines] == [8, 16]


def test_the_command_answers_a_wrong_phase_with_one_sentence(tmp_path, capsys):
    assert command.main([str(tmp_path), "--phases", "nonsense"]) == 2
    assert "PX:PICTURES" in capsys.readouterr().err


def test_a_stop_by_keyboard_amid_a_step_waits_for_its_end(tmp_path, quick):
    seen = []

    def pressed(network, pixels):
        seen.append(len(seen))
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        return command.pooled(network, pixels)

    arguments = ["--phases", "32:16", "--batch-size", "4", "--workers", "0"]
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    assert command.main([str(broken), *arguments], pressed) == 130
    assert len(seen) == 2 and command.main([str(broken), *arguments]) == 0
    assert command.main([str(whole), *arguments]) == 0
    one, other = (load_file(path / "formula_b0.safetensors") for path in (broken, whole))
    assert states_equal(one, other)


def test_a_stop_by_keyboard_keeps_the_steps_made(tmp_path, quick, monkeypatch):
    arguments = [str(tmp_path), "--phases", "32:16", "--batch-size", "4", "--workers", "0"]
    real = Pretraining.train_step

    def interrupted(self, *batch):
        if self.step == 3:
            raise KeyboardInterrupt
        return real(self, *batch)

    monkeypatch.setattr(Pretraining, "train_step", interrupted)
    assert command.main(arguments) == 130
    monkeypatch.setattr(Pretraining, "train_step", real)
    work = command.begin(tmp_path, Recipe(phases=(Phase(32, 16),), batch_size=4), "cpu", None, command.pooled)
    assert work.step == 3
    assert command.main(arguments) == 0
