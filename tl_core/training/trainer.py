"""The recipe, stage by stage: a new head on a frozen backbone, trained or solved; then more is fine-tuned.

    trainer = Trainer(model, prepared, config, positive="teasing", mean=…, std=…)
    for event in trainer.fit():
        …                      # write it, draw it, stop here: the state is whole at every EpochEnd

`fit` stands still at every yield, so `trainer.state()` at an EpochEnd is a checkpoint to `restore`.
Nothing here knows files, screens or processes. On a CPU the same seed gives the same weights, also
across a resume: every epoch seeds its own shuffling, augmentation and dropout.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tl_core.base.config import RunConfig
from tl_core.base.errors import NonFiniteLoss
from tl_core.base.events import (
    EarlyStopped,
    EpochEnd,
    Evaluated,
    Event,
    LearningRateReduced,
    ModelReady,
    NewBest,
    Progress,
    StageEnded,
    StageStarted,
)
from tl_core.base.stages import BEFORE, STAGES
from tl_core.compute.kernels.fast_gradients import give_fast_gradients
from tl_core.compute.out_of_memory import memory_explained
from tl_core.data.dataset import SPLITS
from tl_core.data.pixels.augment import training_entries
from tl_core.data.prepare import Prepared
from tl_core.evaluation import metrics
from tl_core.models.backbone import CLASSIFIER, TransferModel
from tl_core.models.head import final_linear
from tl_core.training import head_solver
from tl_core.training.batches import (
    AugmentedPictures,
    CachedBatches,
    PixelBatches,
    batch_slices,
    clean_pictures,
)
from tl_core.training.class_balance import loss_weights
from tl_core.training.frozen_features import FrozenFeatures
from tl_core.training.stage_state import StageState

HISTORY = ("train_loss", "train_acc", "val_loss", "val_acc", "lr")
"""Columns of the per-stage history, named as the expression guide's training log names them."""

PROGRESS_SECONDS = 0.5
"""At most one Progress event in this time."""

LEAST_PROBABILITY = 1e-3
"""Below this a probability counts as this in the validation loss, so that one strange picture cannot
decide alone which epoch is the best. (Seen: 142 pictures at 0.3 on average, one at 343.)"""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Weights = dict[str, torch.Tensor]


