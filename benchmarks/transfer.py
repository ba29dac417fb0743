"""What the embedded backbone is worth: frozen features and two stages, against starting from nothing.

    python -m benchmarks.transfer --data FOLDER [--seeds 5] [--train] [--sets casting_small …]

FOLDER holds casting_small, face_happy_neutral_small and neu_steel6_small, each with class folders;
the two practice sets are drawn. Balanced accuracy in percent on held-out pictures, mean and spread
over the seeds. A group of pictures that belong together (near-duplicates; in the face sets: one
person) is never divided between training and test.

    probe       logistic regression on the pooled features of the frozen network, as it is shipped
    baseline    the same on 32 x 32 pixels, on a colour histogram, on HOG
    two-stage   (--train; hours on a CPU) the expression recipe on the frozen and then unfrozen network
    scratch     (--train) the same network from random weights: same recipe, and all layers trainable
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.practice_baselines import FEATURES
from tl_core import model, weights, workflow
from tl_core.config import preset
from tl_core.data.prepare import prepare
from tl_core.data.samples import SAMPLES, write_samples
from tl_core.feeds import normalise

REAL = {
    "casting_small": "near-duplicates",
    "face_happy_neutral_small": "person",
    "neu_steel6_small": "near-duplicates",
}
# what belongs together in each
IMAGE_PX = 224
NUM_FOLDS = 5


@dataclass(frozen=True)
class Pictures:
    """images: (N, px, px, 3) uint8. labels, groups: (N,); a group is never divided."""

    name: str
    files: list[Path]
    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    classes: list[str]

    def folds(self, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        splitter = StratifiedGroupKFold(NUM_FOLDS, shuffle=True, random_state=seed)
        return splitter.split(self.images, self.labels, self.groups)


def read(name: str, folder: Path) -> Pictures:
    prepared = prepare(folder, image_px=IMAGE_PX, seed=0, val_fraction=0.2, test_fraction=0.2)
    files = [picture.path for picture in prepared.dataset.pictures]
    groups = prepared.groups
    if name == "expression" or REAL.get(name) == "person":  # face_12_3.jpg, Al_Davis_0001.jpg
        people = [file.stem.rpartition("_")[0] for file in files]
        groups = np.unique(people, return_inverse=True)[1]
    return Pictures(name, files, prepared.images, prepared.labels, groups, prepared.dataset.classes)


@torch.inference_mode()
def pooled(pictures: Pictures, source: str, seed: int) -> np.ndarray:
    """(N, 1280) features of the network with nothing trained on these pictures."""
    choice = weights.choose(source)
    network = model.build("timm", 2, 0.0, choice, seed).eval().to(memory_format=torch.channels_last)
    batches = torch.from_numpy(pictures.images).split(32)
    return torch.cat(
        [network.forward_until(normalise(batch, choice.mean, choice.std), "pooled") for batch in batches]
    ).numpy()


def probe(features: np.ndarray, pictures: Pictures, seed: int) -> float:
    """Balanced accuracy over all folds together; the penalty is chosen inside each training part."""
    answers = np.empty_like(pictures.labels)
    for train, test in pictures.folds(seed):
        inner = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
        parts = list(inner.split(features[train], pictures.labels[train], pictures.groups[train]))
        regression = LogisticRegressionCV(
            Cs=[1e-4, 1e-3, 1e-2, 1e-1],
            cv=parts,
            class_weight="balanced",
            scoring="balanced_accuracy",
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
            max_iter=1000,
        )
        fitted = make_pipeline(StandardScaler(), regression).fit(features[train], pictures.labels[train])
        answers[test] = fitted.predict(features[test])
    return 100 * balanced_accuracy_score(pictures.labels, answers)


def trained(pictures: Pictures, seed: int, **settings: object) -> float:
    """Balanced accuracy on the test part of a whole run: one fold tests, one validates, three train."""
    folds = [test for _, test in pictures.folds(seed)]
    parts = {"test": folds[0], "val": folds[1], "train": np.concatenate(folds[2:])}
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "data"
        for part, indices in parts.items():
            for index in indices:
                target = data / part / pictures.classes[pictures.labels[index]]
                target.mkdir(parents=True, exist_ok=True)
                (target / f"{index:05}{pictures.files[index].suffix}").symlink_to(
                    pictures.files[index].absolute()
                )
        config = preset("expression", seed=seed, positive_weight=1.0, **settings)
        run = workflow.create_run(data, Path(temporary) / "run", config)
        workflow.execute(run)
        summary = run.read_summary() or {}
    return 100 * summary["reported"]["metrics"]["balanced_accuracy"]


def line(pictures: Pictures, what: str, score: Callable[[int], float], seeds: int) -> None:
    found = np.array([score(seed) for seed in range(seeds)])
    each = " ".join(f"{value:.1f}" for value in found)
    print(f"{pictures.name:<26}{what:<30}{np.mean(found):5.1f} ± {np.std(found):3.1f}   [{each}]", flush=True)


def report(pictures: Pictures, seeds: int, is_trained: bool) -> None:
    embedded = pooled(pictures, "formula", 0)
    line(pictures, "probe: formula", lambda seed: probe(embedded, pictures, seed), seeds)
    line(
        pictures,
        "probe: random weights",
        lambda seed: probe(pooled(pictures, "random", seed), pictures, seed),
        seeds,
    )
    for name, compute in FEATURES.items():
        features = np.stack([compute(image) for image in pictures.images])
        line(pictures, f"baseline: {name}", lambda seed, x=features: probe(x, pictures, seed), seeds)
    if is_trained:
        whole = {"weights": "random", "unfreeze_blocks": 7}
        for what, settings in (
            ("two-stage: formula", {"weights": "formula"}),
            ("scratch: same recipe", {"weights": "random"}),
            ("scratch: all layers", whole | {"finetune": {"learning_rate": 1e-3}}),
        ):
            line(pictures, what, lambda seed, s=settings: trained(pictures, seed, **s), seeds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder that holds the real sets")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--train", action="store_true", help="also whole runs")
    parser.add_argument("--sets", nargs="+", choices=[*REAL, *SAMPLES], default=[*REAL, *SAMPLES])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.sets:
            if name in SAMPLES:
                folder = write_samples(name, Path(temporary) / name, seed=0)
            elif given.data is None:
                print(f"{name:<26}left out: --data is not given")
                continue
            else:
                folder = given.data / name
            report(read(name, folder), given.seeds, given.train)


if __name__ == "__main__":
    main()
