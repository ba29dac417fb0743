"""Does the reported interval stay honest when nothing can be learnt and pictures come in bursts?

    python -m benchmarks.bursts [--seeds 5] [--bursts 7 8 9 10 11 12]

Every burst is one scene, drawn at random, in 10 to 30 frames that differ a little in light, noise and place
(one pixel of 96). Its class is drawn by lot, so 50 % is the truth. Read and split by the product, with a head
on the frozen features of the built-in backbone, and judged as a run is: on a test part where there is one,
else by cross-validation. Told: how often the 95 % interval holds 50 %, and how often it would if every
picture counted for itself and were divided as if it stood alone. No network.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from tl_core.base.errors import TlError
from tl_core.data.pixels.normalise import normalise
from tl_core.data.prepare import Prepared, prepare
from tl_core.data.split import Split, split_dataset
from tl_core.evaluation import metrics
from tl_core.models import build
from tl_core.models.weights import sources
from tl_core.training import head_solver

PX = 96
CLASSES = ("heads", "tails")
FRACTIONS = {"val_fraction": 0.2, "test_fraction": 0.2}


def scene(rng: np.random.Generator) -> np.ndarray:
    """(PX + 8, PX + 8, 3) float: coarse colours under finer ones."""
    side = PX + 8
    layers = ((4, 60.0), (9, 40.0), (20, 20.0))
    parts = [
        cv2.resize(rng.normal(0, by, (n, n, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
        for n, by in layers
    ]
    return 127 + sum(parts)


def write_bursts(root: Path, num_bursts: int, seed: int) -> None:
    rng = np.random.default_rng([seed, num_bursts])
    labels = rng.permutation(np.arange(num_bursts) % 2)
    for burst, label in enumerate(labels):
        base = scene(rng)
        folder = root / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        for frame in range(int(rng.integers(10, 31))):
            x, y = rng.integers(3, 5, 2)
            image = base[y : y + PX, x : x + PX] * rng.uniform(0.94, 1.06) + rng.normal(0, 4, (PX, PX, 3))
            cv2.imwrite(str(folder / f"{burst:02}{frame:03}.png"), np.clip(image, 0, 255).astype(np.uint8))


@torch.inference_mode()
def features_of(images: np.ndarray) -> np.ndarray:
    """(N, 1280) of the built-in backbone."""
    choice = sources.choose("formula")
    network = build.build("timm", 2, 0.0, choice, 0).eval().to(memory_format=torch.channels_last)
    batches = torch.from_numpy(images).split(32)
    return torch.cat(
        [network.forward_until(normalise(b, choice.mean, choice.std), "pooled") for b in batches]
    ).numpy()


def reported(prepared: Prepared, features: np.ndarray, split: Split, groups: np.ndarray) -> dict:
    """Scores as a run reports them, of one split in which `groups` are kept together."""
    folds = split.folds or [split.test]
    learnt_from = (
        np.array(sorted(i for fold in folds for i in fold))
        if split.folds
        else np.array(split.train + split.val)
    )
    answers = np.zeros((len(features), 2))
    judged: list[int] = []
    for held_out, p in head_solver.cross_validated(
        features, prepared.labels, groups, np.ones(2), folds, learnt_from, 0
    ):
        answers[held_out] = p
        judged += held_out
    judged.sort()
    return metrics.evaluate(
        prepared.labels[judged], answers[judged], list(CLASSES), None, groups=groups[judged]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--bursts", type=int, nargs="+", default=list(range(7, 13)))
    args = parser.parse_args()
    print("bursts seed pictures groups   accuracy [95 %]            as single pictures [95 %]")
    held = {"groups": 0, "pictures": 0}
    num = refused = 0
    for num_bursts in args.bursts:
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                write_bursts(Path(folder), num_bursts, seed)
                try:
                    prepared = prepare(Path(folder), image_px=PX, seed=seed, **FRACTIONS)
                except TlError as error:
                    refused += 1
                    print(f"{num_bursts:6} {seed:4} refused: {error}")
                    continue
            features, single = features_of(prepared.images), np.arange(len(prepared.labels))
            apart = split_dataset(prepared.labels, single, [None] * len(single), seed=seed, **FRACTIONS)
            num += 1
            cells = []
            for name, split, groups in (
                ("groups", prepared.split, prepared.groups),
                ("pictures", apart, single),
            ):
                scores = reported(prepared, features, split, groups)
                low, high = scores["intervals"]["accuracy"]
                held[name] += low <= 0.5 <= high
                cells.append(f"{scores['accuracy']:.3f} [{low:.3f}, {high:.3f}]")
            num_groups = len(np.unique(prepared.groups))
            print(
                f"{num_bursts:6} {seed:4} {len(single):8} {num_groups:6}   {cells[0]:26} {cells[1]}",
                flush=True,
            )
    print(f"50 % lies in the interval: {held['groups']} of {num}")
    print(f"as single pictures: {held['pictures']} of {num}")
    print(f"refused with the reason: {refused}")


if __name__ == "__main__":
    main()
