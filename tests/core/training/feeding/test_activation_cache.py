"""Activations kept beyond a run, or in a file: training is the same, and nothing damaged is believed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.core.training.test_trainer import final_weights, new_trainer, prepared, settings  # noqa: F401
from tl_core.base.events import EpochEnd, StageEnded, StageStarted
from tl_core.data.pixels import augment
from tl_core.training.feeding import activation_cache, frozen_features

PLENTY = 1 << 40


@pytest.fixture
def passes(monkeypatch) -> list[list[str]]:
    """The stations of every pass of training pictures through the frozen part."""
    seen: list[list[str]] = []
    compute = frozen_features.FrozenFeatures._compute

    def spy(self, pictures, stations, *others):
        if pictures is self.training:
            seen.append(stations)
        return compute(self, pictures, stations, *others)

    monkeypatch.setattr(frozen_features.FrozenFeatures, "_compute", spy)
    return seen


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def test_a_second_run_reads_what_the_first_computed_and_ends_in_the_same_weights(prepared, tmp_path, passes):  # noqa: F811
    first = final_weights(new_trainer(prepared, settings(), folder=tmp_path))
    again = new_trainer(prepared, settings(), folder=tmp_path)
    second = final_weights(again)
    assert passes == [["blocks.3", "pooled"]] and len(files(tmp_path)) == 1
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert again.frozen.view_seconds["pooled"] > again.frozen.view_seconds["blocks.3"] > 0


@pytest.mark.parametrize("change", [{"seed": 7}, {"target_per_class": 50}, {"library": "torchvision"}])
def test_whatever_changes_the_content_is_computed_anew(prepared, tmp_path, passes, change):  # noqa: F811
    for overrides in ({}, change):
        list(new_trainer(prepared, settings(finetune={"epochs": 0}, **overrides), folder=tmp_path).fit())
    assert len(passes) == len(files(tmp_path)) == 2, "the other run was fed with what is not its own"


def test_another_head_and_another_rate_use_the_same_activations(prepared, tmp_path, passes):  # noqa: F811
    for rate in (1e-3, 1e-2):
        config = settings(head={"epochs": 3, "learning_rate": rate}, finetune={"epochs": 0})
        list(new_trainer(prepared, config, folder=tmp_path).fit())
    assert len(passes) == 1


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-1], lambda c: c[:-9] + bytes(9), lambda c: b"", lambda c: c[:9]]
)
def test_a_damaged_file_is_thrown_away_and_computed_again(prepared, tmp_path, passes, damage, caplog):  # noqa: F811
    config = settings(finetune={"epochs": 0})
    first = final_weights(new_trainer(prepared, config, folder=tmp_path))
    (path,) = files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    second = final_weights(new_trainer(prepared, config, folder=tmp_path))
    assert len(passes) == 2 and "thrown away" in caplog.text
    assert all(torch.equal(first[key], second[key]) for key in first)
    list(new_trainer(prepared, config, folder=tmp_path).fit())
    assert len(passes) == 2, "what was computed again is not believed"


def test_a_cache_that_cannot_be_written_costs_nothing_else(prepared, tmp_path, caplog):  # noqa: F811
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    list(new_trainer(prepared, settings(finetune={"epochs": 0}), folder=tmp_path / "file").fit())
    assert "could not be kept" in caplog.text or "thrown away" in caplog.text


def test_what_memory_has_no_room_for_lies_in_a_file_and_trains_the_same(prepared, tmp_path):  # noqa: F811
    in_memory, in_file = (
        new_trainer(prepared, settings(), free_bytes=free, free_disk_bytes=PLENTY, folder=tmp_path / name)
        for name, free in (("a", PLENTY), ("b", 0))
    )
    assert {plan.why for plan in in_file.frozen.plans.values()} == {"disk"}
    list(in_memory.fit())
    list(in_file.fit())
    for stage in ("before", "head", "finetune"):
        np.testing.assert_allclose(in_memory.probabilities[stage], in_file.probabilities[stage], atol=2e-3)
    assert list((tmp_path / "b").iterdir()) == []  # not even the spilled file is left


def test_without_room_in_memory_and_on_disk_the_frozen_part_runs_in_every_epoch(prepared, tmp_path):  # noqa: F811
    trainer = new_trainer(prepared, settings(), free_bytes=0, free_disk_bytes=1000, folder=tmp_path)
    started = [event for event in trainer.fit() if isinstance(event, StageStarted)]
    assert [(e.feed, e.feed_why) for e in started] == [("plain", "memory")] * 2


def test_a_stage_tells_what_keeping_has_saved_and_plain_feeding_saves_nothing(prepared):  # noqa: F811
    for views, kind in ((1, "cached"), (0, "plain")):
        trainer = new_trainer(prepared, settings(views=views))
        ended = {event.stage: event for event in trainer.fit() if isinstance(event, StageEnded)}
        assert {work["feed"] for work in trainer.frozen_work.values()} == {kind}
        if kind == "plain":
            assert {e.avoided_seconds for e in ended.values()} == {0.0}
            assert {e.times_faster for e in ended.values()} == {1.0}
        else:
            # one pass served both stages: the second had nothing left to compute
            assert ended["head"].frozen_seconds > 0 == ended["finetune"].frozen_seconds
            boundary = trainer.frozen.view_seconds["blocks.3"]
            assert ended["finetune"].avoided_seconds == pytest.approx(3 * boundary)


def test_what_was_saved_survives_a_resume(prepared):  # noqa: F811
    first = new_trainer(prepared, settings())
    for event in first.fit():
        if isinstance(event, EpochEnd) and event.stage == "finetune":
            break
    second = new_trainer(prepared, settings())
    second.restore(first.state(), first.best_weights)
    list(second.fit())
    assert list(second.frozen_work) == ["head", "finetune"]
    assert second.frozen_work["head"] == first.frozen_work["head"]


def test_another_augmentation_has_another_key_and_pictures_as_they_are_keep_theirs(prepared, monkeypatch):  # noqa: F811
    import albumentations

    trainer = new_trainer(prepared, settings())
    as_they_are = dataclasses.replace(trainer.frozen.training, is_augmented=False)

    def keys() -> list[str]:
        return [
            activation_cache.key_of(trainer.model, pictures, ["pooled"], torch.float32, "cpu")
            for pictures in (trainer.frozen.training, as_they_are)
        ]

    before = keys()
    others = [albumentations.HorizontalFlip(p=0.4), albumentations.VerticalFlip(p=0.5)]
    monkeypatch.setattr(augment, "augmenter", lambda strength: albumentations.Compose(others))
    after = keys()
    assert before[0] != after[0] and before[1] == after[1]


def test_the_key_does_not_depend_on_which_trainer_asks(prepared):  # noqa: F811
    keys = set()
    for _ in range(2):
        trainer = new_trainer(prepared, settings())
        keys.add(
            activation_cache.key_of(trainer.model, trainer.frozen.training, ["pooled"], torch.float32, "cpu")
        )
    assert len(keys) == 1


def test_what_a_killed_run_spilled_is_swept_by_the_next_and_a_living_ones_stays(tmp_path):
    dead, living = tmp_path / f".spill-{2**22 + 1}-a", tmp_path / f".spill-{os.getpid()}-b"
    for path in (dead, living):
        path.touch()
    activation_cache.on_disk((2, 3), torch.float32, tmp_path)
    assert not dead.exists() and living.exists()
