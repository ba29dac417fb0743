"""The recipe, stage by stage: a new head on a frozen backbone, trained or solved; then more is fine-tuned.

    trainer = Trainer(model, prepared, config, positive="teasing", mean=…, std=…)
    for event in trainer.fit():
        …                      # write it, draw it, stop here: the state is whole at every EpochEnd

`fit` stands still at every yield, so `trainer.state()` at an EpochEnd is a checkpoint to `restore`.
Nothing here knows files, screens or processes. On a CPU the same seed gives the same weights, also
across a resume: every epoch seeds its own shuffling, augmentation and dropout.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tl_core.base.config import RunConfig
from tl_core.base.errors import NonFiniteLoss
from tl_core.base.events import (
    EarlyStopped,
    EpochEnd,
    Event,
    LearningRateReduced,
    ModelReady,
    Progress,
    StageEnded,
    StageStarted,
)
from tl_core.base.stages import BEFORE, STAGES
from tl_core.compute.kernels.fast_gradients import give_fast_gradients
from tl_core.compute.out_of_memory import memory_explained
from tl_core.data.pixels.augment import training_entries
from tl_core.data.prepare import Prepared
from tl_core.models.backbone import CLASSIFIER, TransferModel
from tl_core.training import solved_stage
from tl_core.training.class_balance import loss_weights
from tl_core.training.feeding.batches import (
    AugmentedPictures,
    CachedBatches,
    PixelBatches,
    batch_slices,
    clean_pictures,
)
from tl_core.training.feeding.frozen_features import FrozenFeatures
from tl_core.training.judge import Judge
from tl_core.training.pace import Pace, paced
from tl_core.training.stage_state import StageState
from tl_core.training.standing import Standing

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer(Standing):
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
        super().__init__(list(config.stages))
        self.config, self.prepared, self.positive, self.device = config, prepared, positive, device
        self.classes = prepared.dataset.classes
        self.tail_dtype, self.depthwise = DTYPES[tail_precision], depthwise
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.keeps_statistics = config.batchnorm == "kept" and has_statistics
        counts = np.bincount(prepared.labels[prepared.split.train], minlength=len(self.classes)).tolist()
        self.loss_weights = loss_weights(config, dict(zip(self.classes, counts, strict=True)), positive)
        self.class_weights = torch.tensor([float(self.loss_weights[name]) for name in self.classes])
        self.judge = Judge(prepared, positive, self.class_weights)
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
        self._epoch_seconds: dict[str, list[float]] = {}

    # ------------------------------------------------------------------ the recipe

    def fit(self) -> Iterator[Event]:
        """Train the stages and evaluate before, between and after; yields what happens, and a ModelReady
        whenever a stage stands. Afterwards the model holds the weights of `final_stage`.

        Raises: NonFiniteLoss, OutOfMemory.
        """
        self.model.freeze_backbone()
        if len(self.done) < len(self.stages):
            yield from paced(self.frozen.prepare_clean())
        yield from self.judge.evaluate(BEFORE, self.answer(BEFORE))
        for stage in self.stages:
            is_new = stage not in self.done
            if is_new:
                yield from self._run_stage(stage) if self.is_trained(stage) else self._solve(stage)
            self.model.load_state_dict(self.best_weights[stage])
            yield from self.judge.evaluate(stage, self.answer(stage))
            if is_new:
                self.done.append(stage)
                yield ModelReady(stage=stage, best_stage=self.final_stage)
        self.model.load_state_dict(self.best_weights[self.final_stage])

    def is_trained(self, stage: str | None) -> bool:
        """Whether the stage has epochs to go on from, and is not solved at once."""
        return stage in self.stages and self.frozen.plans[stage].kind != "solved"

    @property
    def final_stage(self) -> str:
        """The stage whose best epoch has the lowest validation loss."""
        return min(self.best, key=lambda stage: self.best[stage]["val_loss"])

    def conclude(self) -> None:
        """Judge the best model so far, wherever `fit` stands; it cannot go on afterwards."""
        self.model.load_state_dict(self.best_weights[self.final_stage])
        self.answer(self.final_stage)

    def cross_validate_head(self) -> Generator[Progress, None, dict[str, np.ndarray]]:
        """As `solved_stage.cross_validate`. Call while the backbone is frozen."""
        return solved_stage.cross_validate(
            self.probabilities[BEFORE], self.frozen, self.judge, self.config.seed
        )

    def _solve(self, stage: str) -> Iterator[Event]:
        begun = self._stage_started(stage, 0.0)
        return solved_stage.solve(begun, self, self.frozen, self.judge, self.config.seed)

    def _run_stage(self, stage: str) -> Iterator[Event]:
        settings, row = self.config.stages[stage], STAGES[stage]
        self.model.unfreeze_last(row.num_units(self.config.unfreeze_blocks, self.model.num_units))
        if row.moves_backbone:
            self._speed_up_trained_part()
        num_steps = len(batch_slices(len(self.frozen.training.entries), self.config.batch_size))
        run = StageState(stage, self.model, self.config, self.device, self.tail_dtype, num_steps)
        self.go_on(run)
        yield self._stage_started(stage, run.learning_rate)
        feed = yield from paced(self.frozen.training_feed(stage))
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
            self.record(stage, train_loss, train_accuracy, val_loss, val_accuracy, rate)
            if val_loss < self.best.get(stage, {}).get("val_loss", np.inf):
                yield self.keep_best(stage, run.epoch, val_loss, val_accuracy, self.model)
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
        num_done, pace = 0, Pace()
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
        return self.judge.scores(torch.log_softmax(logits, dim=1).numpy(), indices)

    def answer(self, stage: str) -> np.ndarray:
        """(N, C) probabilities of every picture by the weights as they stand; once per stage."""
        if stage not in self.probabilities:
            everything = list(range(len(self.prepared.labels)))
            self.probabilities[stage] = torch.softmax(self.frozen.logits(everything, stage), dim=1).numpy()
        return self.probabilities[stage]

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

    def _speed_up_trained_part(self) -> None:
        """Same layers, same numbers, other code for their gradients."""
        if self.depthwise == "split":
            for part in self.model.trainable_parts():
                for module in self.model.part_modules(part):
                    give_fast_gradients(module)

    def _is_out_of_patience(self, run: StageState) -> bool:
        patience = self.config.early_stopping_patience
        return bool(patience and run.epoch and run.epoch - self.best[run.name]["epoch"] >= patience)

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
