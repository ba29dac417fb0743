"""The first minute of a newcomer: an own model on own pictures, all defaults, without a network.

    python -m benchmarks.first_minute --data FOLDER … [--per-class 20 40 80] [--draws 5] [--before CHECKOUT]
    python -m benchmarks.first_minute --photographs [36]
    python -m benchmarks.first_minute --choose --data FOLDER …

Each FOLDER holds class folders. A draw takes that many pictures of each class, trains on them with
`python -m tl_core train` and nothing else said, and judges on up to 100 others of each class. --before: a
checkout of an earlier state, whose defaults run on the same pictures. Near-duplicates across that line
are not looked for, on either side.
--photographs: two classes of real-sized JPEGs (3000 x 2000), drawn; the time to the first answer and to the
end, as announced and as it was.
--choose: what the fine-tuning of `standard` was chosen by; reads validation pictures only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np

from benchmarks.harness import report, table

HERE = Path(__file__).resolve().parents[1]
MAX_JUDGED = 100
"""Pictures of each class that judge."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
RECIPES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "BatchNorm measured": {"batchnorm": "measured"},
    "dropout 0.3": {"dropout": 0.3},
    "rate lowered on a plateau": {"schedule": "plateau"},
    "no label smoothing": {"label_smoothing": 0.0},
    "rate 1e-4": {"finetune": {"learning_rate": 1e-4}},
    "1 group": {"unfreeze_blocks": 1},
}
"""What is changed of `standard`, one thing at a time."""


@dataclass(frozen=True)
class Done:
    """One run. accuracy: balanced, on pictures it never had. first, whole: seconds of wall clock."""

    accuracy: float
    first: float
    whole: float
    final_stage: str


def pictures_of(data: Path) -> dict[str, list[Path]]:
    folders = sorted(path for path in data.iterdir() if path.is_dir())
    return {folder.name: sorted(path for path in folder.iterdir() if path.is_file()) for folder in folders}


def draw(data: Path, out: Path, per_class: int, seed: int) -> tuple[Path, Path]:
    """(to train on, to judge by): folders of links."""
    rng = np.random.default_rng(seed)
    for name, files in pictures_of(data).items():
        order = [files[i] for i in rng.permutation(len(files))]
        for part, some in (
            ("train_on", order[:per_class]),
            ("judge_by", order[per_class : per_class + MAX_JUDGED]),
        ):
            (out / part / name).mkdir(parents=True)
            for path in some:
                (out / part / name / path.name).symlink_to(path.resolve())
    return out / "train_on", out / "judge_by"


def run_defaults(checkout: Path, data: Path, judges: Path | None, out: Path) -> Done:
    """As a person would, in a process of its own, with a cache of its own."""
    env = {**os.environ, **OFFLINE, "HEADSWAP_CACHE": str(out.parent / "cache"), "PYTHONPATH": str(checkout)}

    def command(*words: str) -> str:
        line = [sys.executable, "-m", "tl_core", *words]
        return subprocess.run(
            line,
            cwd=checkout,
            env=env,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ).stdout

    started = time.time()
    command("train", str(data), "--output", str(out), "--json")
    whole = time.time() - started
    events = [json.loads(line) for line in (out / "logs" / "events.jsonl").read_text("utf-8").splitlines()]
    usable = [event["time"] for event in events if event["kind"] in ("model_ready", "run_ended")]
    summary = json.loads((out / "metrics" / "summary.json").read_text("utf-8"))
    scores = json.loads(command("evaluate", str(out), str(judges), "--json")) if judges else None
    accuracy = scores["balanced_accuracy"] if scores else float("nan")
    return Done(accuracy, usable[0] - started, whole, summary["final_stage"])


def compare(data: Sequence[Path], per_class: Sequence[int], draws: int, before: Path | None) -> list[str]:
    sides = {**({"before": before} if before else {}), "now": HERE}
    rows = []
    for folder in data:
        fewest = min(map(len, pictures_of(folder).values()))
        for num in per_class:
            if num + 10 > fewest:
                continue
            found: dict[str, list[Done]] = {name: [] for name in sides}
            for seed in range(draws):
                for name, checkout in sides.items():
                    with tempfile.TemporaryDirectory() as scratch:
                        pictures = draw(folder, Path(scratch), num, seed)
                        found[name].append(run_defaults(checkout, *pictures, Path(scratch) / "run"))
            for name, runs in found.items():
                scores = [100 * one.accuracy for one in runs]
                spread = f"{mean(scores):.1f} ({min(scores):.1f} to {max(scores):.1f})"
                tuned = sum(one.final_stage != "head" for one in runs)
                first, whole = (mean(getattr(one, which) for one in runs) for which in ("first", "whole"))
                rows.append(
                    [
                        folder.name,
                        num,
                        name,
                        spread,
                        f"{first:.0f}",
                        f"{whole / 60:.1f}",
                        f"{tuned} of {draws}",
                    ]
                )
                print(rows[-1], flush=True)
    head = ["pictures", "a class", "default", "balanced accuracy, %", "first answer, s", "whole run, min"]
    return table([*head, "fine-tuned kept"], rows)


