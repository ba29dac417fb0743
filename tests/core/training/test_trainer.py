"""The recipe does what it says: what is frozen stays, what is kept agrees, a resume changes nothing."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tests.core.drawn import write_classes
from tl_core.base.config import RunConfig, preset
from tl_core.base.errors import NonFiniteLoss, OutOfMemory
from tl_core.base.events import (
    EarlyStopped,
    EpochEnd,
    Evaluated,
    LearningRateReduced,
    NewBest,
    StageEnded,
    StageStarted,
)
from tl_core.compute.cpu_probe import cpu_probe
from tl_core.compute.kernels.depthwise import SplitDepthwise
from tl_core.data.prepare import Prepared, prepare
from tl_core.models import build, parts
from tl_core.models.weights import sources
from tl_core.training.trainer import Trainer

PX = 32


def settings(**overrides) -> RunConfig:
    base = {
        "weights": "random",
        "image_px": PX,
        "target_per_class": 24,
        "views": 2,
        "batch_size": 16,
        "precision": "fp32",
        "early_stopping_patience": 0,
        "head": {"epochs": 3},
        "finetune": {"epochs": 3},
    }
    return preset("expression", **{**base, **overrides})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = write_classes(tmp_path_factory.mktemp("drawn"), {"dots": 62, "stripes": 70})
    return prepare(folder, image_px=PX, seed=1, val_fraction=0.2, test_fraction=0.2)


def new_trainer(prepared: Prepared, config: RunConfig, source: str = "random", **options) -> Trainer:
    choice = sources.choose(source)
    network = build.build(config.library, 2, config.dropout, choice, config.seed)
    positive = config.positive_class or "stripes"
    of_machine = {f"{part}_precision": cpu_probe()[part] for part in ("frozen", "tail")}
    options = {**of_machine, **options}  # as `pytest --precision` says
    return Trainer(network, prepared, config, positive=positive, mean=choice.mean, std=choice.std, **options)


def hashes(trainer: Trainer) -> dict[str, str]:
    return {part: parts.part_state_hash(trainer.model, part) for part in trainer.model.part_names}


def final_weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    list(trainer.fit())
    return trainer.model.state_dict()


@pytest.mark.parametrize("views", [0, 2])
def test_head_stage_leaves_every_backbone_tensor_and_buffer_bit_identical(prepared, views):
    trainer = new_trainer(prepared, settings(finetune={"epochs": 0}, views=views))
    before = hashes(trainer)
    list(trainer.fit())
    after = hashes(trainer)
    assert [part for part in before if before[part] != after[part]] == ["classifier"]


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_finetune_stage_changes_the_last_blocks_and_nothing_before_them(prepared, library):
    trainer = new_trainer(prepared, settings(library=library, head={"epochs": 0}))
    before = hashes(trainer)
    list(trainer.fit())
    after = hashes(trainer)
    changed = [part for part in before if before[part] != after[part]]
    assert changed == ["blocks.4", "blocks.5", "blocks.6", "head_conv", "classifier"]


@pytest.mark.parametrize(("has_statistics", "changed"), [(True, False), (False, True)])
def test_kept_batchnorm_statistics_stay_while_scale_and_shift_learn(prepared, has_statistics, changed):
    config = settings(head={"epochs": 0}, finetune={"epochs": 1}, batchnorm="kept")
    trainer = new_trainer(prepared, config, has_statistics=has_statistics)
    before = {key: value.clone() for key, value in trainer.model.state_dict().items()}
    list(trainer.fit())
    after = trainer.model.state_dict()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    norms = [key.removesuffix("running_mean") for key in before if key.endswith("running_mean")]
    trained = [key for key in norms if f"{key}weight" in moved]
    assert trained
    # random weights bring no statistics: there is nothing to keep
    assert all((f"{key}running_mean" in moved) == changed for key in trained)


def test_fine_tuning_goes_on_where_the_solved_head_stands(prepared):
    config = settings(
        head_solver="lbfgs", batchnorm="kept", dropout=0.0, augment=False, target_per_class=0,
        positive_weight=1.0, finetune={"epochs": 1, "learning_rate": 1e-8},
    )  # fmt: skip
    trainer = new_trainer(prepared, config, "formula", frozen_precision="fp32", tail_precision="fp32")
    list(trainer.fit())
    assert trainer.history["finetune"]["train_loss"][0] == pytest.approx(
        trainer.history["head"]["train_loss"][-1], abs=1e-3
    )


def test_each_of_three_stages_changes_more_of_the_network_than_the_one_before(prepared):
    trainer = new_trainer(prepared, settings(head={"epochs": 1}, finetune={"epochs": 1}, whole={"epochs": 1}))
    seen, changed = hashes(trainer), {}
    for event in trainer.fit():
        if isinstance(event, StageEnded):
            now = hashes(trainer)
            changed[event.stage] = {part for part in now if now[part] != seen[part]}
            seen = now
    assert changed["head"] == {"classifier"}
    assert changed["finetune"] == {"blocks.4", "blocks.5", "blocks.6", "head_conv", "classifier"}
    assert changed["whole"] == set(trainer.model.part_names)
    assert list(trainer.probabilities) == ["before", "head", "finetune", "whole"]


def test_cached_and_plain_training_on_the_same_views_end_in_the_same_predictions(prepared, monkeypatch):
    cached = new_trainer(prepared, settings())
    assert {plan.kind for plan in cached.frozen.plans.values()} == {"cached"}
    plain = new_trainer(prepared, settings(), free_bytes=0)
    assert {plan.why for plan in plain.frozen.plans.values()} == {"memory"}
    list(cached.fit())
    list(plain.fit())
    for stage in ("before", "head", "finetune"):
        np.testing.assert_allclose(cached.probabilities[stage], plain.probabilities[stage], atol=2e-3)


def test_the_faster_depthwise_layers_train_the_same_network(prepared):
    library = new_trainer(prepared, settings(head={"epochs": 1}))
    split = new_trainer(prepared, settings(head={"epochs": 1}), depthwise="split")
    list(library.fit())
    list(split.fit())
    assert sum(isinstance(module, SplitDepthwise) for module in split.model.modules()) == 7
    assert list(split.model.state_dict()) == list(library.model.state_dict())
    np.testing.assert_allclose(split.probabilities["finetune"], library.probabilities["finetune"], atol=2e-3)


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(prepared):
    first = final_weights(new_trainer(prepared, settings()))
    again = final_weights(new_trainer(prepared, settings()))
    other = final_weights(new_trainer(prepared, settings(seed=7)))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize(
    ("stop_after", "schedule"), [(1, "plateau"), (3, "plateau"), (4, "plateau"), (5, "one_cycle")]
)
def test_stopping_after_any_epoch_and_resuming_ends_in_the_very_same_weights(prepared, stop_after, schedule):
    config = settings(schedule=schedule)
    whole = final_weights(new_trainer(prepared, config, depthwise="split"))
    first, epochs, kept = new_trainer(prepared, config, depthwise="split"), 0, None
    for event in first.fit():
        epochs += isinstance(event, EpochEnd)
        if epochs == stop_after:
            kept = copy.deepcopy((first.state(), first.best_weights))
            break
    second = new_trainer(prepared, config, depthwise="split")
    second.restore(*kept)
    seen = [(e.stage, e.epoch) for e in second.fit() if isinstance(e, EpochEnd)]
    assert len(seen) == 6 - stop_after
    assert all(torch.equal(whole[key], value) for key, value in second.model.state_dict().items())
    assert [len(second.history[s]["lr"]) for s in ("head", "finetune")] == [3, 3]


def test_a_head_trained_on_a_frozen_network_learns_dots_from_stripes(prepared):
    config = settings(head={"epochs": 15}, finetune={"epochs": 0}, views=4)
    trainer = new_trainer(prepared, config, source="formula")
    losses = [event.train_loss for event in trainer.fit() if isinstance(event, EpochEnd)]
    assert losses[-1] < losses[0] * 0.9


def test_events_tell_the_story_in_order(prepared):
    events = list(new_trainer(prepared, settings()).fit())
    evaluated = [(e.stage, e.split) for e in events if isinstance(e, Evaluated)]
    assert evaluated == [(s, p) for s in ("before", "head", "finetune") for p in ("train", "val", "test")]
    started = [e for e in events if isinstance(e, StageStarted)]
    assert started[0].trainable_parts == ["classifier"]
    assert started[0].num_trainable == 2562
    assert started[1].frozen_parts == ["stem", "blocks.0", "blocks.1", "blocks.2", "blocks.3"]
    assert sum(started[1].parameters.values()) == started[1].num_parameters
    first_best = next(i for i, e in enumerate(events) if isinstance(e, NewBest))
    first_epoch = next(i for i, e in enumerate(events) if isinstance(e, EpochEnd))
    assert first_best < first_epoch  # its file is written before the checkpoint that speaks of it


def test_final_stage_is_the_one_with_the_lower_validation_loss_and_its_weights_are_loaded(prepared):
    trainer = new_trainer(prepared, settings())
    list(trainer.fit())
    better = min(trainer.best, key=lambda stage: min(trainer.history[stage]["val_loss"]))
    assert trainer.final_stage == better
    best = trainer.best_weights[better]
    assert all(torch.equal(best[key], value) for key, value in trainer.model.state_dict().items())


def test_validation_loss_that_does_not_fall_reduces_the_rate_and_then_ends_the_stage(prepared, monkeypatch):
    config = settings(
        head={"epochs": 12}, finetune={"epochs": 0}, scheduler_patience=2, early_stopping_patience=5
    )
    trainer = new_trainer(prepared, config)
    losses = iter([0.5] + [0.9] * 20)
    monkeypatch.setattr(trainer, "_validate", lambda stage: (next(losses), 0.5))
    events = list(trainer.fit())
    reduced = next(e for e in events if isinstance(e, LearningRateReduced))
    assert (reduced.epoch, reduced.before) == (4, 1e-3)
    assert reduced.after == pytest.approx(1e-4)
    stopped = next(e for e in events if isinstance(e, EarlyStopped))
    assert (stopped.epoch, stopped.best_epoch) == (6, 1)


def test_one_cycle_begins_small_and_ends_at_nothing_and_is_no_plateau(prepared):
    trainer = new_trainer(
        prepared, settings(schedule="one_cycle", finetune={"epochs": 0}, head={"epochs": 8})
    )
    events = list(trainer.fit())
    rates = trainer.history["head"]["lr"]
    assert rates[0] < 1e-4 < 9e-4 < max(rates) <= 1e-3
    assert rates[-1] < 1e-4
    assert not any(isinstance(event, LearningRateReduced) for event in events)


def test_one_strange_picture_does_not_decide_the_validation_loss_alone(prepared, monkeypatch):
    trainer = new_trainer(prepared, settings())
    truth = torch.from_numpy(prepared.labels[prepared.split.val])
    logits = 4.0 * torch.nn.functional.one_hot(truth, 2)
    monkeypatch.setattr(trainer.frozen, "logits", lambda indices, stage: logits)
    calm, _ = trainer._validate("head")
    logits[0] = -100 * logits[0]  # sure of the wrong class beyond all measure
    strange, accuracy = trainer._validate("head")
    assert accuracy == pytest.approx(1 - 1 / len(truth))
    assert calm < strange < calm + 2 * 7 / len(truth)  # 7: minus the logarithm of 1/1000; weights 1 and 2


def test_a_loss_that_explodes_stops_with_the_learning_rate_to_blame(prepared, monkeypatch):
    trainer = new_trainer(prepared, settings())
    monkeypatch.setattr(trainer, "_validate", lambda stage: (float("nan"), 0.5))
    with pytest.raises(NonFiniteLoss) as caught:
        list(trainer.fit())
    assert "0.001" in str(caught.value)


def test_out_of_memory_names_a_batch_size_that_was_tried_and_fits(prepared, monkeypatch):
    exact = dict.fromkeys(("frozen_precision", "tail_precision"), "fp32")  # bf16 copies the network
    trainer = new_trainer(prepared, settings(), **exact)
    honest = trainer.model.forward_between

    def small_memory(x, start, stop):
        if torch.is_grad_enabled() and len(x) > 4:
            raise torch.OutOfMemoryError("pretended")
        return honest(x, start, stop)

    monkeypatch.setattr(trainer.model, "forward_between", small_memory)
    with pytest.raises(OutOfMemory) as caught:
        list(trainer.fit())
    assert caught.value.values == {"batch_size": 16, "fits": 4}


def test_training_sees_only_training_pictures(prepared, monkeypatch):
    seen: set[int] = set()
    trainer = new_trainer(prepared, settings(views=0))
    draw = type(trainer.frozen.training)._draw

    def spy(self, entry, view):
        if self.is_augmented:
            seen.add(entry[0])
        return draw(self, entry, view)

    monkeypatch.setattr(type(trainer.frozen.training), "_draw", spy)
    list(trainer.fit())
    assert seen == set(prepared.split.train)


def test_weight_of_the_positive_class_reaches_the_loss(prepared):
    assert new_trainer(prepared, settings()).class_weights.tolist() == [1.0, 2.0]
    named = settings(class_weights={"dots": 3.0})
    assert new_trainer(prepared, named).class_weights.tolist() == [3.0, 1.0]


def test_bf16_training_ends_near_fp32(prepared):
    config = settings(head={"epochs": 3}, finetune={"epochs": 0})
    exact, rough = (new_trainer(prepared, config, frozen_precision=form) for form in ("fp32", "bf16"))
    list(exact.fit())
    list(rough.fit())
    np.testing.assert_allclose(exact.probabilities["head"], rough.probabilities["head"], atol=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_mixed_precision_on_cuda_trains_and_stays_finite(prepared, precision):
    trainer = new_trainer(
        prepared, settings(), device="cuda", frozen_precision=precision, tail_precision=precision
    )
    losses = [e.train_loss for e in trainer.fit() if isinstance(e, EpochEnd)]
    assert np.isfinite(losses).all()
