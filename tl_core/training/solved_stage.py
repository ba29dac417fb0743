"""Stage `head`, solved instead of trained: its best answer is computed at once, from kept features."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

import numpy as np
import torch

from tl_core.base.errors import NonFiniteLoss
from tl_core.base.events import EpochEnd, Event, Progress, StageEnded, StageStarted
from tl_core.base.stages import BEFORE
from tl_core.models.head import final_linear
from tl_core.training import head_solver
from tl_core.training.feeding.frozen_features import FrozenFeatures
from tl_core.training.judge import Judge
from tl_core.training.standing import Standing


def solve(
    begun: StageStarted, standing: Standing, frozen: FrozenFeatures, judge: Judge, seed: int
) -> Iterator[Event]:
    """Put the best head into the model of `frozen`; each step towards it is told as an epoch.

    Call while the backbone is frozen. Raises: NonFiniteLoss.
    """
    stage, started, prepared = str(begun.stage), time.perf_counter(), judge.prepared
    standing.begin(stage)
    yield begun
    yield Progress(stage=stage, phase="solving", done=0, total=1)
    train, val = prepared.split.train, prepared.split.val
    features, labels = frozen.pooled().double().numpy(), prepared.labels
    weights = judge.class_weights.double().numpy()
    solution = head_solver.solve(features[train], labels[train], prepared.groups[train], weights, seed)
    seconds = (time.perf_counter() - started) / len(solution.steps)
    for epoch, head in enumerate(solution.steps, 1):
        train_loss, train_accuracy = judge.scores(head.log_probabilities(features[train]), train)
        val_loss, val_accuracy = judge.scores(head.log_probabilities(features[val]), val)
        standing.record(stage, train_loss, train_accuracy, val_loss, val_accuracy, 0.0)
        yield EpochEnd(
            stage=stage,
            epoch=epoch,
            epochs=len(solution.steps),
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=0.0,
            epoch_seconds=seconds,
            images_per_second=len(train) / max(seconds, 1e-9),
        )
    if not np.isfinite(train_loss + val_loss):
        raise NonFiniteLoss(stage=stage, epoch=epoch, learning_rate=0.0)
    linear = final_linear(frozen.model.classifier)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(solution.head.weight))
        linear.bias.copy_(torch.from_numpy(solution.head.bias))
    yield standing.keep_best(stage, epoch, val_loss, val_accuracy, frozen.model)
    standing.frozen_work[stage] = {"feed": "solved", "why": "solved", "times_faster": 1.0}
    yield StageEnded(
        stage=stage,
        epochs_run=epoch,
        best_epoch=epoch,
        best_val_loss=val_loss,
        best_val_accuracy=val_accuracy,
        stage_seconds=time.perf_counter() - started,
    )


def cross_validate(
    before: np.ndarray, frozen: FrozenFeatures, judge: Judge, seed: int
) -> Generator[Progress, None, dict[str, np.ndarray]]:
    """{"before" | "head" | "final": (N, C)} probabilities of every picture by a head that was solved without
    it, on the frozen part's features. before: (N, C), of the untouched head. Call while the backbone is
    frozen."""
    prepared, folds = judge.prepared, judge.prepared.split.folds
    results = np.zeros_like(before)
    answers = head_solver.cross_validated(
        frozen.pooled().double().numpy(),
        prepared.labels,
        prepared.groups,
        judge.class_weights.double().numpy(),
        folds,
        np.array(sorted({*prepared.added, *(i for fold in folds for i in fold)})),
        seed,
    )
    for done, (held_out, probabilities) in enumerate(answers, 1):
        results[held_out] = probabilities
        yield Progress(stage="head", phase="checking_head", done=done, total=len(folds))
    return {BEFORE: before, "head": results, "final": results}
