"""What the embedded backbone is worth: frozen features and two stages, against starting from nothing.

    python -m benchmarks.transfer --data FOLDER [--seeds 5] [--default | --train] [--px 224] [--log FILE]

FOLDER holds casting_small, face_happy_neutral_small and neu_steel6_small, each with class folders;
the two practice sets are drawn. Balanced accuracy in percent on held-out pictures, mean and spread
over the seeds. A group of pictures that belong together (near-duplicates; in the face sets: one
person) is never divided between training and test.

Without --train: logistic regression on the pooled features of the network as it is shipped and of
random weights, on 32 x 32 pixels, on a colour histogram, on HOG.
With --train, hours on a CPU: the expression preset's two stages from our weights; the same recipe from
random weights, as they are and with BatchNorms that have seen the training pictures (a frozen BatchNorm
never would); and the same network from random weights with every layer trainable all the while.
With --default, also hours: the recipe `standard` with nothing else said, from the weights that come with
the app and from the formula's; its head alone; and what does not see, learnt on the same pictures.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.optim.swa_utils import update_bn

from benchmarks.harness import report
from benchmarks.practice_baselines import FEATURES
from benchmarks.transfer_scores import Scores, lines
from tl_core.base.config import preset
from tl_core.compute.malloc_tuning import keep_memory
from tl_core.data.pixels.normalise import normalise
from tl_core.data.prepare import prepare
from tl_core.models import build
from tl_core.models.files.checkpoint_files import save_weights
from tl_core.models.pretraining import finish
from tl_core.models.weights import sources
from tl_core.runs.execution import workflow
from tl_core.synthetic.practice import SAMPLES, write_samples
from tl_core.training import head_solver
from tl_core.training.class_balance import loss_weights

REAL = {
    "casting_small": "near-duplicates",
    "face_happy_neutral_small": "person",
    "neu_steel6_small": "near-duplicates",
}
# what belongs together in each
NUM_FOLDS = 5
ENTRIES = 500
# training examples after augmentation, over all classes: what the preset makes of two
OURS, RANDOM = "formula", "random weights"
RECIPE, ALL_LAYERS = "random weights, same recipe", "random weights, all layers"
SETTLED = "random weights, BatchNorm measured, same recipe"
TRAINED: dict[str, dict[str, Any]] = {
    OURS: {"weights": "formula"},
    RECIPE: {"weights": "random"},
    SETTLED: {},  # a file of its own for every run: `settled`
    ALL_LAYERS: {
        "weights": "random",
        "unfreeze_blocks": 7,
        "head": {"epochs": 0},
        "finetune": {"epochs": 35, "learning_rate": 1e-3},
    },
}
"""What is trained, and how it differs from the expression preset."""
DEFAULT = {"imagenet-lite0": "imagenet-lite0, head alone", OURS: "formula, head alone"}
"""Beginnings of the recipe `standard`, and what the number of its head alone is called."""


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


def read(name: str, folder: Path, px: int) -> Pictures:
    prepared = prepare(folder, image_px=px, seed=0, val_fraction=0.2, test_fraction=0.2)
    files = [picture.path for picture in prepared.dataset.pictures]
    groups = prepared.groups
    if name == "expression" or REAL.get(name) == "person":  # face_12_3.jpg, Al_Davis_0001.jpg
        people = [file.stem.rpartition("_")[0] for file in files]
        groups = np.unique(people, return_inverse=True)[1]
    return Pictures(name, files, prepared.images, prepared.labels, groups, prepared.dataset.classes)


@torch.inference_mode()
def pooled(pictures: Pictures, source: str, seed: int) -> np.ndarray:
    """(N, 1280) features of the network with nothing trained on these pictures."""
    choice = sources.choose(source)
    network = build.build("timm", 2, 0.0, choice, seed).eval().to(memory_format=torch.channels_last)
    batches = torch.from_numpy(pictures.images).split(32)
    return torch.cat(
        [network.forward_until(normalise(batch, choice.mean, choice.std), "pooled") for batch in batches]
    ).numpy()


def answers_to(
    features: np.ndarray, pictures: Pictures, train: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    """Classes of the pictures `test`; the penalty is chosen inside `train`."""
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
    return fitted.predict(features[test])


def probe(features: np.ndarray, pictures: Pictures, seed: int) -> float:
    """Balanced accuracy over all folds together."""
    answers = np.empty_like(pictures.labels)
    for train, test in pictures.folds(seed):
        answers[test] = answers_to(features, pictures, train, test, seed)
    return 100 * balanced_accuracy_score(pictures.labels, answers)


def settled(pictures: Pictures, train: np.ndarray, seed: int, path: Path) -> None:
    """Write random weights whose BatchNorm statistics are those of the training pictures."""
    network = build.build("timm", 2, 0.0, sources.choose("random"), seed)
    update_bn(finish.batches(pictures.images[train], torch.device("cpu")), network)
    state = network.state_dict()
    save_weights(path, {name: state[name] for name in state if not name.startswith("classifier")})


def parts_of(pictures: Pictures, seed: int) -> dict[str, np.ndarray]:
    """One fold tests, one validates, three train."""
    folds = [test for _, test in pictures.folds(seed)]
    return {"test": folds[0], "val": folds[1], "train": np.concatenate(folds[2:])}


def whole_run(pictures: Pictures, seed: int, recipe: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Summary of a run on `parts_of` these pictures."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "data"
        for part, indices in parts_of(pictures, seed).items():
            for index in indices:
                target = data / part / pictures.classes[pictures.labels[index]]
                target.mkdir(parents=True, exist_ok=True)
                (target / f"{index:05}{pictures.files[index].suffix}").symlink_to(
                    pictures.files[index].absolute()
                )
        config = preset(recipe, seed=seed, image_px=pictures.images.shape[1], **settings)
        run = workflow.create_run(data, Path(temporary) / "run", config)
        workflow.execute(run)
        return run.read_summary() or {}


def trained(pictures: Pictures, seed: int, way: str) -> float:
    """Balanced accuracy on the test part of a whole run."""
    settings = {**TRAINED[way], "positive_weight": 1.0, "target_per_class": ENTRIES // len(pictures.classes)}
    with tempfile.TemporaryDirectory() as temporary:
        if way == SETTLED:
            file = Path(temporary) / "random.safetensors"
            settled(pictures, parts_of(pictures, seed)["train"], seed, file)
            settings["weights"] = f"file:{file}"
        summary = whole_run(pictures, seed, "expression", settings)
    return 100 * summary["reported"]["metrics"]["balanced_accuracy"]


def probes(sets: list[Pictures], seeds: int, scores: Scores) -> Iterator[dict[str, Any]]:
    for pictures in sets:
        computed = {
            name: np.stack([compute(image) for image in pictures.images])
            for name, compute in FEATURES.items()
        }
        for way, features in {OURS: None, RANDOM: None, **computed}.items():
            for seed in range(seeds):
                if (pictures.name, way, seed) not in scores.found:
                    began = time.process_time()
                    source = "formula" if way == OURS else "random"
                    x = pooled(pictures, source, seed) if features is None else features
                    score = probe(x, pictures, seed)
                    cpu = time.process_time() - began
                    yield scores.add(name=pictures.name, way=way, seed=seed, score=score, cpu=cpu)


def runs(sets: list[Pictures], seeds: int, scores: Scores) -> Iterator[dict[str, Any]]:
    """Every set once before the next seed begins; what matters most comes first, the costliest way last."""
    order = [
        (seed, pictures, way)
        for ways in ([OURS, RECIPE], [SETTLED], [ALL_LAYERS])
        for seed, pictures, way in itertools.product(range(seeds), sets, ways)
    ]
    for seed, pictures, way in order:
        if (pictures.name, way, seed) not in scores.found:
            began = time.process_time()
            score = trained(pictures, seed, way)
            cpu = time.process_time() - began
            yield scores.add(name=pictures.name, way=way, seed=seed, score=score, cpu=cpu)


def default_runs(sets: list[Pictures], seeds: int, scores: Scores) -> Iterator[dict[str, Any]]:
    """The recipe that comes first in the app, on `parts_of`: what is cheap first, then whole runs."""
    for pictures, way in itertools.product(sets, [*FEATURES, *DEFAULT.values()]):
        if all((pictures.name, way, seed) in scores.found for seed in range(seeds)):
            continue
        if way in FEATURES:
            features = np.stack([FEATURES[way](image) for image in pictures.images])
            yield from tested(way, features, pictures, seeds, scores, answers_to, ("train", "val"))
        else:
            source = next(source for source, its in DEFAULT.items() if its == way)
            yield from tested(way, pooled(pictures, source, 0), pictures, seeds, scores, solved_answers)
    for source, seed, pictures in itertools.product(DEFAULT, range(seeds), sets):
        if (pictures.name, source, seed) not in scores.found:
            began = time.process_time()
            summary = whole_run(pictures, seed, "standard", {"weights": source})
            score = 100 * summary["reported"]["metrics"]["balanced_accuracy"]
            cpu = time.process_time() - began
            yield scores.add(name=pictures.name, way=source, seed=seed, score=score, cpu=cpu)


def solved_answers(
    features: np.ndarray, pictures: Pictures, train: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    """Classes of the pictures `test` by the head that a run solves on `train`."""
    labels, groups = pictures.labels[train], pictures.groups[train]
    counts = dict(zip(pictures.classes, np.bincount(labels).tolist(), strict=True))
    weights = np.array(list(loss_weights(preset("standard"), counts, None).values()))
    head = head_solver.solve(features[train], labels, groups, weights, seed).head
    return head.log_probabilities(features[test]).argmax(axis=1)


def tested(
    way: str,
    features: np.ndarray,
    pictures: Pictures,
    seeds: int,
    scores: Scores,
    answers: Callable[..., np.ndarray],
    seen: tuple[str, ...] = ("train",),
) -> Iterator[dict[str, Any]]:
    """Learnt on these parts of each seed's run, tested where the run is tested."""
    for seed in range(seeds):
        if (pictures.name, way, seed) not in scores.found:
            began, parts = time.process_time(), parts_of(pictures, seed)
            learnt = np.concatenate([parts[part] for part in seen])
            said = answers(features, pictures, learnt, parts["test"], seed)
            score = 100 * balanced_accuracy_score(pictures.labels[parts["test"]], said)
            cpu = time.process_time() - began
            yield scores.add(name=pictures.name, way=way, seed=seed, score=score, cpu=cpu)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder that holds the real sets")
    parser.add_argument("--seeds", type=int, default=5, help="0: lay out what the log holds")
    parser.add_argument("--train", action="store_true", help="whole runs instead of probes")
    parser.add_argument("--default", action="store_true", help="whole runs of the recipe for own pictures")
    parser.add_argument("--px", type=int, default=224, help="side of the picture that the network sees")
    parser.add_argument("--log", type=Path, help="keeps every number; an interrupted run goes on from it")
    parser.add_argument("--sets", nargs="+", choices=[*REAL, *SAMPLES], default=[*REAL, *SAMPLES])
    given = parser.parse_args()
    keep_memory()
    scores = Scores(given.log)
    with tempfile.TemporaryDirectory() as temporary:
        sets = []
        for name in given.sets:
            if name in SAMPLES:
                sets.append(read(name, write_samples(name, Path(temporary) / name, seed=0), given.px))
            elif given.data is None:
                print(f"{name:<26}left out: --data is not given")
            else:
                sets.append(read(name, given.data / name, given.px))
        ways, title, measure = [OURS, RANDOM, *FEATURES], "linear classifier, frozen features", probes
        if given.train:
            ways, title, measure = list(TRAINED), "whole runs", runs
        if given.default:
            others = (way for _, way, _ in scores.found)
            ways = list(dict.fromkeys([*itertools.chain(*DEFAULT.items()), *FEATURES, *others]))
            title, measure = "recipe for own pictures", default_runs
        measured = measure(sets, given.seeds, scores)
        counts = {pictures.name: len(pictures.labels) for pictures in sets}
        for told in itertools.chain(measured, [None]):  # and once more when nothing was left to measure
            if told:
                print(json.dumps(told), flush=True)
            report("transfer", f"Transfer: {title}, {given.px} px", lines(counts, ways, scores, given.px))


if __name__ == "__main__":
    main()
