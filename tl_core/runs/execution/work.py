"""The steps of a run in order: data, weights, model, training, evaluation, every file of the run folder."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tl_core.base.events import (
    EpochEnd,
    Event,
    ModelReady,
    NewBest,
    PlanMade,
    RunEnded,
    RunStarted,
    StageStarted,
    WarningRaised,
)
from tl_core.base.files.paths import cache_dir
from tl_core.compute import cpu_probe, device, speeds
from tl_core.data import folders
from tl_core.runs import run_folder
from tl_core.runs.execution import plan, preparing
from tl_core.runs.run_folder import RunFolder

FOLDS = "folds.npz"
"""Among its models while it cross-validates: what the folds done so far have answered."""


class Work:
    """The steps of `execute`, as a stream of events; files are written before the event is yielded."""

    def __init__(self, folder: RunFolder) -> None:
        from tl_core.runs.execution.checkpoints import Checkpoints

        self.folder = folder
        self.config = folder.settings()
        self.recorded = folder.read_config()
        self.checkpoints = Checkpoints(folder)
        self.trainer: Any = None
        self.head_folds: dict[str, Any] = {}  # answers of the cheap cross-validation, {} before or without
        self.not_drawn: dict[str, str] = {}  # plot -> why
        self.seconds_before = self.last_write_seconds = 0.0
        self.probing_seconds = 0.0  # once per machine, so no part of what the next run needs
        self.measured: dict[str, float] = {}  # of each piece of work, see `speeds`
        self.started = time.perf_counter()

    def steps(self) -> Iterator[Event]:
        data = Path(self.recorded["data"])
        yield self._plan_made(data)
        began_reading = time.perf_counter()
        self.prepared = yield from preparing.read_pictures(self.folder, self.config, data)
        reading_seconds = time.perf_counter() - began_reading
        self._record(**preparing.fingerprints(self.prepared, self.recorded))
        self.choice = preparing.choose_weights(self.config, self.recorded)
        self._record(weights_used=self.choice.to_dict())
        self._choose_device()
        trainer = self._new_trainer(self.prepared)
        checkpoint = self.checkpoints.restore(trainer)
        if checkpoint:
            self.seconds_before, self.head_folds = checkpoint["seconds"], checkpoint["head_folds"]
        self.trainer = trainer
        self.measured = {
            "start": time.perf_counter() - self.started - reading_seconds - self.probing_seconds,
        }
        yield self._run_started(checkpoint)
        is_pretrained = self.choice.is_pretrained
        yield from preparing.warnings(self.prepared, self.config, is_pretrained, trainer.loss_weights)

        began_head = None
        for event in trainer.fit():
            if isinstance(event, StageStarted) and not trainer.is_trained(event.stage):
                began_head = time.perf_counter()
            elif isinstance(event, NewBest):
                self.checkpoints.save_best(trainer, str(event.stage))
            elif isinstance(event, EpochEnd) and trainer.is_trained(event.stage):
                self.checkpoints.save(trainer, self._seconds(), self.head_folds)
            elif isinstance(event, ModelReady):
                yield from self._check_head(event)
                if began_head and "solve" not in self.measured:
                    taken = time.perf_counter() - began_head
                    self.measured["solve"] = taken / plan.solve_seconds(len(self.prepared.labels))
                is_last = self._is_last(event)
                self._write(is_complete=is_last, with_plots=is_last)
                self.checkpoints.save(trainer, self._seconds(), self.head_folds)
                event = dataclasses.replace(event, seconds=self._seconds())
            yield event

        began_finishing = time.perf_counter()
        if trainer.final_stage != trainer.stages[-1]:
            yield WarningRaised(code="finetune_worse", values={})
        if self._is_cross_validated:
            yield from self._cross_validate()
        elif not (self.folder.read_summary() or {}).get("is_complete"):  # stopped after the last stage
            self._write(is_complete=True)
        for name, detail in self.not_drawn.items():
            yield WarningRaised(code="not_drawn", values={"name": name, "detail": detail})
        self._prepare_answers(trainer)
        if not self._is_cross_validated:
            self.measured["finish"] = self.last_write_seconds + time.perf_counter() - began_finishing
        self._learn_speeds()
        yield RunEnded(final_stage=trainer.final_stage, run_seconds=self._seconds())

    def leave_best(self) -> None:
        """The best model so far, judged and drawn; nothing where none has been learnt yet."""
        is_complete = (self.folder.read_summary() or {}).get("is_complete")
        if self.trainer is not None and self.trainer.best and not is_complete:
            self.trainer.conclude()
            self._write(is_complete=False)

    # ------------------------------------------------------------------ answers

    @property
    def _is_cross_validated(self) -> bool:
        return bool(self.prepared.split.folds) and self.config.cross_validation

    def _is_last(self, event: ModelReady) -> bool:
        return event.stage == self.trainer.stages[-1] and not self._is_cross_validated

    def _check_head(self, event: ModelReady) -> Iterator[Event]:
        """Cheap and at once: an honest interval where there are too few pictures for a test part."""
        is_due = event.stage == self.trainer.stages[0] and not self._is_cross_validated
        if is_due and self.prepared.split.folds and not self.head_folds:
            self.head_folds = yield from self.trainer.cross_validate_head()

    def _cross_validate(self) -> Iterator[Event]:
        from tl_core.training import cross_validation

        kept = self.folder.models / FOLDS
        new_trainer = partial(self._new_trainer, keep_beyond=False)
        folds = yield from cross_validation.cross_validate(self.prepared, self.config, new_trainer, kept)
        self._write(is_complete=True, folds=folds)
        kept.unlink(missing_ok=True)

    def _write(
        self, *, is_complete: bool, folds: dict[str, Any] | None = None, with_plots: bool = True
    ) -> None:
        from tl_core.runs.execution import results

        began = time.perf_counter()
        crossed, skip = folds or self.head_folds, self.not_drawn.__setitem__
        summary = results.summarise(
            self.folder.name,
            self.recorded,
            self.trainer,
            crossed,
            cross_validated="recipe" if folds else "head" if self.head_folds else None,
            weights=self.choice.to_dict(),
            seconds=self._seconds(),
            is_complete=is_complete,
        )
        results.write(self.folder, summary, self.trainer, crossed, with_plots=with_plots, on_skip=skip)
        self.last_write_seconds = time.perf_counter() - began

    def _prepare_answers(self, trainer: Any) -> None:
        """So that the first picture to be classified need not wait for torch."""
        import copy

        from tl_core.models.onnx import cached

        path, px = self.folder.models / "final.safetensors", self.config.image_px
        key = cached.key_of(path, self.choice.backbone, px, self.choice.mean, self.choice.std)
        network = copy.deepcopy(trainer.model).cpu().eval()
        cached.export_checked(network, key, self.prepared.images[:8], self.choice.mean, self.choice.std)

    # ------------------------------------------------------------------ what it is made of

    def _choose_device(self) -> None:
        import torch

        self.device_used = preparing.choose_device(self.config, self.recorded)
        torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32: a CPU gives the same answers
        if self.config.threads:
            torch.set_num_threads(self.config.threads)
        self._record(device_used=self.device_used, machine=cpu_probe.machine())

    def _new_trainer(self, prepared: Any, *, keep_beyond: bool = True) -> Any:
        """A trainer with a new head on untouched weights; cross-validation makes one per fold, whose
        activations nobody will ask for again."""
        import torch

        from tl_core.models import build
        from tl_core.training.trainer import Trainer

        network = build.build(
            self.config.library,
            len(prepared.dataset.classes),
            self.config.dropout,
            self.choice,
            self.config.seed,
        )
        name = self.device_used["device"]
        free = torch.cuda.mem_get_info(name)[0] if name.startswith("cuda") else device.free_memory_bytes()
        return Trainer(
            network,
            prepared,
            self.config,
            positive=self.config.positive_class,
            mean=self.choice.mean,
            std=self.choice.std,
            **self.device_used,
            has_statistics=self.choice.is_pretrained,
            free_bytes=free,
            free_disk_bytes=device.disk_free_bytes(cache_dir()),
            folder=cache_dir() / "activations" if keep_beyond else None,
        )

    def _record(self, **values: Any) -> None:
        if any(self.recorded.get(name) != value for name, value in values.items()):
            self.recorded = {**self.recorded, **values}
            run_folder.write_json(self.folder.config_path, self.recorded)

    def _plan_made(self, data: Path) -> PlanMade:
        if device.guess_device(self.config.device) == "cpu":
            self.probing_seconds = _probing_seconds()
        found = folders.scan(data)
        counts, reading = (
            list(found.counts().values()),
            plan.read_seconds(found.pictures, self.config.image_px),
        )
        made = plan.make(self.config, counts, plan.network_of(self.config), reading)
        return PlanMade(steps=made.to_list(), is_measured=made.is_measured)

    def _learn_speeds(self) -> None:
        """For the plan of the next run; only what this process has really computed."""
        network = self.choice.source.partition(":")[0]
        speeds.learn(plan.setting(self.config, network), {**self.measured, **self.trainer.frozen_seconds()})
        for stage, seconds in self.trainer.trained_seconds().items():
            speeds.learn(plan.setting(self.config, network, stage), seconds)

    def _seconds(self) -> float:
        return self.seconds_before + time.perf_counter() - self.started

    def _run_started(self, checkpoint: dict[str, Any] | None) -> RunStarted:
        split = self.prepared.split
        return RunStarted(
            class_to_idx=self.prepared.dataset.class_to_idx,
            num_train=len(split.train),
            num_val=len(split.val),
            num_test=len(split.test),
            weights=self.choice.to_dict(),
            device=self.device_used["device"],
            precision=self.device_used["tail_precision"],
            resumed_stage=checkpoint["stage"] if checkpoint else None,
            resumed_epoch=checkpoint["epoch"] if checkpoint else 0,
        )


def _probing_seconds() -> float:
    """Measure the processor where that was never done: needed soon in any case, and the plan is then of
    this machine. Loading torch, which every run does, is not counted."""
    if cpu_probe.cached_probe() is not None:
        return 0.0
    import torch  # noqa: F401

    began = time.perf_counter()
    device.cpu_probe()
    return time.perf_counter() - began
