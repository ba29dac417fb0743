"""Answers as plain text, for people who did not ask for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.base.messages import say
from tl_core.base.percent import percent
from tl_core.cli.text_table import table
from tl_core.data.dataset import Account
from tl_core.evaluation.metrics import defined, defined_per_class, never_found

if TYPE_CHECKING:
    from tl_core.runs.decision_rule import DecisionRule

METRICS = ("accuracy", "balanced_accuracy", "f1", "roc_auc")
PER_CLASS = ("precision", "recall", "f1", "support")
MARKS = ("unsure", "unlike_training")


def finished(path: Path, summary: dict[str, Any], language: str) -> str:
    """What `train` and `resume` say at the end."""
    lines = [say("cli.run", language, path=path)]
    told = summary.get("reported")
    if told:
        metrics = told["metrics"]
        values = {"split": told["split"], "num": metrics["num"], "stage": told["stage"]}
        lines += [say("cli.reported", language, **values), *_metric_lines(metrics, language)]
        lines += _beside(metrics, language)
    lines += _account_lines(summary, language)
    return "\n".join(lines)


def scores(metrics: dict[str, Any], language: str) -> str:
    """What `evaluate` says: figures with intervals, per class, confusion matrix."""
    classes = metrics["classes"]
    positive = metrics["positive_class"] if len(classes) == 2 else None
    values = {"name": positive} if positive else {"count": len(classes)}
    lines = [say("cli.positive" if positive else "cli.averaged", language, **values)]
    lines += _metric_lines(metrics, language)
    lines += _beside(metrics, language)
    header = ["", *(say(f"metrics.{name}", language) for name in PER_CLASS)]
    shares = defined_per_class(metrics)
    rows = [
        [name, *(_number((values | shares[name])[key]) for key in PER_CLASS)]
        for name, values in metrics["per_class"].items()
    ]
    lines += ["", *table([header, *rows])]
    matrix = [[name, *map(str, row)] for name, row in zip(classes, metrics["confusion_matrix"], strict=True)]
    lines += ["", say("cli.confusion", language), *table([["", *classes], *matrix])]
    decided = metrics.get("with_threshold")
    if decided:
        values = {"name": decided["positive_class"], "threshold": percent(decided["threshold"], space="")}
        names = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
        lines += ["", say("cli.with_threshold", language, **values), *_metric_lines(decided, language, names)]
    lines += _account_lines(metrics, language)
    if metrics.get("seen"):
        total = sum(map(sum, metrics["confusion_matrix"]))
        lines.append(say("cli.seen", language, count=metrics["seen"], total=total))
    return "\n".join(lines)


def predictions(answers: list[dict[str, Any]], decided: DecisionRule, language: str) -> str:
    """File, class, probability; unreadable ones have been named elsewhere. Then what was decided."""
    rows = [
        [
            answer["file"],
            answer["label"],
            percent(answer["probabilities"][answer["label"]], space=""),
            ", ".join(say(f"cli.{mark}", language) for mark in MARKS if answer.get(mark)),
        ]
        for answer in answers
        if "error" not in answer
    ]
    lines = table(rows)
    if decided.threshold is not None:
        values = {"name": decided.positive_class, "threshold": percent(decided.threshold, space="")}
        lines.append(say("cli.threshold", language, **values))
    if decided.temperature is not None:
        lines.append(say("cli.temperature", language, temperature=f"{decided.temperature:.2f}"))
    return "\n".join(lines)


def video(content: dict[str, Any], language: str) -> list[str]:
    """Which answer from when to when, and how it was smoothed."""
    rows = [[f"{one['from']:.1f}", "–", f"{one['to']:.1f} s", one["label"]] for one in content["segments"]]
    told = content["video"]
    values = {"num": len(content["predictions"]), "rate": told["rate"], "seconds": told["smooth_seconds"]}
    return [*table(rows), say("cli.video", language, **values)]


def kept(content: dict[str, Any], language: str) -> list[str]:
    """What `predict` has written beside saying it. content: with what `Kept.summary` gives."""
    lines = []
    if table_file := content.get("csv"):
        lines.append(say("cli.written", language, path=table_file))
    if copies := content.get("copies"):
        counts = ", ".join(f"{name} {count}" for name, count in sorted(copies["copied"].items()))
        values = {"path": copies["folder"], "counts": counts or 0, "there": copies["there_already"]}
        lines.append(say("cli.copied", language, **values, limit=percent(copies["sure_from"], 0, space="")))
        if sheet := copies.get("contact_sheet"):
            lines.append(say("cli.written", language, path=sheet))
    return lines


def _beside(metrics: dict[str, Any], language: str) -> list[str]:
    """What guessing is worth here, what the intervals count, and classes of which nothing was found."""
    values = {"chance": _number(metrics.get("chance")), "majority": _number(metrics.get("majority"))}
    lines = [say("cli.beside", language, **values)]
    if metrics.get("num_groups", metrics["num"]) < metrics["num"]:
        lines.append(say("cli.groups", language, count=metrics["num_groups"], num=metrics["num"]))
    missed = ", ".join(never_found(metrics))
    return [*lines, say("cli.never_found", language, names=missed)] if missed else lines


def _account_lines(record: dict[str, Any], language: str) -> list[str]:
    """What became of the files, unless all were used."""
    account = Account.of(record)
    return [] if account.is_complete else account.lines(language)


def _metric_lines(metrics: dict[str, Any], language: str, names: Sequence[str] = METRICS) -> list[str]:
    lines = []
    for key in names:
        name, value = say(f"metrics.{key}", language), defined(metrics, key)
        interval = (metrics.get("intervals") or {}).get(key)
        if value is None:
            continue
        if not interval or None in interval:
            lines.append(f"{name}: {_number(value)}")
            continue
        low, high = (_number(bound) for bound in interval)
        lines.append(say("cli.metric", language, name=name, value=_number(value), low=low, high=high))
    return [f"  {line}" for line in lines]


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "–" if value is None else str(value)
