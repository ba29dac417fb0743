"""How hard the practice sets are for methods that do not see: shallow baselines.

    python -m benchmarks.practice_baselines [--sets 3] [--folds 5] [--data FOLDER]

Draws each set with several seeds and prints the balanced accuracy (mean over stratified folds,
then mean and spread over seeds) of a logistic regression on a colour histogram, on raw 32 x 32
pixels and on histograms of oriented gradients (HOG). With --data, measures a folder of class
folders of your own instead. Chance is 50 %.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tl_core.evaluation.baselines import colour_histogram, hog
from tl_core.synthetic.practice import SAMPLES, write_samples


def raw_pixels(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA).ravel() / 255


FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "colour histogram": colour_histogram,
    "raw 32 x 32 pixels": raw_pixels,
    "HOG at 96 px": hog,
}


def load(root: Path) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Pictures, label numbers, and the person or part that each shows (by file name)."""
    files = sorted(f for f in root.rglob("*") if f.suffix.lower() in (".jpg", ".jpeg", ".png"))
    images = [cv2.imdecode(np.fromfile(f, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] for f in files]
    labels = np.unique([f.parent.name for f in files], return_inverse=True)[1]
    shown = [f.stem.split("_")[1] if f.stem.startswith("face_") else f.as_posix() for f in files]
    return [np.ascontiguousarray(i) for i in images], labels, np.unique(shown, return_inverse=True)[1]


def score(features: np.ndarray, labels: np.ndarray, shown: np.ndarray, num_folds: int, seed: int) -> float:
    """Balanced accuracy, %. A person's pictures stay in one fold; the strength of the penalty is
    chosen inside each training part."""
    model = make_pipeline(
        StandardScaler(),
        LogisticRegressionCV(
            Cs=[1e-4, 1e-3, 1e-2, 1e-1, 1.0],
            cv=StratifiedKFold(3, shuffle=True, random_state=seed),
            class_weight="balanced",
            scoring="balanced_accuracy",
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
            max_iter=2000,
        ),
    )
    folds = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    found = cross_val_score(model, features, labels, groups=shown, cv=folds, scoring="balanced_accuracy")
    return 100 * float(found.mean())


def report(name: str, roots: list[Path], num_folds: int) -> None:
    found: dict[str, list[float]] = {feature: [] for feature in FEATURES}
    for seed, root in enumerate(roots):
        images, labels, shown = load(root)
        for feature, compute in FEATURES.items():
            found[feature].append(
                score(np.stack([compute(i) for i in images]), labels, shown, num_folds, seed)
            )
    for feature, scores in found.items():
        print(
            f"{name:12} {feature:20} {np.mean(scores):5.1f} ± {np.std(scores):.1f} %   {np.round(scores, 1)}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=3, help="practice sets drawn, one per seed")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--data", type=Path, help="class folders to measure instead")
    given = parser.parse_args()
    if given.data:
        report(given.data.name, [given.data], given.folds)
        return
    with tempfile.TemporaryDirectory() as temp:
        for name in SAMPLES:
            roots = [
                write_samples(name, Path(temp) / f"{name}{seed}", seed=seed) for seed in range(given.sets)
            ]
            report(name, roots, given.folds)


if __name__ == "__main__":
    main()
