"""On a GPU: the guide's loop against ours, pictures per second and peak memory; elsewhere says so.

python -m benchmarks.gpu --data FOLDER [--pictures 400] [--epochs 15 20]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import pictures, plain_loop
from benchmarks.harness import Side, report, table
from benchmarks.seed_loop import seed_loop
from tl_core.compute import device
from tl_core.models.weights import sources


def run(side: Side) -> tuple[float, float, dict]:
    """(wall seconds, peak MiB of the card, result). One after the other: the card's peak is one number."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    while True:
        try:
            next(side)
        except StopIteration as end:
            torch.cuda.synchronize()
            return time.perf_counter() - start, torch.cuda.max_memory_allocated() / 2**20, end.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    pictures.add_arguments(parser)
    parser.add_argument("--epochs", type=int, nargs=2, default=[15, 20], metavar=("HEAD", "FINETUNE"))
    args = parser.parse_args()
    if not torch.cuda.is_available():
        report("gpu", "GPU", ["No GPU here: not measured."])
        return
    choice, rows = sources.choose("formula"), []
    precision = device.pick_precision("cuda")
    with tempfile.TemporaryDirectory() as folder:
        stack = pictures.make(args.data, args.pictures, Path(folder))
        for name, views in {"guide's loop": None, **plain_loop.OURS}.items():
            config = plain_loop.settings(stack.path, 0, stack.num, args.epochs, views or 0)
            side = (
                seed_loop(plain_loop.network(config, choice), plain_loop.read(stack.path, config), config,
                          choice.mean, choice.std, "cuda")
                if views is None
                else plain_loop.ours(stack.path, config, choice, device_name="cuda", precision=precision)
            )  # fmt: skip
            seconds, peak, result = run(side)
            trained = round(2 * config.target_per_class) * sum(args.epochs)
            rows.append([name, f"{seconds:.1f}", f"{trained / seconds:.0f}", f"{peak:.0f}",
                         f"{100 * result['val']:.1f} %", f"{100 * result['test']:.1f} %"])  # fmt: skip
    header = ["side", "wall s", "pictures per s", "peak MiB", "validation", "test"]
    report("gpu", f"GPU: {torch.cuda.get_device_name()}", [f"{stack.says}.", "", *table(header, rows)])


if __name__ == "__main__":
    main()
