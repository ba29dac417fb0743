"""One picture classified, and a batch: torch fp32 eager against ours; and the first answer of a process.

    python -m benchmarks.one_picture RUN PICTURE... [--threads 1] [--rounds 20]

RUN is a finished run, PICTURE… real pictures (large JPEGs too). "torch, as one writes it" is the model in
torch's default memory layout under `no_grad`; "torch, channels_last" is how our own torch path runs it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.harness import repeat, report, spread, table
from tl_core.data.pixels.decode import read_image, resize_square
from tl_core.inference.predictor import Predictor
from tl_core.models.onnx import cached

COLD = """
import sys, time
start = time.perf_counter()
from pathlib import Path
from tl_core.models.onnx import cached
if sys.argv[1] == "torch":
    cached.open_fast = lambda key: None
from tl_core.data.pixels.decode import read_image
from tl_core.inference.predictor import Predictor
predictor = Predictor.load(Path(sys.argv[2]))
predictor.predict([read_image(Path(sys.argv[3]), max_px=predictor.image_px)])
import psutil
print(time.perf_counter() - start, time.process_time(), psutil.Process().memory_info().rss / 2**20)
"""


def predictors(run: Path, squares: np.ndarray) -> tuple[Predictor, cached.FastModel]:
    """torch's and ONNX Runtime's."""
    predictor = Predictor.load(run)
    fast = cached.open_fast(predictor._key()) or cached.export_checked(
        predictor.model, predictor._key(), squares, predictor.mean, predictor.std
    )
    if fast is None:
        raise SystemExit("torch is the faster one here, or the export failed")
    return predictor, fast


def warm(predictor: Predictor, fast: cached.FastModel, squares: np.ndarray, rounds: int) -> list[str]:
    import copy

    plain = copy.deepcopy(predictor.model).to(memory_format=torch.contiguous_format)
    rows = []
    for num in (1, len(squares)):
        some = squares[:num]
        x = predictor._entering(some)
        contiguous = x.contiguous()

        @torch.no_grad()
        def as_written(contiguous: torch.Tensor = contiguous) -> None:
            torch.softmax(plain(contiguous), 1)

        @torch.no_grad()
        def channels_last(some: np.ndarray = some) -> None:
            torch.softmax(predictor.model(predictor._entering(some)), 1)

        def ours(some: np.ndarray = some) -> None:
            fast.predict_with_features(some)

        sides = {"torch, as one writes it": as_written, "torch, channels_last": channels_last, "ours": ours}
        clocks = repeat(sides, rounds if num == 1 else max(rounds // 4, 3))
        slow = median(clocks["torch, as one writes it"].pieces)
        for name, clock in clocks.items():
            times = spread([1000 * piece / num for piece in clock.pieces])
            rows.append([num, name, times, f"{slow / median(clock.pieces):.1f}×"])
    return table(["pictures", "side", "CPU ms per picture", "as one writes it ÷ this"], rows)


def cold(run: Path, picture: Path, rounds: int) -> list[str]:
    """A new process each time, sides by turns."""
    found: dict[str, list[list[float]]] = {"torch": [], "ours": []}
    for _ in range(rounds):
        for name, values in found.items():
            done = subprocess.run(
                [sys.executable, "-c", COLD, name, str(run), str(picture)],
                cwd=Path(__file__).parents[1], env=os.environ, capture_output=True, text=True, check=True,
            )  # fmt: skip
            values.append([float(word) for word in done.stdout.split()])
    rows = [
        [name, *(spread([v[i] for v in values], digits=d) for i, d in ((0, 1), (1, 2), (2, 0)))]
        for name, values in found.items()
    ]
    return table(["first answer of a new process", "wall s", "CPU s", "memory MiB"], rows)


def decoding(predictor: Predictor, fast: cached.FastModel, files: list[Path], rounds: int) -> list[str]:
    """Whole against reduced decoding: time, and what the answer makes of it."""
    px, sizes, differences, labels = predictor.image_px, [], [], 0
    for file in files:
        whole, reduced = read_image(file), read_image(file, max_px=px)
        sizes.append(whole.shape[0])
        rows = fast.predict_with_features(np.stack([resize_square(whole, px), resize_square(reduced, px)]))[0]
        differences.append(float(np.abs(rows[0] - rows[1]).max()))
        labels += int(rows[0].argmax() == rows[1].argmax())
    clocks = repeat(
        {
            "whole": lambda: [resize_square(read_image(f), px) for f in files],
            "reduced (ours)": lambda: [resize_square(read_image(f, max_px=px), px) for f in files],
        },
        rounds,
    )
    rows = [[name, spread([1000 * p / len(files) for p in c.pieces])] for name, c in clocks.items()]
    return [
        *table(["decoding and resizing", "CPU ms per picture"], rows),
        "",
        f"{len(files)} pictures, {min(sizes)}–{max(sizes)} px high: {labels} labels the same, "
        f"largest difference of a probability {max(differences):.4f}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    torch.set_num_threads(args.threads)
    started = time.time()
    px = Predictor.load(args.run).image_px
    squares = np.stack([resize_square(read_image(f), px) for f in args.pictures])
    predictor, fast = predictors(args.run, squares[:8])
    expected = fast.predict_with_features(squares)[0]
    with torch.no_grad():
        found = torch.softmax(predictor.model(predictor._entering(squares)), 1).numpy()
    report(
        "one_picture",
        f"One picture, {args.threads} thread(s)",
        [
            f"Largest difference of a probability between torch and ours on {len(squares)} real pictures: "
            f"{np.abs(expected - found).max():.1e}.",
            "",
            *warm(predictor, fast, squares[:32], args.rounds),
            "",
            *cold(args.run, args.pictures[0], max(args.rounds // 4, 3)),
            "",
            *decoding(predictor, fast, args.pictures, max(args.rounds // 4, 3)),
            "",
            f"Took {time.time() - started:.0f} s.",
        ],
    )


if __name__ == "__main__":
    main()
