"""Run folders as a worker leaves them, made in a moment: for tests of the pages, and to look at them.

run = RunBuilder(root / "demo").start().epochs("head", 5).stage_end("head").finish().run
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import filelock
import numpy as np

from tl_core.base import events as ev
from tl_core.base.config import RunConfig
from tl_core.base.stages import STAGES
from tl_core.evaluation import metrics
from tl_core.runs.run_folder import EventWriter, RunFolder, create, write_json

CLASSES = ("non_teasing", "teasing")
BLOCKS = (1448, 16_714, 46_640, 242_930, 543_148, 2_026_348, 717_232)
PARAMETERS = {"stem": 928} | {f"blocks.{i}": count for i, count in enumerate(BLOCKS)}
PARAMETERS |= {"head_conv": 412_160, "classifier": 2562}
PARTS = list(PARAMETERS)
WEIGHTS = {
    "source": "imagenet",
    "requested": "auto",
    "path": None,
    "sha256": "0" * 64,
    "why": "asked",
    "is_pretrained": True,
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
    "image_px": 224,
    "num_classes": 1000,
    "has_head": True,
    "label": "efficientnet_b0.ra_in1k",
}


class RunBuilder:
    def __init__(
        self, path: Path, classes=CLASSES, config: RunConfig | None = None, data: Path | None = None
    ):
        self.classes = list(classes)
        self.config = config or RunConfig()
        settings = self.config.to_dict() | {"data": str(data or path.parent / "pictures")}
        settings["positive_class"] = self.classes[-1]
        settings["class_to_idx"] = {name: index for index, name in enumerate(self.classes)}
        settings["weights_used"] = WEIGHTS
        self.run: RunFolder = create(path, settings)
        self.log = EventWriter(self.run.events_path)
        self.history: dict[str, dict[str, list[float]]] = {}
        self._lock: filelock.BaseFileLock | None = None

    # ------------------------------------------------------------ states

    def alive(self, state: str = "running") -> RunBuilder:
        """Hold the run's lock, as its worker does, until `let_go`."""
        self._lock = filelock.FileLock(self.run.lock_path)
        self._lock.acquire(timeout=5)
        self.run.write_status(state=state)
        return self

    def let_go(self) -> RunBuilder:
        if self._lock:
            self._lock.release()
        self.log.close()
        return self

    def interrupted(self) -> RunBuilder:
        """As after a power cut: the status says it runs, nobody holds the lock."""
        self.run.write_status(state="running", pid=99999999, launched=0, created=0.0)
        return self.let_go()

    def stopped(self) -> RunBuilder:
        self.log.write(ev.RunStopped(epoch=1))
        self.run.write_status(state="stopped")
        return self.let_go()

    def failed(self, code: str = "out_of_memory", **values) -> RunBuilder:
        values = values or {"batch_size": 32, "fits": 16}
        self.log.write(ev.RunFailed(code=code, values=values, message="in English"))
        self.run.write_status(state="failed", error={"code": code, "values": values, "message": "in English"})
        return self.let_go()

    # ------------------------------------------------------------ events

    def start(self) -> RunBuilder:
        self.log.write(
            ev.RunStarted(
                class_to_idx={name: index for index, name in enumerate(self.classes)},
                num_train=240, num_val=80, num_test=80, weights=WEIGHTS, device="cpu", precision="bf16",
            )
        )  # fmt: skip
        return self

    def stage_start(self, stage: str) -> RunBuilder:
        learning = ["classifier"] if stage == "head" else [*PARTS[5:8], "head_conv", "classifier"]
        settings = getattr(self.config, stage)
        self.log.write(
            ev.StageStarted(
                stage=stage, epochs=settings.epochs, learning_rate=settings.learning_rate,
                trainable_parts=learning, frozen_parts=[part for part in PARTS if part not in learning],
                parameters=PARAMETERS | {"classifier": 1281 * len(self.classes)},
                num_trainable=sum(PARAMETERS[part] for part in learning),
                num_parameters=sum(PARAMETERS.values()),
                feed="cached", feed_why="saves_work", views=8,
            )
        )  # fmt: skip
        self.history[stage] = {name: [] for name in ("train_loss", "train_acc", "val_loss", "val_acc", "lr")}
        return self

    def epochs(self, stage: str, count: int, first: int = 1) -> RunBuilder:
        if stage not in self.history:
            self.stage_start(stage)
        for epoch in range(first, first + count):
            self.epoch(stage, epoch)
        return self

    def epoch(self, stage: str, epoch: int) -> ev.EpochEnd:
        """One believable epoch: training goes on falling, validation turns back late."""
        base = 0.68 if stage == "head" else 0.42
        settings = getattr(self.config, stage)
        train_loss = base * math.exp(-epoch / 8) + 0.06
        val_loss = base * math.exp(-epoch / 6) + 0.16 + 0.006 * max(epoch - 9, 0) + 0.008 * (epoch % 3)
        rate = settings.learning_rate * (0.1 if epoch > 12 else 1)
        end = ev.EpochEnd(
            stage=stage, epoch=epoch, epochs=settings.epochs, train_loss=train_loss,
            train_accuracy=1 - train_loss / 2.2, val_loss=val_loss, val_accuracy=1 - val_loss / 2,
            learning_rate=rate, epoch_seconds=2.4 if stage == "head" else 21.0,
            images_per_second=310.0 if stage == "head" else 24.0,
        )  # fmt: skip
        history = self.history[stage]
        if val_loss < min(history["val_loss"], default=math.inf):
            self.log.write(
                ev.NewBest(stage=stage, epoch=epoch, val_loss=val_loss, val_accuracy=end.val_accuracy)
            )
        self.log.write(end)
        if epoch == 12:
            after = rate * 0.1
            self.log.write(
                ev.LearningRateReduced(stage=stage, epoch=epoch, before=rate, after=after, patience=3)
            )
        for name, value in zip(
            history, (train_loss, end.train_accuracy, val_loss, end.val_accuracy, rate), strict=True
        ):
            history[name].append(value)
        return end

    def stage_end(self, stage: str, is_early: bool = False, avoided_seconds: float = 0.0) -> RunBuilder:
        losses = self.history[stage]["val_loss"]
        best = losses.index(min(losses)) + 1
        if is_early:
            self.log.write(ev.EarlyStopped(stage=stage, epoch=len(losses), best_epoch=best, patience=7))
        self.log.write(
            ev.StageEnded(
                stage=stage, epochs_run=len(losses), best_epoch=best, best_val_loss=min(losses),
                best_val_accuracy=self.history[stage]["val_acc"][best - 1], stage_seconds=40.0,
                avoided_seconds=avoided_seconds,
            )
        )  # fmt: skip
        return self

    def warn(self, code: str, **values) -> RunBuilder:
        self.log.write(ev.WarningRaised(code=code, values=values))
        return self

    # ------------------------------------------------------------ the end

    def finish(self, splits=("train", "val", "test"), final: str = "finetune", seed: int = 0) -> RunBuilder:
        """Summary, predictions, history and an (empty) final model, as the last step writes them."""
        rng = np.random.default_rng(seed)
        counts = {"train": 240, "val": 80, "test": 80, "cross_validation": 60}
        stages: dict = {stage: {} for stage in ("before", *self.config.stages)}
        rows = []
        skills = {"before": 0.0, "head": 1.3, "finetune": 2.2, "whole": 2.4}
        for stage, skill in ((name, skills[name]) for name in stages):
            for split in splits:
                truth = rng.integers(0, len(self.classes), counts[split])
                logits = rng.normal(size=(counts[split], len(self.classes)))
                logits[np.arange(len(truth)), truth] += skill + (0.5 if split == "train" else 0)
                p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
                stages[stage][split] = metrics.evaluate(truth, p, self.classes, self.classes[-1])
                names = [stage, "final"] if (stage, split) == (final, "cross_validation") else [stage]
                rows += [self._row(i, truth[i], p[i], split, n) for n in names for i in range(len(truth))]
        self._write(stages, rows, splits, final)
        self.log.write(ev.RunEnded(final_stage=final, run_seconds=512.0))
        self.run.write_status(state="finished")
        (self.run.models / "final.safetensors").write_bytes(b"")
        return self.let_go()

    def _best(self, stage: str) -> dict:
        history = self.history[stage]
        at = history["val_loss"].index(min(history["val_loss"]))
        found = {"val_loss": history["val_loss"][at], "val_accuracy": history["val_acc"][at]}
        return {"epoch": at + 1, **found}

    def _row(self, number: int, truth: int, p: np.ndarray, split: str, stage: str) -> dict:
        name = self.classes[truth]
        said = self.classes[int(p.argmax())]
        row = {
            "file": f"{name}/{number:04}.png",
            "truth": name,
            "predicted": said,
            "split": split,
            "stage": stage,
        }
        return row | {f"p_{c}": f"{v:.6f}" for c, v in zip(self.classes, p, strict=True)}

    def _write(self, stages: dict, rows: list[dict], splits, final: str) -> None:
        is_crossed = "cross_validation" in splits
        split = "cross_validation" if is_crossed else "test"
        crossed = {stage: found.pop(split) for stage, found in stages.items()} if is_crossed else None
        if crossed:
            crossed["final"] = crossed[final]
        reported = crossed["final"] if crossed else stages[final][split]
        best = {stage: self._best(stage) for stage in self.history}
        summary = {
            "run": self.run.name,
            "created": "2026-01-31T12:00:00+00:00",
            "preset": self.config.preset,
            "library": self.config.library,
            "weights": WEIGHTS,
            "classes": self.classes,
            "class_to_idx": {name: index for index, name in enumerate(self.classes)},
            "positive_class": self.classes[-1],
            "split": {
                "train": 240,
                "val": 80,
                "test": 0 if is_crossed else 80,
                "folds": 5 if is_crossed else 0,
            },
            "refused": [],
            "leak": {"pairs": [], "exact": 0, "near": 0},
            "final_stage": final,
            "best": best,
            "image_px": 224,
            "stages": stages,
            "cross_validation": crossed,
            "reported": {"stage": final, "split": split, "metrics": reported},
            "seconds": 512.0,
            "device": "cpu",
            "precision": "bf16",
            "versions": {},
        }
        write_json(self.run.summary_path, summary)
        history = {STAGES[stage].log_name: found for stage, found in self.history.items()}
        write_json(self.run.training_log_path, history)
        (self.run.metrics / "summary.txt").write_text("A summary in words.\n", encoding="utf-8")
        with self.run.predictions_path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def finished_run(path: Path, **options) -> RunFolder:
    """A run that went through both stages; the second ended early."""
    built = RunBuilder(path, **options).start()
    built.epochs("head", built.config.head.epochs).stage_end("head")
    built.epochs("finetune", 16).stage_end("finetune", is_early=True)
    return built.finish().run


def finished_on_pictures(built: RunBuilder) -> RunFolder:
    """Both stages to their end, from no weights; the made-up answers are given to pictures that are
    there: `<class>/000.png` to `063.png`."""
    built.epochs("head", 2).stage_end("head").epochs("finetune", 1).stage_end("finetune").finish()
    recorded = built.run.read_config()
    used = recorded["weights_used"] | {"source": "random"}
    write_json(built.run.config_path, recorded | {"weights_used": used})
    with built.run.predictions_path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["file"] = f"{row['truth']}/{int(row['file'].split('/')[1][:4]) % 64:03}.png"
    with built.run.predictions_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return built.run
