"""`python -m tl_core.models.pretraining OUT`: makes the built-in backbone; goes on where OUT was left."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from tl_core.base.errors import TlError
from tl_core.models.pretraining import finish, pictures
from tl_core.models.pretraining.loop import Features, Pretraining, pooled
from tl_core.models.pretraining.recipe import Recipe, read_phases

CHECKPOINT = "last.pt"
LOG_EVERY = 50
# steps; reading a loss makes a GPU wait


def parser() -> argparse.ArgumentParser:
    default = " ".join(f"{phase.image_px}:{phase.num_pictures}" for phase in Recipe().phases)
    parser = argparse.ArgumentParser(prog="python -m tl_core.models.pretraining", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the checkpoint, the log and the weights")
    parser.add_argument("--phases", nargs="+", metavar="PX:PICTURES", help=f"default: {default}")
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights (safetensors) to begin with")
    parser.add_argument("--batch-size", type=int, default=Recipe.batch_size)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pictures")
    parser.add_argument("--threads", type=int, default=0, help="of the network on a CPU; 0 = all")
    parser.add_argument("--save-minutes", type=float, default=5.0, help="between two checkpoints")
    return parser


def main(arguments: list[str] | None = None, features: Features = pooled) -> int:
    """Exit status: 0 finished, 2 a mistake of the person's, 130 stopped and to be gone on with."""
    given = parser().parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    try:
        recipe = Recipe(batch_size=given.batch_size, learning_rate=given.learning_rate)
        if given.phases:
            recipe = dataclasses.replace(recipe, phases=read_phases(given.phases))
        work = begin(given.out, recipe, given.device, given.start, features)
    except TlError as error:
        print(error.message(), file=sys.stderr)
        return 2
    try:
        learn(work, given.out, given.workers, given.save_minutes)
    except KeyboardInterrupt:
        work.save(given.out / CHECKPOINT)
        return 130
    end(work, given.out)
    return 0


def begin(out: Path, recipe: Recipe, device: str, start: Path | None, features: Features) -> Pretraining:
    out.mkdir(parents=True, exist_ok=True)
    work = Pretraining(recipe, device, features)
    if (out / CHECKPOINT).is_file():
        work.load(out / CHECKPOINT)
    elif start:
        from safetensors.torch import load_file

        work.start_from({name: value.float() for name, value in load_file(start).items()})
    return work


def learn(work: Pretraining, out: Path, num_workers: int, save_minutes: float) -> None:
    """All steps that are left. Every 50 a line of log.jsonl; every few minutes a checkpoint.

    Raises: KeyboardInterrupt: after the step going on."""
    recent: list[dict[str, torch.Tensor]] = []
    saved = time.monotonic()
    batches = pictures.stream(work.recipe, work.step, num_workers)
    with (
        (out / "log.jsonl").open("a", encoding="utf-8") as log,
        tqdm(total=work.recipe.num_steps, initial=work.step, unit="step", smoothing=0.05) as bar,
    ):
        for batch in batches:
            with _whole():
                recent.append(work.train_step(*batch))
            bar.update()
            if work.step % LOG_EVERY == 0:
                line = _line(work, recent)
                recent = []
                print(json.dumps(line), file=log, flush=True)
                bar.set_postfix({name: line[name] for name in ("image_px", "loss", "accuracy")})
            if time.monotonic() - saved > 60 * save_minutes:
                work.save(out / CHECKPOINT)
                saved = time.monotonic()
    work.save(out / CHECKPOINT)


@contextmanager
def _whole() -> Iterator[None]:
    """Ctrl+C inside is raised at the end: a step is taken whole or not at all."""
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


def _line(work: Pretraining, recent: list[dict[str, torch.Tensor]]) -> dict[str, Any]:
    last = work.step - 1
    means = {name: round(torch.stack([r[name] for r in recent]).mean().item(), 4) for name in recent[0]}
    return {
        "step": work.step,
        "pictures": work.step * work.recipe.batch_size,
        "image_px": work.recipe.image_px(last),
        "learning_rate": float(f"{work.recipe.learning_rate_at(last):.3g}"),
        **means,
        "seconds": round(time.process_time(), 1),
    }


def end(work: Pretraining, out: Path) -> None:
    """BatchNorm statistics, accuracy on unseen instances, the weight file and its card."""
    network = finish.settled(work.averaged(), finish.IMAGE_PX, finish.NUM_STATISTICS)
    facts = {
        "num_pictures_seen": work.step * work.recipe.batch_size,
        "recipe": dataclasses.asdict(work.recipe),
        "unseen_accuracy": {str(px): finish.accuracy(network, px, finish.NUM_TEST) for px in finish.SIZES},
    }
    card = finish.write(network, out / "formula_b0.safetensors", facts)
    print(json.dumps({name: card[name] for name in ("sha256", "unseen_accuracy")}))


if __name__ == "__main__":
    sys.exit(main())
