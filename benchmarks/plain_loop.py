"""The guide's loop against ours: the whole expression preset, or its stage `head` alone.

    python -m benchmarks.plain_loop --data FOLDER [--threads 1] [--pictures 400] [--epochs 15 20]
                                    [--seeds 1] [--head-only] [--seeds-of-ours 4]

Both sides start from the same weights, split and head, and take turns epoch by epoch, each in a process
of its own: ours keeps memory between layers, as our worker does (`tl_core.compute.malloc_tuning`), the
guide's loop has what Python and torch give it; `--keep-memory` gives it to both. Early stopping is off.
"ours, 4 views" keeps four views of each picture's frozen part, "ours, exact" draws a fresh view every epoch.
Reading the pictures, finding near-duplicates, caching, validating and the evaluations before, between and
after are part of our time; the guide's loop has none of the evaluations but the validation.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import mean, median, stdev

import torch

from benchmarks import pictures
from benchmarks.harness import Apart, Clock, Side, report, table, take_turns
from benchmarks.seed_loop import seed_loop
from tl_core.base.config import RunConfig, default_positive, preset
from tl_core.base.events import EpochEnd, Evaluated, Event, Progress, StageEnded
from tl_core.compute import device
from tl_core.data.prepare import Prepared, prepare
from tl_core.models import backbone, build
from tl_core.models.weights import sources
from tl_core.training.trainer import Trainer

FULL = 400
"""Pictures of a full run; fewer are filled up to proportionally fewer copies."""
KEPT, EXACT = "ours, 4 views", "ours, exact"
OURS = {KEPT: 4, EXACT: 0}
AGAIN = "ours again, 4 views kept"
"""A second run on the same pictures, whose activations an earlier one has left in the cache folder."""


def settings(path: Path, seed: int, num: int, epochs: list[int], views: int) -> RunConfig:
    classes = [folder.name for folder in sorted(path.iterdir())]
    return preset(
        "expression",
        weights="formula",
        seed=seed,
        views=views,
        head={"epochs": epochs[0]},
        finetune={"epochs": epochs[1]},
        target_per_class=round(250 * num / FULL),
        positive_class=default_positive("expression", classes),
        early_stopping_patience=0,
        device="cpu",
    )


def read(path: Path, config: RunConfig) -> Prepared:
    return prepare(
        path,
        image_px=config.image_px,
        seed=config.seed,
        val_fraction=config.val_fraction,
        test_fraction=config.test_fraction,
    )


def network(config: RunConfig, choice: sources.WeightsRecord) -> backbone.TransferModel:
    return build.build(config.library, 2, config.dropout, choice, config.seed)


def ours(
    path: Path,
    config: RunConfig,
    choice: sources.WeightsRecord,
    folder: Path | None = None,
    device_name: str = "cpu",
    precision: str = "",
) -> Side:
    """Our run as the worker does it, without writing its files.

    folder: where activations are kept. precision: on a card; a CPU goes by the probe.
    """
    last = time.process_time()
    probe = device.cpu_probe() if device_name == "cpu" else {"frozen": precision, "tail": precision}
    prepared = read(path, config)
    trainer = Trainer(
        network(config, choice), prepared, config,
        positive=str(config.positive_class), mean=choice.mean, std=choice.std, device=device_name,
        frozen_precision=probe["frozen"], tail_precision=probe["tail"],
        depthwise=probe["depthwise"][probe["tail"]] if device_name == "cpu" else "library",
        free_bytes=device.free_memory_bytes(), folder=folder,
    )  # fmt: skip
    num_done, num_epochs = 0, config.head.epochs + config.finetune.epochs
    said: dict[str, float] = {}
    spent, last = {"reading": time.process_time() - last}, time.process_time()
    for event in trainer.fit():
        work = phase_of(event)
        spent[work] = spent.get(work, 0.0) + time.process_time() - last
        if isinstance(event, StageEnded):
            said[str(event.stage)] = event.times_faster
        if isinstance(event, EpochEnd):
            num_done += 1
            yield num_done / num_epochs
        last = time.process_time()
    test = prepared.split.test
    right = trainer.probabilities[trainer.final_stage][test].argmax(1) == prepared.labels[test]
    return {"val": trainer.best[trainer.final_stage]["val_accuracy"], "test": float(right.mean()),
            "spent": spent, "said": said}  # fmt: skip


def phase_of(event: Event) -> str:
    """What the time before an event went into."""
    if isinstance(event, Evaluated):
        return "evaluating"
    if isinstance(event, Progress) and event.phase == "caching":
        return "keeping training views" if event.stage else "keeping clean pictures"
    return f"epochs of {event.stage}" if event.stage else "the rest"


def breakdown(name: str, outcomes: list[dict[str, Clock]]) -> str:
    spent = outcomes[0][name].result["spent"]
    parts = ", ".join(f"{work} {seconds:.0f}" for work, seconds in spent.items() if seconds >= 0.5)
    return f"Where the CPU seconds of “{name}” went (first seed): {parts}."


def guides_loop(path: Path, config: RunConfig, choice: sources.WeightsRecord) -> Side:
    prepared = read(path, config)
    return seed_loop(network(config, choice), prepared, config, choice.mean, choice.std)


def alone(stack: pictures.Stack, args: argparse.Namespace) -> dict[str, float]:
    """What the run page says that keeping saved, {stage: times}: by the clock on the wall, so in a run
    that waits for no other."""
    config = settings(stack.path, 0, stack.num, epochs_of(args), OURS[KEPT])
    clocks = take_turns({KEPT: own(args, stack.path, config, sources.choose("formula"))})
    return clocks[KEPT].result["said"]


def saved(said: dict[str, float], outcomes: list[dict[str, Clock]]) -> str:
    """That, beside what the race with the exact side shows."""
    kept, exact = (outcomes[0][name].result["spent"] for name in (KEPT, EXACT))
    found = []
    for stage, times in said.items():
        epochs = f"epochs of {stage}"
        views = kept.get("keeping training views", 0.0) if stage == "head" else 0.0
        found.append(f"{stage} {times:.1f}× (here {exact[epochs] / (kept.get(epochs, 0.0) + views):.1f}×)")
    return f"- “Saved by keeping” on the run page of “{KEPT}”: {', '.join(found)}."


def race(stack: pictures.Stack, seed: int, args: argparse.Namespace, kept: Path | None) -> dict[str, Clock]:
    """kept: a folder for activations; then a run that finds them there takes part, too."""
    choice, epochs = sources.choose("formula"), epochs_of(args)
    configs = {name: settings(stack.path, seed, stack.num, epochs, views) for name, views in OURS.items()}
    sides: dict[str, Apart] = {}
    if seed < args.seeds:
        sides["guide's loop"] = Apart(
            guides_loop, stack.path, configs[KEPT], choice,
            threads=args.threads, keep_memory=args.keep_memory,
        )  # fmt: skip
    if kept:
        given = (stack.path, configs[KEPT], choice, kept)
        take_turns({AGAIN: own(args, *given)})  # leaves its activations behind
        sides[AGAIN] = own(args, *given)
    sides |= {name: own(args, stack.path, config, choice) for name, config in configs.items()}
    return take_turns(sides)


def own(args: argparse.Namespace, *given: object) -> Apart:
    return Apart(ours, *given, threads=args.threads, keep_memory=True)


def epochs_of(args: argparse.Namespace) -> list[int]:
    return [args.epochs[0], 0] if args.head_only else args.epochs


def lines(
    stack: pictures.Stack,
    epochs: list[int],
    outcomes: list[dict[str, Clock]],
    against: str,
    said: dict[str, float] | None = None,
) -> list[str]:
    """The section: what was raced, and one row per side; medians over the seeds. said: of `alone`."""
    header = ["side", "CPU s", "wall s", f"{against} ÷ this", "validation", "test", "seeds"]
    return [
        f"{stack.says}; {epochs[0]} + {epochs[1]} epochs, early stopping off; weights: formula; accuracies "
        f"are means ± standard error over the seeds. A full run has {FULL} pictures and 15 + 20 epochs.",
        "",
        *table(header, rows_of(outcomes, against)),
        "",
        *(f"- {breakdown(name, outcomes)}" for name in OURS if name in outcomes[0]),
        *([saved(said, outcomes)] if said else []),
    ]


def rows_of(outcomes: list[dict[str, Clock]], against: str) -> list[list[str]]:
    rows = []
    for name in max(outcomes, key=len):
        clocks = [clocks[name] for clocks in outcomes if name in clocks]
        ratios = [c[against].cpu / c[name].cpu for c in outcomes if against in c and name in c]
        rows.append(
            [
                name,
                f"{median(c.cpu for c in clocks):.0f}",
                f"{median(c.wall for c in clocks):.0f}",
                f"{median(ratios):.1f}× ({min(ratios):.1f}–{max(ratios):.1f})" if ratios else "–",
                *(accuracy([c.result[part] for c in clocks]) for part in ("val", "test")),
                len(clocks),
            ]
        )
    return rows


def accuracy(values: list[float]) -> str:
    error = f" ± {100 * stdev(values) / len(values) ** 0.5:.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f} %{error}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    pictures.add_arguments(parser)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, nargs=2, default=[15, 20], metavar=("HEAD", "FINETUNE"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seeds-of-ours", type=int, default=0, help="more seeds, without the guide's loop")
    parser.add_argument("--head-only", action="store_true")
    parser.add_argument(
        "--keep-memory", action="store_true", help="memory kept between layers for the guide's loop, too"
    )
    return parser.parse_args()


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    title = "Stage head" if args.head_only else "Whole run, expression preset"
    title += ", memory kept for both" if args.keep_memory else ""
    device.cpu_probe()
    outcomes: list[dict[str, Clock]] = []
    with tempfile.TemporaryDirectory() as folder:
        stack = pictures.make(args.data, args.pictures, Path(folder))
        said = alone(stack, args)
        for seed in range(args.seeds + args.seeds_of_ours):
            kept = Path(folder) / f"kept {seed}" if args.head_only else None
            outcomes.append(race(stack, seed, args, kept))
            report(
                "plain_loop",
                f"{title}, {args.threads} thread(s)",
                lines(stack, epochs_of(args), outcomes, against="guide's loop", said=said),
            )


if __name__ == "__main__":
    main()
