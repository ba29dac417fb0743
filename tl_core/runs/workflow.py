"""A whole run: data, weights, model, training, evaluation, and every file of the run folder.

`create_run` makes the folder and refuses what cannot work before anything is waited for;
`execute` does the work, from the start or from the last completed epoch. Both the command line
and the detached worker call these two, so a run is the same wherever it is started.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tl_core.base.config import RunConfig, default_positive
from tl_core.base.errors import ConfigError
from tl_core.base.events import (
    EpochEnd,
    Event,
    NewBest,
    Progress,
    RunEnded,
    RunStarted,
    RunStopped,
    WarningRaised,
)
from tl_core.base.paths import cache_dir, expanded
from tl_core.compute import device
from tl_core.data import curation, folders
from tl_core.runs import run_folder
from tl_core.runs.run_folder import EventWriter, RunFolder

DECISIONS = "decisions.csv"
"""In a run folder: the decisions that were in force when the run was made."""
FOLDS = "folds.npz"
"""Among its models while it cross-validates: what the folds done so far have answered."""


def create_run(data: str | Path, out: str | Path | None, config: RunConfig, name: str = "") -> RunFolder:
    """A run folder at `out` with everything `execute` needs; looks at folder names, opens no picture.

    out: None = a new place among the runs, called after `name`, or after the preset without one.
    Raises: DataError, ConfigError: `data` or a class named in `config` cannot be.
        RunExists, OutputUnwritable: `out` cannot be used.
    """
    dataset = folders.scan(Path(data))
    folders.refuse_too_few(dataset)
    named = [config.positive_class] if config.positive_class else []
    for label in [*named, *(config.class_weights or {})]:
        if label not in dataset.classes:
            raise ConfigError(name="class", value=label, need=", ".join(dataset.classes))
    settings = config.to_dict()
    settings["positive_class"] = config.positive_class or default_positive(config.preset, dataset.classes)
    rows = curation.in_force(dataset.root) if config.use_decisions else []
    return run_folder.create(
        run_folder.new_path(name or config.preset) if out is None else Path(out),
        {
            **settings,
            "data": str(expanded(data).absolute()),
            "class_to_idx": dataset.class_to_idx,
            "versions": device.versions(),
        },
        # the run's own copy: what is decided later is for later runs
        {DECISIONS: curation.table(rows)} if rows else {},
    )


def execute(
    folder: RunFolder,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> str:
    """Carry out the run; returns "finished" or "stopped". Every event is written, then told.

    should_stop: asked after every event; a stop loses at most the epoch or the fold that was going on.
    Raises: TlError: what went wrong, for the person.
    """
    with EventWriter(folder.events_path) as writer:

        def tell(event: Event) -> None:
            on_event(writer.write(event))

        epoch = 0
        for event in _Work(folder).steps():
            tell(event)
            epoch = event.epoch if isinstance(event, EpochEnd) else epoch
            if should_stop() and not isinstance(event, RunEnded):
                tell(RunStopped(stage=event.stage, epoch=epoch))
                return "stopped"
    return "finished"


class _NotWanted(Exception):
    """Ends the reading of a run that was stopped meanwhile."""


class _Work:
    """The steps of `execute`, as a stream of events; files are written before the event is yielded."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.config = folder.settings()
        self.recorded = folder.read_config()
        self.positive = str(self.config.positive_class)
        self.seconds_before = 0.0
        self.started = time.perf_counter()

    def steps(self) -> Iterator[Event]:
        yield from self._prepare_data()
        self._choose_weights()
        self._choose_device()
        trainer = self._build_trainer()
        checkpoint = self._restore(trainer)
        yield self._run_started(checkpoint)
        yield from self._warnings()

        for event in trainer.fit():
            if isinstance(event, NewBest):
                self._save_best(trainer, str(event.stage))
            elif isinstance(event, EpochEnd):
                self._save_epoch(trainer)
            yield event

        from tl_core.runs import results
        from tl_core.training import cross_validation

        folds: dict[str, Any] = {}
        if self.prepared.split.folds:
            folds = yield from cross_validation.cross_validate(
                self.prepared,
                self.config,
                partial(self._new_trainer, keep_beyond=False),
                self.folder.models / FOLDS,
            )
        if trainer.final_stage == "head" and "finetune" in trainer.best:
            yield WarningRaised(code="finetune_worse", values={})
        seconds = self.seconds_before + time.perf_counter() - self.started
        results.write(
            self.folder,
            self.recorded,
            trainer,
            self.prepared,
            folds,
            weights=self.choice.to_dict(),
            seconds=seconds,
        )
        (self.folder.models / FOLDS).unlink(missing_ok=True)
        self._prepare_answers(trainer)
        yield RunEnded(final_stage=trainer.final_stage, run_seconds=seconds)

    # ------------------------------------------------------------------ before training

    def _prepare_data(self) -> Iterator[Event]:
        """Reading reports its progress through a callback, so it runs beside and is asked for news.

        Raises: DataError. ConfigError: not the pictures or the classes that the run was made for.
        """
        from concurrent.futures import ThreadPoolExecutor

        from tl_core.data.prepare import prepare

        news = {"done": 0, "total": 0, "is_wanted": True}

        def on_progress(done: int, total: int) -> None:
            if not news["is_wanted"]:
                raise _NotWanted
            news.update(done=done, total=total)

        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(
                prepare,
                Path(self.recorded["data"]),
                image_px=self.config.image_px,
                seed=self.config.seed,
                val_fraction=self.config.val_fraction,
                test_fraction=self.config.test_fraction,
                decisions=curation.read(self.folder.path / DECISIONS),
                on_progress=on_progress,
            )
            try:
                while not reading.done():
                    time.sleep(0.1)
                    yield Progress(phase="reading", done=news["done"], total=news["total"])
            finally:  # a stop leaves from within the loop, and the pool waits for its thread
                news["is_wanted"] = False
            self.prepared = reading.result()
        found = self.prepared.found or self.prepared.dataset
        of_pictures = folders.fingerprint(found)
        fingerprint = curation.fingerprint(found, self.prepared.dataset, of_pictures)
        known = self.recorded.get("data_fingerprint")
        is_other = known and known != fingerprint
        # a class folder renamed while the run waited would put its answers under another's name
        if is_other or self.prepared.dataset.class_to_idx != self.recorded["class_to_idx"]:
            raise ConfigError(
                name="data", value=self.recorded["data"], need="the pictures the run began with"
            )
        self._record(
            data_fingerprint=fingerprint,
            pictures_fingerprint=of_pictures,
            decisions=self.prepared.decision_counts,
        )

    def _choose_weights(self) -> None:
        from tl_core.models.weights import sources

        used = self.recorded.get("weights_used")
        self.choice = (
            sources.reload(used) if used else sources.choose(self.config.weights, library=self.config.library)
        )
        self._record(weights_used=self.choice.to_dict())

    def _choose_device(self) -> None:
        """Decided once per run: the number format changes the last digits, and a resumed run must agree."""
        import torch

        used = self.recorded.get("device_used")
        if not used:
            name = device.pick_device(self.config.device)
            tail = device.pick_precision(name, self.config.precision)
            frozen = (
                device.cpu_probe()["frozen"] if (name, self.config.precision) == ("cpu", "auto") else tail
            )
            layers = device.cpu_probe()["depthwise"] if name == "cpu" else {}
            used = {
                "device": name,
                "frozen_precision": frozen,
                "tail_precision": tail,
                "depthwise": layers.get(tail, "library"),
            }
        else:
            device.pick_device(used["device"])
        torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32: a CPU gives the same answers
        if self.config.threads:
            torch.set_num_threads(self.config.threads)
        self.device_used = used
        self._record(device_used=used)

    def _record(self, **values: Any) -> None:
        if any(self.recorded.get(name) != value for name, value in values.items()):
            self.recorded = {**self.recorded, **values}
            run_folder.write_json(self.folder.config_path, self.recorded)

    def _build_trainer(self) -> Any:
        return self._new_trainer(self.prepared)

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
            positive=self.positive,
            mean=self.choice.mean,
            std=self.choice.std,
            **self.device_used,
            free_bytes=free,
            free_disk_bytes=device.disk_free_bytes(cache_dir()),
            folder=cache_dir() / "activations" if keep_beyond else None,
        )

    # ------------------------------------------------------------------ checkpoints

    def _save_best(self, trainer: Any, stage: str) -> None:
        from tl_core.models import checkpoint_files

        checkpoint_files.save_weights(self._best_path(stage), trainer.best_weights[stage])

    def _save_epoch(self, trainer: Any) -> None:
        from tl_core.models import checkpoint_files
        from tl_core.runs import results

        seconds = self.seconds_before + time.perf_counter() - self.started
        checkpoint_files.save_state(self.folder.last_checkpoint, {**trainer.state(), "seconds": seconds})
        run_folder.write_json(self.folder.training_log_path, results.training_log(trainer.history))

    def _restore(self, trainer: Any) -> dict[str, Any] | None:
        if not self.folder.last_checkpoint.is_file():
            return None
        from tl_core.models import checkpoint_files

        state = checkpoint_files.load_state(self.folder.last_checkpoint)
        best = {stage: checkpoint_files.load_weights(self._best_path(stage)) for stage in state["best"]}
        trainer.restore(state, best)
        self.seconds_before = state["seconds"]
        return state

    def _best_path(self, stage: str) -> Path:
        return self.folder.models / f"stage{1 if stage == 'head' else 2}_best.safetensors"

    def _prepare_answers(self, trainer: Any) -> None:
        """So that the first picture to be classified need not wait for torch."""
        import copy

        from tl_core.models import onnx_export

        path, px = self.folder.models / "final.safetensors", self.config.image_px
        key = onnx_export.key_of(path, self.choice.backbone, px, self.choice.mean, self.choice.std)
        network = copy.deepcopy(trainer.model).cpu().eval()
        onnx_export.export_checked(network, key, self.prepared.images[:8], self.choice.mean, self.choice.std)

    # ------------------------------------------------------------------ what is said

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

    def _warnings(self) -> Iterator[WarningRaised]:
        prepared, config = self.prepared, self.config
        if not self.choice.is_pretrained:
            yield WarningRaised(code="from_scratch")
        if any(prepared.decision_counts.values()):
            yield WarningRaised(code="decisions", values=prepared.decision_counts)
        if prepared.dataset.refused:
            yield WarningRaised(code="refused", values={"count": len(prepared.dataset.refused)})
        if prepared.leak.pairs:
            yield WarningRaised(code="leak", values={"count": len(prepared.leak.pairs)})
        num, num_groups = len(prepared.groups), len(set(prepared.groups.tolist()))
        if num_groups < 0.8 * num and not prepared.leak.pairs:  # with these, copies are on both sides
            yield WarningRaised(code="near_duplicates", values={"count": num, "distinct": num_groups})
        if prepared.split.folds:
            yield WarningRaised(code="cross_validation", values={"folds": len(prepared.split.folds)})
        counts = [
            sum(prepared.labels[i] == c for i in prepared.split.train)
            for c in range(len(prepared.dataset.classes))
        ]
        weighted = config.class_weights or config.positive_weight != 1
        if (
            config.augment
            and weighted
            and max(counts) > 1.2 * min(counts)
            and min(counts) < config.target_per_class
        ):
            yield WarningRaised(code="double_correction")
