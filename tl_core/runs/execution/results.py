"""What a finished run leaves behind: the summary as JSON and as text, predictions, plots, the model.

`summary.json` is the one record that pages, reports and comparisons read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from tl_core.base.errors import OutputUnwritable
from tl_core.base.files.file_names import readable
from tl_core.base.stages import STAGES
from tl_core.data.dataset import SPLITS
from tl_core.data.prepare import Prepared
from tl_core.data.split import Split
from tl_core.evaluation import metrics
from tl_core.models.files import checkpoint_files
from tl_core.runs import predictions
from tl_core.runs.report import plots
from tl_core.runs.run_folder import RunFolder, write_atomic, write_json
from tl_core.training.trainer import Trainer


def write(
    folder: RunFolder,
    summary: dict[str, Any],
    trainer: Trainer,
    folds: dict[str, np.ndarray],
    *,
    with_plots: bool = True,
    on_skip: Callable[[str, str], None] = lambda name, detail: None,
) -> None:
    """Write every result file of what is known.

    summary: as `summarise` returns it. folds: probabilities from cross-validation, {} without. with_plots:
    they take seconds. on_skip: told (name, why) of a plot that could not be drawn; the results stand
    before. Raises: OutputUnwritable.
    """
    rows = prediction_rows(trainer, folds)
    about = {key: summary[key] for key in ("classes", "positive_class", "library", "image_px")}
    checkpoint_files.save_weights(
        folder.models / "final.safetensors",
        trainer.best_weights[trainer.final_stage],
        about,
    )
    write_atomic(folder.predictions_path, _csv(rows))
    write_atomic(folder.pictures_path, _csv(picture_rows(trainer.prepared)))
    write_json(folder.training_log_path, training_log(trainer.history))
    write_atomic(folder.metrics / "summary.txt", text(summary))
    write_json(folder.summary_path, summary)  # whoever sees it finds the rest
    if with_plots:  # last: no drawing may cost a training its result
        try:
            plots.write_plots(folder, training_log(trainer.history), summary, rows, on_skip=on_skip)
        except OutputUnwritable as error:
            on_skip("plots", str(error))


def summarise(
    name: str,
    recorded: dict[str, Any],
    trainer: Trainer,
    folds: dict[str, np.ndarray],
    *,
    cross_validated: str | None = None,
    weights: dict[str, Any],
    seconds: float,
    is_complete: bool = True,
) -> dict[str, Any]:
    """The content of metrics/summary.json.

    recorded: the run's config.json. cross_validated: what was: "recipe", or "head" alone. is_complete:
    False while the run goes on, or was stopped: the best model so far.
    """
    prepared = trainer.prepared
    split, classes = prepared.split, prepared.dataset.classes

    def scores(probabilities: np.ndarray, indices: list[int]) -> dict[str, Any]:
        truth, groups = prepared.labels[indices], prepared.groups[indices]
        return metrics.evaluate(truth, probabilities[indices], classes, trainer.positive, groups=groups)

    stages = {
        stage: {part: scores(p, getattr(split, part)) for part in SPLITS if getattr(split, part)}
        for stage, p in trainer.probabilities.items()
    }
    everyone = sorted(index for fold in split.folds for index in fold)
    crossed = {stage: scores(p, everyone) for stage, p in folds.items()} if folds else None
    final = trainer.final_stage
    if crossed is not None:
        judged = "head" if cross_validated == "head" else final
        reported = {
            "stage": judged,
            "split": predictions.CROSS_VALIDATION,
            "metrics": crossed[predictions.FINAL],
        }
    else:
        part = "test" if split.test else "val"  # which has chosen the epoch: a little too good
        reported = {"stage": final, "split": part, "metrics": stages[final][part]}
    return {
        "run": name,
        "created": recorded.get("created"),
        "preset": recorded["preset"],
        "library": recorded["library"],
        "backbone": weights["backbone"],
        "weights": weights,
        "classes": classes,
        "class_to_idx": prepared.dataset.class_to_idx,
        "positive_class": trainer.positive,
        "split": {**{part: len(getattr(split, part)) for part in SPLITS}, "folds": len(split.folds)},
        "decisions": prepared.decision_counts,
        **prepared.dataset.account.to_dict(),
        "leak": {"exact": prepared.leak.exact, "near": prepared.leak.near, "pairs": prepared.leak.pairs},
        "final_stage": final,
        "is_complete": is_complete,
        "loss_weights": trainer.loss_weights,
        "best": trainer.best,
        "image_px": trainer.config.image_px,
        "stages": stages,
        "cross_validation": crossed,
        "cross_validated": cross_validated,
        "reported": reported,
        "seconds": seconds,
        "frozen_work": trainer.frozen_work,
        "device": trainer.device,
        "precision": recorded["device_used"]["tail_precision"],
        "versions": recorded["versions"],
    }


def prediction_rows(trainer: Trainer, folds: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Rows of metrics/predictions.csv: every picture in every stage; where folds were, those held out."""
    prepared = trainer.prepared
    classes, part_of = prepared.dataset.classes, _part_of(prepared.split)
    crossed = dict.fromkeys((i for fold in prepared.split.folds for i in fold), predictions.CROSS_VALIDATION)
    sources = [(stage, p, part_of) for stage, p in trainer.probabilities.items()]
    sources += [(stage, p, crossed) for stage, p in folds.items()]
    return [
        {
            "file": prepared.dataset.pictures[i].name,
            "truth": classes[prepared.labels[i]],
            "predicted": classes[int(p[i].argmax())],
            "split": parts[i],
            "stage": stage,
            **{f"p_{name}": round(float(p[i, c]), 6) for c, name in enumerate(classes)},
        }
        for stage, p, parts in sources
        for i in sorted(parts)
    ]


