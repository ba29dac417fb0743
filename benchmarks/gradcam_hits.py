"""How often the Grad-CAM maximum of the defect class falls into a drawn defect, against chance.

    python -m benchmarks.gradcam_hits RUN [--split test]

RUN is trained on the practice castings, whose boxes.json says where each defect was drawn. Chance is
the share of the picture that the boxes cover: what a point thrown at random would hit. The second
figure lets the boxes grow by half a place of the map (16 px of 224), since a map of 7 x 7 cannot
point any finer. Source of the test: Zhang et al. 2018, "Top-down Neural Attention by Excitation
Backprop" (the pointing game).
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import report, table
from tl_core.data.pixels.decode import read_image
from tl_core.evaluation.metrics import wilson
from tl_core.inference import stage_models
from tl_core.inference.predictor import BATCH
from tl_core.models import gradcam
from tl_core.runs.run_folder import RunFolder, open_run

HALF_PLACE = 16 / 224


def defect_pictures(run: RunFolder, data: Path, split: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """(file, its boxes) of the split's pictures that have any."""
    boxes = json.loads((data / "boxes.json").read_text(encoding="utf-8"))
    with run.predictions_path.open(encoding="utf-8", newline="") as file:
        names = {row["file"] for row in csv.DictReader(file) if row["split"] == split}
    return [(name, boxes[name]) for name in sorted(names) if boxes.get(name)]


def covered(shape: tuple[int, int], marks: list[dict[str, Any]], grow_px: int) -> np.ndarray:
    """(H, W) bool: the pixels inside any box, corners included."""
    mask = np.zeros(shape, bool)
    for mark in marks:
        x0, y0, x1, y1 = mark["box"]
        mask[max(y0 - grow_px, 0) : y1 + grow_px + 1, max(x0 - grow_px, 0) : x1 + grow_px + 1] = True
    return mask


def measure(
    run: RunFolder, stage: str, found: list[tuple[str, list[dict[str, Any]]]], data: Path
) -> list[list[str]]:
    """Two rows of the table."""
    model = stage_models.load(run, stage)
    target = model.classes.index(model.positive)
    hits, chances = {"box": [], "grown": []}, {"box": [], "grown": []}
    for start in range(0, len(found), BATCH):
        some = found[start : start + BATCH]
        images = [read_image(data / name) for name, _ in some]
        maps = gradcam.gradcam(model.model, model.enter(images), target)
        for image, heat, (_, marks) in zip(images, maps, some, strict=True):
            height, width = image.shape[:2]
            large = gradcam.enlarge(heat, height, width)
            peak = np.unravel_index(int(large.argmax()), large.shape)
            for name, grow_px in (("box", 0), ("grown", round(HALF_PLACE * width))):
                mask = covered((height, width), marks, grow_px)
                hits[name].append(bool(mask[peak]))
                chances[name].append(float(mask.mean()))
    rows = []
    for name, words in (("box", "inside a box"), ("grown", "within half a place of one")):
        num, total = sum(hits[name]), len(hits[name])
        low, high = wilson(num, total) or (0.0, 1.0)
        chance = float(np.mean(chances[name]))
        share = f"{num / total:.1%} ({low:.1%}–{high:.1%})"
        times = f"{num / total / chance:.1f}×"
        rows.append([stage, words, f"{num} of {total}", share, f"{chance:.1%}", times])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--split", default="test")
    given = parser.parse_args()
    run = open_run(given.run)
    data = Path(run.read_config()["data"])
    found = defect_pictures(run, data, given.split)
    rows = [row for stage in stage_models.available(run) for row in measure(run, stage, found, data)]
    header = ["stage", "maximum lies", "pictures", "share (95 %)", "chance", "share ÷ chance"]
    weights = run.read_config()["weights_used"]["label"]
    report(
        "gradcam_hits",
        f"Grad-CAM and drawn defects, {given.split}",
        [
            f"{len(found)} {given.split} pictures with a defect; the run began with {weights}.",
            "",
            *table(header, rows),
        ],
    )


if __name__ == "__main__":
    main()
