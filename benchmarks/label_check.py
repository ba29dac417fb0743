"""Does the label check find labels that are wrong on purpose?

    python -m benchmarks.label_check DATA [--flip 0.1] [--seeds 3] [--weights formula] [--image-px 224]

DATA is a folder of class folders, or the name of a practice set (casting, expression). A share of the
labels is exchanged for another class at random, and the pictures are judged as the Improve page does.
Said, per seed and as the mean: how many are flagged, the share of them that were flipped (precision),
the share of the flipped that are flagged (recall), and the precision among the first ten. A label
that was wrong before counts as a false alarm, so the precision is a lower bound.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import report, table
from tl_core.data.prepare import prepare
from tl_core.evaluation import label_issues
from tl_core.models.weights import sources
from tl_core.synthetic.practice import SAMPLES, sample_cache


def flipped(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(labels with `share` of them wrong, which ones); both (N,)."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(labels), round(share * len(labels)), replace=False)
    wrong = labels.copy()
    num_classes = int(labels.max()) + 1
    wrong[chosen] = (labels[chosen] + rng.integers(1, num_classes, len(chosen))) % num_classes
    is_wrong = np.zeros(len(labels), dtype=bool)
    is_wrong[chosen] = True
    return wrong, is_wrong


def score(flagged: list[int], is_wrong: np.ndarray) -> tuple[float, float, float]:
    """(precision, recall, precision among the first ten)."""
    hits = int(is_wrong[flagged].sum())
    first = flagged[:10]
    precision = hits / len(flagged) if flagged else 0.0
    return precision, hits / int(is_wrong.sum()), float(is_wrong[first].mean()) if first else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", metavar="DATA")
    parser.add_argument("--flip", type=float, default=0.1, help="share of labels made wrong")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--weights", default="formula")
    parser.add_argument("--image-px", type=int, default=224)
    given = parser.parse_args()
    folder = sample_cache(given.data) if given.data in SAMPLES else Path(given.data)
    prepared = prepare(
        folder, image_px=given.image_px, seed=0, val_fraction=0.2, test_fraction=0.2, decisions=()
    )
    choice = sources.choose(given.weights)
    started = time.process_time()
    features = label_issues.pooled_features(prepared.images, choice, "timm")
    seconds = time.process_time() - started
    rows, scores = [], []
    for seed in range(given.seeds):
        labels, is_wrong = flipped(prepared.labels, given.flip, seed)
        started = time.process_time()
        probabilities = label_issues.unseen_probabilities(features, labels, prepared.groups, seed)
        flagged = label_issues.issues(labels, probabilities)
        found = score(flagged, is_wrong)
        scores.append(found)
        numbers = [f"{value:.2f}" for value in found]
        rows.append([seed, is_wrong.sum(), len(flagged), *numbers, f"{time.process_time() - started:.1f}"])
    rows.append(["mean", "", "", *(f"{value:.2f}" for value in np.mean(scores, axis=0)), ""])
    header = ["seed", "flipped", "flagged", "precision", "recall", "precision of the first ten", "CPU s"]
    report(
        "label_check",
        f"Label check, {folder.name}",
        [
            f"{len(features)} pictures, {given.flip:.0%} of the labels exchanged; features of {choice.label} "
            f"at {given.image_px} px in {seconds:.0f} CPU s.",
            "",
            *table(header, rows),
        ],
    )


if __name__ == "__main__":
    main()
