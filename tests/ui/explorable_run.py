"""A finished run whose pictures are there and whose stage models can be asked, for tests of Explore."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np

from tests.ui.conftest import draw_pictures
from tests.ui.run_folder_builder import finished_run
from tl_core.base.config import RunConfig
from tl_core.evaluation import metrics
from tl_core.runs.run_folder import RunFolder

IMAGE_PX = 32
PER_CLASS = {"train": 12, "val": 20, "test": 15}
SKILLS = {"before": 0.0, "head": 1.0, "finetune": 2.0}


@cache
def _weights(num_classes: int) -> bytes:
    """A network nobody trained."""
    import torch
    from safetensors.torch import save

    from tl_core.models.build import skeleton

    torch.manual_seed(0)
    return save(skeleton("timm", num_classes, 0.3).state_dict())


def explorable_run(path: Path, data: Path, classes: tuple[str, ...] = ("bad", "good")) -> RunFolder:
    """Pictures under `data`; the same ones answered at every stage, better each time."""
    draw_pictures(data, {name: sum(PER_CLASS.values()) for name in classes}, px=IMAGE_PX)
    run = finished_run(path, classes=classes, config=RunConfig(image_px=IMAGE_PX), data=data)
    for name in ("stage1_best", "stage2_best", "final"):
        (run.models / f"{name}.safetensors").write_bytes(_weights(len(classes)))
    write_answers(run, classes, PER_CLASS)
    return run


def write_answers(run: RunFolder, classes: tuple[str, ...], per_class: dict[str, int]) -> None:
    """predictions.csv and the scores in summary.json that belong to it."""
    rng = np.random.default_rng(0)
    rows, scores = [], {}
    noise: dict[str, np.ndarray] = {}
    for stage, skill in SKILLS.items():
        scores[stage] = {}
        start = 0
        for split, count in per_class.items():
            truth = np.repeat(np.arange(len(classes)), count)
            shape = (len(truth), len(classes))
            noise.setdefault(split, rng.normal(size=shape))
            logits = noise[split] + rng.normal(size=shape) * 0.5
            logits[np.arange(len(truth)), truth] += skill
            p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            scores[stage][split] = metrics.evaluate(truth, p, list(classes), classes[-1])
            for i, c in enumerate(truth):
                name = classes[c]
                row = {"file": f"{name}/{name}_{start + i % count:02}.png", "truth": name}
                row |= {"predicted": classes[int(p[i].argmax())], "split": split, "stage": stage}
                rows.append(row | {f"p_{n}": f"{v:.6f}" for n, v in zip(classes, p[i], strict=True)})
            start += count
    with run.predictions_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    summary = json.loads(run.summary_path.read_text(encoding="utf-8"))
    summary["stages"] = scores
    summary["reported"] = {"stage": "finetune", "split": "test", "metrics": scores["finetune"]["test"]}
    run.summary_path.write_text(json.dumps(summary), encoding="utf-8")