def _part_of(split: Split) -> dict[int, str]:
    return {i: part for part in SPLITS for i in getattr(split, part)}


def picture_rows(prepared: Prepared) -> list[dict[str, Any]]:
    """Rows of metrics/pictures.csv: where each picture went, its near-duplicates (one number per group),
    and a hash of its pixels as the network gets them, by which it is known again under another name."""
    dataset, split = prepared.dataset, prepared.split
    part_of = _part_of(split)
    fold_of = {i: number for number, fold in enumerate(split.folds, start=1) for i in fold}
    return [
        {
            "file": picture.name,
            "truth": dataset.classes[picture.label],
            "split": part_of.get(i, ""),
            "fold": fold_of.get(i, ""),
            "group": int(prepared.groups[i]),
            "pixels": prepared.hashes[i],
        }
        for i, picture in enumerate(dataset.pictures)
    ]


def _csv(rows: list[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def training_log(history: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, list[float]]]:
    """Per-stage history under the expression guide's names: stage1, stage2 …"""
    return {STAGES[stage].log_name: columns for stage, columns in history.items()}


def text(summary: dict[str, Any]) -> str:
    """The content of metrics/summary.txt, in English, for a terminal or a report's appendix."""
    scores, reported = summary["reported"]["metrics"], summary["reported"]
    weights = summary["weights"]
    lines = [
        f"Run {readable(summary['run'])} ({summary['created']})",
        f"Weights: {weights['label']} [{weights['source']}] sha256 {weights['sha256'][:12] or '-'}",
    ]
    if not weights["is_pretrained"]:
        lines.append("Trained from scratch: this is not transfer learning.")
    is_focused = metrics.is_focused(summary["classes"], summary["positive_class"])
    focus = (
        f"positive: {summary['positive_class']}" if is_focused else "precision, recall, F1: their averages"
    )
    split = summary["split"]
    held_out = f"{split['test']} test" if split["test"] else f"{split['folds']}-fold cross-validation"
    if summary.get("cross_validated") == "head":
        held_out += " of the head alone"
    if not summary.get("is_complete", True):
        lines.append("The best model so far: the run goes on, or was stopped.")
    lines += [
        f"Classes: {', '.join(summary['classes'])} ({focus})",
        f"Pictures: {split['train']} train, {split['val']} validation, {held_out}",
        f"Final model: best epoch of stage {summary['final_stage']}",
        "",
        f"On {scores['num']} pictures ({reported['split']}), with 95 % intervals:",
        f"  {'by guessing':<18}{scores['chance']:.3f}",
        f"  {'majority':<18}{scores['majority']:.3f}  (always the most common class)",
    ]
    for name in metrics.METRICS:
        if metrics.defined(scores, name) is not None:
            interval = scores["intervals"].get(name)
            spread = f"  [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else ""
            lines.append(f"  {name:<18}{scores[name]:.3f}{spread}")
    if scores["num_groups"] < scores["num"]:
        lines.append(
            f"  The intervals count {scores['num_groups']} groups of copies or bursts, not pictures."
        )
    for name in metrics.never_found(scores):
        lines.append(f"  None of the pictures of {name} was found.")
    lines += ["", "Confusion matrix (rows: truth, columns: answer), " + ", ".join(summary["classes"])]
    lines += ["  " + " ".join(f"{n:>6}" for n in row) for row in scores["confusion_matrix"]]
    lines += ["", f"{'stage':<10}{'split':<8}{'pictures':>9}{'accuracy':>10}{'balanced':>10}{'f1':>8}"]
    for stage, parts in summary["stages"].items():
        for part, m in parts.items():
            lines.append(
                f"{stage:<10}{part:<8}{m['num']:>9}{m['accuracy']:>10.3f}{m['balanced_accuracy']:>10.3f}{m['f1']:>8.3f}"
            )
    if summary["leak"]["pairs"]:
        num = len(summary["leak"]["pairs"])
        lines += ["", f"Too good: held-out pictures with a copy, or nearly one, in training: {num}"]
    if summary["refused"]:
        lines += ["", "Left out:", *(f"  {one['name']}: {one['reason']}" for one in summary["refused"])]
    lines += ["", f"{summary['seconds']:.0f} s on {summary['device']} in {summary['precision']}"]
    return "\n".join(lines) + "\n"