def photographs(out: Path, num: int) -> Path:
    """Two classes of textures as photographs of 3000 x 2000, light and colour different in each."""
    for label, (name, blur) in enumerate((("bark", (3, 41)), ("gravel", (15, 15)))):
        (out / name).mkdir(parents=True)
        for i in range(num):
            rng = np.random.default_rng((label, i))
            grain = cv2.GaussianBlur(rng.normal(0, 1, (250, 375)).astype(np.float32), blur, 0)
            grain = cv2.resize(grain / grain.std(), (3000, 2000), interpolation=cv2.INTER_CUBIC)
            noise = rng.normal(0, rng.uniform(4, 10), grain.shape)
            image = rng.uniform(60, 170, 3) + (grain * rng.uniform(15, 30) + noise)[..., None]
            cv2.imwrite(str(out / name / f"{i:03d}.jpg"), np.clip(image, 0, 255).astype(np.uint8))
    return out


def time_photographs(num: int) -> list[str]:
    with tempfile.TemporaryDirectory() as scratch:
        data = photographs(Path(scratch) / "photographs", num)
        done = run_defaults(HERE, data, None, Path(scratch) / "run")
        events = (Path(scratch) / "run" / "logs" / "events.jsonl").read_text("utf-8").splitlines()
        plans = [event for event in map(json.loads, events) if event["kind"] == "plan_made"]
    announced = f"{sum(s['seconds'] for s in plans[0]['steps'] if not s['is_extra']):.0f}" if plans else "–"
    row = [f"{num} + {num} of 3000 x 2000", f"{done.first:.0f}", announced, f"{done.whole:.0f}"]
    return table(["pictures", "first answer, s wall", "announced, s", "whole run, s wall"], [row])


def choose(data: Sequence[Path], per_class: int, draws: int) -> list[str]:
    """Validation loss and accuracy of the head and after each recipe's fine-tuning."""
    from tl_core.base.config import preset
    from tl_core.runs.execution import workflow

    rows: list[list[str]] = []
    for name, changes in RECIPES.items():
        losses: list[tuple[float, float, float, float, bool]] = []
        for folder in data:
            for seed in range(draws):
                with tempfile.TemporaryDirectory() as scratch:
                    train_on, _ = draw(folder, Path(scratch), per_class, seed)
                    config = preset("standard", val_fraction=0.4, test_fraction=0.0, seed=seed, **changes)
                    run = workflow.create_run(train_on, Path(scratch) / "run", config)
                    started = time.process_time()
                    workflow.execute(run)
                    best = (run.read_summary() or {})["best"]
                    head, tuned = best["head"], best["finetune"]
                    losses.append(
                        (head["val_loss"], tuned["val_loss"], tuned["val_accuracy"] - head["val_accuracy"],
                         time.process_time() - started, tuned["val_loss"] < head["val_loss"])
                    )  # fmt: skip
        head_loss, tuned_loss, gained, seconds, better = (
            mean(column) for column in zip(*losses, strict=True)
        )
        rows.append(
            [
                name,
                f"{head_loss:.3f}",
                f"{tuned_loss:.3f}",
                f"{100 * gained:+.1f}",
                f"{100 * better:.0f} %",
                f"{seconds:.0f}",
            ]
        )
        print(rows[-1], flush=True)
    head = ["recipe", "loss, head", "loss, fine-tuned", "accuracy gained, points", "better", "CPU s"]
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--per-class", type=int, nargs="*", default=[20, 40, 80])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--photographs", type=int, nargs="?", const=36)
    parser.add_argument("--choose", action="store_true")
    args = parser.parse_args()
    if args.photographs:
        report("first_minute", "The first minute: real-sized photographs", time_photographs(args.photographs))
    if args.choose:
        lines = choose(args.data, args.per_class[0], args.draws)
        report("first_minute", "The first minute: fine-tuning chosen on validation pictures", lines)
    elif args.data:
        lines = compare(args.data, args.per_class, args.draws, args.before)
        report("first_minute", "The first minute: few pictures, all defaults", lines)


if __name__ == "__main__":
    main()
