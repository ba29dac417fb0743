"""How time and memory grow with pictures, views and epochs, against the formulas.

    python -m benchmarks.growth [--pictures 100 1000 20000] [--px 96] [--memory-mib 64]

Formulas: keeping takes `views` passes of the frozen part over the entries, once; the bytes kept are
views × entries × (80·s·s + 1280) × bytes of the number format, s = px / 16; an epoch takes as long as it
has entries. The pictures themselves, entries × px × px × 3 bytes, are not part of the memory that grew.
`--memory-mib` is the limit that activations may fill (a quarter of the free memory in a real run); beyond
it they lie in a file, and the memory of the process stays where it is. Each size is a new process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import torch

from benchmarks.harness import report, table
from tl_core.base.config import preset
from tl_core.base.events import EpochEnd, StageEnded
from tl_core.compute.device import cpu_probe
from tl_core.compute.malloc_tuning import keep_memory
from tl_core.data.folders import Dataset
from tl_core.data.prepare import Prepared
from tl_core.data.split import LeakReport, Split
from tl_core.models import build
from tl_core.models.weights import sources
from tl_core.training.feeding.frozen_features import DISK_SHARE, MEMORY_SHARE
from tl_core.training.trainer import Trainer


def per_entry(px: int) -> int:
    """Numbers kept of one view: the boundary of `finetune`, and the pooled feature."""
    return 80 * (px // 16) ** 2 + 1280


def pretend(num: int, px: int) -> Prepared:
    """`num` training pictures of noise and 20 to validate; what they show does not matter here."""
    rng = np.random.default_rng(0)
    some = rng.integers(0, 255, (20, px, px, 3), np.uint8)
    images = np.concatenate([some] * (num // 20 + 1))
    labels = np.arange(len(images), dtype=np.int64) % 2
    split = Split(list(range(num)), list(range(num, len(images))), [])
    dataset = Dataset(root=Path(), classes=["a", "b"], pictures=[], refused=[])
    return Prepared(dataset, images, labels, split, np.arange(len(images)), [], LeakReport([], 0, 0))


def measure(num: int, views: int, epochs: int, px: int, memory_mib: int) -> dict[str, float]:
    torch.set_num_threads(1)
    keep_memory()  # as the worker does
    probe, choice = cpu_probe(), sources.choose("formula")
    config = preset(
        "expression", weights="formula", views=views, image_px=px, target_per_class=0,
        early_stopping_patience=0, head={"epochs": epochs}, finetune={"epochs": epochs},
    )  # fmt: skip
    prepared = pretend(num, px)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            build.build("timm", 2, 0.3, choice, 0), prepared, config,
            positive="a", mean=choice.mean, std=choice.std,
            frozen_precision=probe["frozen"], tail_precision=probe["tail"],
            depthwise=probe["depthwise"][probe["tail"]],
            free_bytes=memory_mib * MEMORY_SHARE << 20, free_disk_bytes=DISK_SHARE << 40, folder=Path(folder),
        )  # fmt: skip
        process, before = psutil.Process(), psutil.Process().memory_info()
        private, told, ended, clock = 0, [], {}, time.process_time()
        for event in trainer.fit():
            now = process.memory_full_info().uss
            private = max(private, now)
            if isinstance(event, EpochEnd):
                told.append((event.stage, event.epoch_seconds))
            elif isinstance(event, StageEnded):
                ended[event.stage] = event
    return {
        "pictures": num, "views": views, "epochs": epochs,
        "kept_mib": views * num * per_entry(px) * trainer.frozen.dtype.itemsize / 2**20,
        "is_file": trainer.frozen.plans["finetune"].why == "disk",
        "private_mib": (private - before.rss) / 2**20,
        "keeping_s": ended["head"].frozen_seconds,
        "finetune_epoch_s": float(np.median([s for stage, s in told if stage == "finetune"])),
        "cpu_s": time.process_time() - clock,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, nargs="+", default=[100, 200, 400])
    parser.add_argument("--px", type=int, default=224, help="side of a picture; a multiple of 32")
    parser.add_argument("--memory-mib", type=int, default=64)
    parser.add_argument("--one", type=int, nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*args.one, args.memory_mib)))
        return
    base = args.pictures[0]
    plans = [(num, 2, 3, args.px) for num in args.pictures] + [(base, 4, 5, args.px), (base, 2, 6, args.px)]
    rows = []
    for plan in plans:
        command = [sys.executable, "-m", "benchmarks.growth", "--memory-mib", str(args.memory_mib), "--one"]
        done = subprocess.run([*command, *map(str, plan)], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append(
            [
                found["pictures"], found["views"], f"2 × {found['epochs']}", f"{found['kept_mib']:.0f}",
                "file" if found["is_file"] else "memory", f"{found['private_mib']:.0f}",
                f"{1000 * found['keeping_s'] / found['pictures'] / found['views']:.0f}",
                f"{1000 * found['finetune_epoch_s'] / found['pictures']:.0f}", f"{found['cpu_s']:.0f}",
            ]
        )  # fmt: skip
    header = ["pictures", "views", "epochs", "kept MiB (formula)", "lies in", "private memory grew MiB",
              "wall ms to keep a view", "wall ms per picture in a finetune epoch", "CPU s"]  # fmt: skip
    says = f"{args.px} px, one thread. Activations may fill {args.memory_mib} MiB. Constant columns: linear."
    report("growth", "Growth", [says, "", *table(header, rows)])


if __name__ == "__main__":
    main()