class Trainer:
    """One run of the recipe over `prepared` data; see the module.

    positive: the class that metrics speak of; None: all alike. mean, std: the normalisation that the
    weights ask for.
    frozen_precision, tail_precision: fp32, bf16 or fp16 for the frozen part's training views and for
    the trained part. Validation and every reported number are computed in fp32, as prediction does.
    depthwise: "library", or "split" for the trained part's `tl_core.compute.kernels.fast_gradients`.
    has_statistics: whether the weights bring statistics that BatchNorm can keep; random ones do not.
    free_bytes, free_disk_bytes: memory and disk that kept activations may take a share of. folder:
    where they are kept for a later run; None: nowhere.
    """

    def __init__(
        self,
        model: TransferModel,
        prepared: Prepared,
        config: RunConfig,
        *,
        positive: str | None,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        device: str = "cpu",
        frozen_precision: str = "fp32",
        tail_precision: str = "fp32",
        depthwise: str = "library",
        has_statistics: bool = True,
        free_bytes: int = 4 << 30,
        free_disk_bytes: int = 0,
        folder: Path | None = None,
    ) -> None:
        self.config, self.prepared, self.positive, self.device = config, prepared, positive, device
        self.classes = prepared.dataset.classes
        self.tail_dtype, self.depthwise = DTYPES[tail_precision], depthwise
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.keeps_statistics = config.batchnorm == "kept" and has_statistics
        counts = np.bincount(prepared.labels[prepared.split.train], minlength=len(self.classes)).tolist()
        self.loss_weights = loss_weights(config, dict(zip(self.classes, counts, strict=True)), positive)
        self.class_weights = torch.tensor([float(self.loss_weights[name]) for name in self.classes])
        self.plain_loss = nn.CrossEntropyLoss(weight=self.class_weights).to(device)  # what is told
        self.criterion = nn.CrossEntropyLoss(self.class_weights, label_smoothing=config.label_smoothing)
        self.criterion.to(device)
        target = config.target_per_class if config.augment else 0
        training = AugmentedPictures(
            prepared.images,
            prepared.labels,
            training_entries(prepared.labels, prepared.split.train, target, config.seed),
            mean,
            std,
            seed=config.seed,
            is_augmented=config.augment,
            num_views=config.views if config.augment else 1,
            strength=config.augmentation,
        )
        self.frozen = FrozenFeatures(
            model,
            training,
            clean_pictures(prepared.images, prepared.labels, mean, std),
            config,
            device=device,
            dtype=DTYPES[frozen_precision],
            free_bytes=free_bytes,
            free_disk_bytes=free_disk_bytes,
            folder=folder,
        )
        self.stages = list(config.stages)
        self.history: dict[str, dict[str, list[float]]] = {}
        self.best: dict[str, dict[str, Any]] = {}  # stage -> epoch, val_loss, val_accuracy
        self.best_weights: dict[str, Weights] = {}
        self.probabilities: dict[str, np.ndarray] = {}  # stage, BEFORE too -> (N, C), every picture
        self.frozen_work: dict[str, dict[str, Any]] = {}  # stage -> how it was done, what that saved
        self._stage: StageState | None = None
        self._done: list[str] = []  # stages that have ended
        self._epoch_seconds: dict[str, list[float]] = {}
        self._restored: dict[str, Any] | None = None

    # ------------------------------------------------------------------ the recipe

    def fit(self) -> Iterator[Event]:
        """Train the stages and evaluate before, between and after; yields what happens, and a ModelReady
        whenever a stage stands. Afterwards the model holds the weights of `final_stage`.

        Raises: NonFiniteLoss, OutOfMemory.
        """
        self.model.freeze_backbone()
        if len(self._done) < len(self.stages):
            yield from self._paced(self.frozen.prepare_clean())
        yield from self._evaluate(BEFORE)
        for stage in self.stages:
            is_new = stage not in self._done
            if is_new:
                yield from self._solve_head() if not self.is_trained(stage) else self._run_stage(stage)
            self.model.load_state_dict(self.best_weights[stage])
            yield from self._evaluate(stage)
            if is_new:
                self._done.append(stage)
                yield ModelReady(stage=stage, best_stage=self.final_stage)
        self.model.load_state_dict(self.best_weights[self.final_stage])

    def is_trained(self, stage: str | None) -> bool:
        """Whether the stage has epochs to go on from, and is not solved at once."""
        return stage in self.stages and self.frozen.plans[stage].kind != "solved"

    @property
    def final_stage(self) -> str:
        """The last stage whose best epoch has a clearly lower validation loss than the one before it."""
        final, *later = [stage for stage in self.stages if stage in self.best]
        for stage in later:
            final = stage if self._is_clearly_better(stage, final) else final
        return final

    def conclude(self) -> None:
        """Judge the best model so far, wherever `fit` stands; it cannot go on afterwards."""
        for stage in self.best:
            self.model.load_state_dict(self.best_weights[stage])
            self._answer(stage)
        self.model.load_state_dict(self.best_weights[self.final_stage])

    def cross_validate_head(self) -> Generator[Progress, None, dict[str, np.ndarray]]:
        """{"before" | "head" | "final": (N, C)} probabilities of every picture by a head that was solved
        without it, on the frozen part's features. Call while the backbone is frozen."""
        folds = self.prepared.split.folds
        results = np.zeros_like(self.probabilities[BEFORE])
        answers = head_solver.cross_validated(
            self.frozen.pooled().double().numpy(),
            self.prepared.labels,
            self.prepared.groups,
            self.class_weights.double().numpy(),
            folds,
            np.array(sorted({*self.prepared.added, *(i for fold in folds for i in fold)})),
            self.config.seed,
        )
        for done, (held_out, probabilities) in enumerate(answers, 1):
            results[held_out] = probabilities
            yield Progress(stage="head", phase="checking_head", done=done, total=len(folds))
        return {BEFORE: self.probabilities[BEFORE], "head": results, "final": results}

    def _solve_head(self) -> Iterator[Event]:
        """Stage `head` at once: its best answer is computed. Each step towards it is told as an epoch."""
        stage, started = "head", time.perf_counter()
        self.history[stage] = {column: [] for column in HISTORY}
        yield self._stage_started(stage, 0.0)
        yield Progress(stage=stage, phase="solving", done=0, total=1)
        train, val = self.prepared.split.train, self.prepared.split.val
        features, labels = self.frozen.pooled().double().numpy(), self.prepared.labels
        weights, groups = self.class_weights.double().numpy(), self.prepared.groups
        solution = head_solver.solve(features[train], labels[train], groups[train], weights, self.config.seed)
        seconds = (time.perf_counter() - started) / len(solution.steps)
        for epoch, head in enumerate(solution.steps, 1):
            train_loss, train_accuracy = self._scores(head.log_probabilities(features[train]), train)
            val_loss, val_accuracy = self._scores(head.log_probabilities(features[val]), val)
            self._record(stage, train_loss, train_accuracy, val_loss, val_accuracy, 0.0)
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
        linear = final_linear(self.model.classifier)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(solution.head.weight))
            linear.bias.copy_(torch.from_numpy(solution.head.bias))
        self.best[stage] = {"epoch": epoch, "val_loss": val_loss, "val_accuracy": val_accuracy}
        self._keep_best(stage)
        yield NewBest(stage=stage, epoch=epoch, val_loss=val_loss, val_accuracy=val_accuracy)
        self.frozen_work[stage] = {"feed": "solved", "why": "solved", "times_faster": 1.0}
        yield StageEnded(
            stage=stage,
            epochs_run=epoch,
            best_epoch=epoch,
            best_val_loss=val_loss,
            best_val_accuracy=val_accuracy,
            stage_seconds=time.perf_counter() - started,
        )

    def _run_stage(self, stage: str) -> Iterator[Event]:
        settings, row = self.config.stages[stage], STAGES[stage]
        self.model.unfreeze_last(row.num_units(self.config.unfreeze_blocks, self.model.num_units))
        if row.moves_backbone:
            self._speed_up_trained_part()
        num_steps = len(batch_slices(len(self.frozen.training.entries), self.config.batch_size))
        self._stage = run = StageState(
            stage, self.model, self.config, self.device, self.tail_dtype, num_steps
        )
        self._continue_restored(run)
        yield self._stage_started(stage, run.learning_rate)
        feed = yield from self._paced(self.frozen.training_feed(stage))
        started, epochs_before = time.perf_counter(), run.epoch

        while run.epoch < settings.epochs:
            if self._is_out_of_patience(run):
                best_epoch = self.best[stage]["epoch"]
                patience = self.config.early_stopping_patience
                yield EarlyStopped(stage=stage, epoch=run.epoch, best_epoch=best_epoch, patience=patience)
                break
            run.epoch += 1
            rate, epoch_started = run.learning_rate, time.perf_counter()
            with memory_explained(partial(self._try_batch, feed.entry), self.config.batch_size):
                train_loss, train_accuracy = yield from self._train_epoch(run, feed)
            train_seconds = time.perf_counter() - epoch_started
            val_loss, val_accuracy = self._validate(stage)
            if not np.isfinite(train_loss + val_loss):
                raise NonFiniteLoss(stage=stage, epoch=run.epoch, learning_rate=rate)
            is_reduced = run.end_epoch(val_loss)
            self._record(stage, train_loss, train_accuracy, val_loss, val_accuracy, rate)
            if val_loss < self.best.get(stage, {}).get("val_loss", np.inf):
                self.best[stage] = {"epoch": run.epoch, "val_loss": val_loss, "val_accuracy": val_accuracy}
                self._keep_best(stage)
                yield NewBest(stage=stage, epoch=run.epoch, val_loss=val_loss, val_accuracy=val_accuracy)
            self._epoch_seconds.setdefault(stage, []).append(time.perf_counter() - epoch_started)
            yield EpochEnd(
                stage=stage,
                epoch=run.epoch,
                epochs=settings.epochs,
                train_loss=train_loss,
                train_accuracy=train_accuracy,
                val_loss=val_loss,
                val_accuracy=val_accuracy,
                learning_rate=rate,
                epoch_seconds=time.perf_counter() - epoch_started,
                images_per_second=feed.num / train_seconds,
                peak_mib=self._peak_mib(),
            )
            if is_reduced:
                yield LearningRateReduced(
                    stage=stage,
                    epoch=run.epoch,
                    before=rate,
                    after=run.learning_rate,
                    patience=self.config.scheduler_patience,
                )
        best = self.best[stage]
        ended = StageEnded(
            stage=stage,
            epochs_run=run.epoch,
            best_epoch=best["epoch"],
            best_val_loss=best["val_loss"],
            best_val_accuracy=best["val_accuracy"],
            stage_seconds=time.perf_counter() - started,
            frozen_seconds=self.frozen.spent_seconds[stage],
            avoided_seconds=self.frozen.avoided_seconds(stage, run.epoch - epochs_before),
        )
        plan = self.frozen.plans[stage]
        self.frozen_work[stage] = {"feed": plan.kind, "why": plan.why, "times_faster": ended.times_faster}
        yield ended

    def _train_epoch(
        self, run: StageState, feed: PixelBatches | CachedBatches
    ) -> Generator[Event, None, tuple[float, float]]:
        """One pass over the training entries -> (mean loss, accuracy), both with dropout at work."""
        seed = (self.config.seed, STAGES[run.name].number - 1, run.epoch)
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))  # dropout
        self.model.train()  # what is frozen stays in evaluation mode
        total_loss = torch.zeros((), device=self.device)
        num_right = torch.zeros((), device=self.device)
        num_done, pace = 0, _Pace()
        for x, y in feed.batches(run.epoch, seed):
            x, y = x.to(self.device), y.to(self.device)
            with torch.autocast(run.device_type, self.tail_dtype, enabled=run.is_mixed):
                logits = self.model.forward_between(x, feed.entry, CLASSIFIER).float()
            loss = self.criterion(logits, y)
            run.optimizer.zero_grad(set_to_none=True)
            run.scaler.scale(loss).backward()
            run.scaler.step(run.optimizer)
            run.scaler.update()
            run.end_step()

            total_loss += self.plain_loss(logits.detach(), y) * len(y)
            num_right += (logits.detach().argmax(1) == y).sum()
            num_done += len(y)
            if pace.is_due():
                yield Progress(
                    stage=run.name, phase="training", epoch=run.epoch, done=num_done, total=feed.num
                )
        return float(total_loss) / feed.num, float(num_right) / feed.num

    def _validate(self, stage: str) -> tuple[float, float]:
        """(loss, accuracy) on the validation pictures as they are; classes weigh as in training."""
        indices = self.prepared.split.val
        logits = self.frozen.logits(indices, stage)
        return self._scores(torch.log_softmax(logits, dim=1).numpy(), indices)

    def _scores(self, log_p: np.ndarray, indices: list[int]) -> tuple[float, float]:
        """log probabilities (N, C) of the pictures at `indices` (N,) -> (loss, accuracy)."""
        truth = self.prepared.labels[indices]
        bounded = torch.from_numpy(log_p).float().clamp(min=math.log(LEAST_PROBABILITY))
        loss = nn.functional.nll_loss(bounded, torch.from_numpy(truth), weight=self.class_weights)
        return float(loss), float((log_p.argmax(axis=1) == truth).mean())

    def _is_clearly_better(self, stage: str, than: str) -> bool:
        """By more than one standard error of the paired difference, groups of copies as one: the best of
        several epochs on few validation pictures has a lower loss by chance, too.
        Source: Breiman et al. 1984, "Classification and Regression Trees", 3.4.3 (one standard error)."""
        val = self.prepared.split.val
        truth = self.prepared.labels[val]
        bounded = [self.probabilities[name][val, truth].clip(LEAST_PROBABILITY) for name in (than, stage)]
        gained = self.class_weights.numpy()[truth] * np.log(bounded[1] / bounded[0])
        groups = np.unique(self.prepared.groups[val], return_inverse=True)[1]
        by_group = np.bincount(groups, weights=gained)
        return bool(by_group.sum() > np.sqrt(len(by_group)) * by_group.std())

    def _evaluate(self, stage: str) -> Iterator[Event]:
        """Probabilities of every picture, and the scores of each split, with the weights as they stand."""
        probabilities = self._answer(stage)
        for split in SPLITS:
            indices = getattr(self.prepared.split, split)
            if indices:
                truth = self.prepared.labels[indices]
                groups = self.prepared.groups[indices]
                scores = metrics.evaluate(
                    truth, probabilities[indices], self.classes, self.positive, groups=groups
                )
                yield Evaluated(stage=stage, split=split, metrics=scores)

    def _answer(self, stage: str) -> np.ndarray:
        """(N, C) probabilities of every picture by the weights as they stand; once per stage."""
        if stage not in self.probabilities:
            everything = list(range(len(self.prepared.labels)))
            self.probabilities[stage] = torch.softmax(self.frozen.logits(everything, stage), dim=1).numpy()
        return self.probabilities[stage]

    def _keep_best(self, stage: str) -> None:
        self.best_weights[stage] = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def frozen_seconds(self) -> dict[str, float]:
        """Of one picture through the frozen part, where that was computed here; see `speeds`."""
        computed = self.frozen.computed_seconds
        return {"frozen": computed[None] / len(self.prepared.labels)} if None in computed else {}

    def trained_seconds(self) -> dict[str, dict[str, float]]:
        """{stage that moves the backbone: seconds for one picture of its `views` and `train`, as far as they
        were computed here; see `speeds`}."""
        computed, num = self.frozen.computed_seconds, len(self.frozen.training.entries)
        found: dict[str, dict[str, float]] = {}
        for stage in [name for name in self.stages if STAGES[name].moves_backbone]:
            found[stage] = {}
            if stage in computed:
                found[stage]["views"] = computed[stage] / (num * max(self.frozen.training.num_views, 1))
            if stage in self._epoch_seconds:
                found[stage]["train"] = float(np.median(self._epoch_seconds[stage])) / num
        return found

    # ------------------------------------------------------------------ stop and go on

    def state(self) -> dict[str, Any]:
        """What `restore` needs beside the best weights of each stage; tensors and plain values only.
        Take it at an EpochEnd of a trained stage, or at a ModelReady."""
        run = self._stage
        if run is not None and run.name not in self._done:
            place = run.state()
        elif self._done:
            place = {"stage": self._done[-1], "epoch": len(self.history[self._done[-1]]["lr"])}
        else:
            raise RuntimeError("no epoch has ended yet")
        known = {stage: torch.from_numpy(p) for stage, p in self.probabilities.items()}
        told = {"history": self.history, "best": self.best, "frozen_work": self.frozen_work}
        return {**place, **told, "done": list(self._done), "probabilities": known}

    def restore(self, state: dict[str, Any], best_weights: dict[str, Weights]) -> None:
        """Let `fit` go on after the point at which `state` was taken. best_weights: {stage: state dict}
        of every stage in state["best"]."""
        self.history, self.best = state["history"], state["best"]
        self.best_weights = best_weights
        self.frozen_work = state.get("frozen_work", {})
        self._done = list(state.get("done", self.stages[: self.stages.index(state["stage"])]))
        self._restored = state if state["stage"] not in self._done else None
        self.probabilities = {stage: p.numpy() for stage, p in state.get("probabilities", {}).items()}

    def _continue_restored(self, run: StageState) -> None:
        if self._restored is None or self._restored["stage"] != run.name:
            self.history[run.name] = {column: [] for column in HISTORY}
            return
        run.continue_from(self._restored, self.best_weights[run.name])
        self._restored = None

    # ------------------------------------------------------------------ details

    def _speed_up_trained_part(self) -> None:
        """Same layers, same numbers, other code for their gradients."""
        if self.depthwise == "split":
            for part in self.model.trainable_parts():
                for module in self.model.part_modules(part):
                    give_fast_gradients(module)

    def _is_out_of_patience(self, run: StageState) -> bool:
        patience = self.config.early_stopping_patience
        return bool(patience and run.epoch and run.epoch - self.best[run.name]["epoch"] >= patience)

    def _record(self, stage: str, *values: float) -> None:
        for column, value in zip(HISTORY, values, strict=True):
            self.history[stage][column].append(value)

    def _stage_started(self, stage: str, learning_rate: float) -> StageStarted:
        counts = self.model.parameter_counts()
        plan = self.frozen.plans[stage]
        return StageStarted(
            stage=stage,
            epochs=self.config.stages[stage].epochs,
            learning_rate=learning_rate,
            trainable_parts=self.model.trainable_parts(),
            frozen_parts=self.model.frozen_parts(),
            parameters={part: total for part, (total, _) in counts.items()},
            units=dict(self.model.architecture.parts),
            num_trainable=sum(trainable for _, trainable in counts.values()),
            num_parameters=sum(total for total, _ in counts.values()),
            feed=plan.kind,
            feed_why=plan.why,
            views=self.config.views,
        )

    def _try_batch(self, entry: str, size: int) -> None:
        """Forward and backward of `size` blank pictures; weights stay as they are."""
        px = self.config.image_px
        self.model.eval()
        with torch.no_grad():
            z = self.model.forward_between(torch.zeros(1, 3, px, px, device=self.device), "pixels", entry)
        z = z.expand(size, *z.shape[1:]).contiguous()
        self.model.forward_between(z, entry, CLASSIFIER).sum().backward()
        self.model.zero_grad(set_to_none=True)

    def _peak_mib(self) -> float | None:
        if not self.device.startswith("cuda"):
            return None
        return torch.cuda.max_memory_allocated(self.device) / 2**20

    def _paced(self, steps: Generator[Progress, None, Any]) -> Generator[Progress, None, Any]:
        """Passes on the last Progress and at most one in PROGRESS_SECONDS; returns what `steps` returns."""
        pace = _Pace()
        while True:
            try:
                progress = next(steps)
            except StopIteration as end:
                return end.value
            if pace.is_due() or progress.done == progress.total:
                yield progress


class _Pace:
    """True at most once in PROGRESS_SECONDS."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def is_due(self) -> bool:
        if time.monotonic() - self._last < PROGRESS_SECONDS:
            return False
        self._last = time.monotonic()
        return True
