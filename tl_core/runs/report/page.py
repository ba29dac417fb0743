"""One printable HTML page about a finished run, complete in itself: nothing is fetched when it is opened.

Everything in it is read from the run folder; the pictures come from the data if it is still there, as
small copies without what a camera writes beside them.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tl_core.base.config import preset
from tl_core.base.errors import RunDamaged, RunNotReady
from tl_core.base.events import WarningRaised
from tl_core.base.files.file_names import readable
from tl_core.base.messages import FALLBACK, say
from tl_core.base.percent import MISSING
from tl_core.base.percent import percent as written
from tl_core.base.stages import STAGES
from tl_core.data import folders
from tl_core.data.dataset import Account
from tl_core.data.pixels.thumbnail import thumbnail
from tl_core.evaluation.metrics import METRICS, defined, defined_per_class
from tl_core.models.weights.locate import recorded_name
from tl_core.runs import decision_rule, predictions
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.event_log import EventLog
from tl_core.runs.report.plots import best_epochs, curve_svg
from tl_core.runs.run_folder import RunFolder

NUM_RIGHT, NUM_WRONG = 6, 12
"""Example pictures shown."""
THUMB_PX = 160
# of 1/96 inch; about 40 mm on paper when shown at full size
SETTINGS: tuple[str, ...] = ("preset", "library", "seed", "image_px", "batch_size", "dropout", "weight_decay")
SETTINGS += ("unfreeze_blocks", "augment", "views", "target_per_class", "positive_class", "positive_weight")
"""Shown by the names that `--config` knows."""

Words = Callable[..., str]


def render(run: RunFolder, language: str = FALLBACK) -> str:
    """The page as text, UTF-8. Raises: RunNotReady: not finished. RunDamaged: a file cannot be read."""
    import jinja2

    summary = run.read_summary()
    if summary is None:
        raise RunNotReady(path=run.path)
    words = partial(_say, language)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    try:
        values = _values(run, summary, words, language)
    except (LookupError, TypeError, ValueError) as error:
        raise RunDamaged(file=run.path, detail=repr(error)) from error
    return environment.get_template("report.html.j2").render(**values, t=words, language=language)


def _say(language: str, key: str, **values: Any) -> str:
    return say(f"report.{key}", language, **values)


def _values(run: RunFolder, summary: dict[str, Any], t: Words, language: str) -> dict[str, Any]:
    recorded, reported = run.read_config(), summary["reported"]
    probable, weights = reported["metrics"], summary["weights"]
    rows = predictions.reported(predictions.read(run), summary)
    decided = decision_rule.read(run)
    ruled = decision_rule.scores_by(decided, rows, probable)
    metrics = ruled or probable
    rows = decision_rule.said_by(decided, rows, probable["classes"])
    right, wrong = _examples(recorded, rows)
    return {
        "run": readable(run.name),
        "created": str(summary["created"])[:16].replace("T", " "),
        "summary": summary,
        "metrics": metrics,
        "split": t(f"split_{reported['split']}"),
        "num_right": sum(row[i] for i, row in enumerate(metrics["confusion_matrix"])),
        "headline": percent(metrics["accuracy"]),
        "headline_interval": _interval(metrics, "accuracy"),
        "scores": [
            (
                say(f"metrics.{name}", language),
                percent(defined(metrics, name)),
                _interval(metrics, name),
                t(f"about_{name}"),
            )
            for name in METRICS
        ],
        "blind": _blind(probable, t),
        "rule": _rule(decided, probable, t, language) if ruled else "",
        "per_class": [
            (name, shares | {"support": metrics["per_class"][name]["support"]})
            for name, shares in defined_per_class(metrics).items()
        ],
        "is_undefined": any(None in shares.values() for shares in defined_per_class(metrics).values()),
        "matrix": _matrix(metrics),
        "stages": _stages(summary, t),
        "curves": [
            (t(f"curve_{name}"), curve_svg(run.read_training_log(), best_epochs(summary), name, t))
            for name in ("accuracy", "loss")
        ],
        "right": right,
        "wrong": wrong,
        "num_wrong": sum(row["truth"] != row["predicted"] for row in rows),
        "weights_name": recorded_name(weights, language),
        "why": say(f"why.{weights['why']}", language),
        "data": readable(Path(str(recorded.get("data", ""))).name),
        "fingerprint": recorded.get("data_fingerprint") or MISSING,
        "decisions": {"excluded": 0, "relabelled": 0, "added": 0} | (summary.get("decisions") or {}),
        "settings": _settings(recorded, t),
        "warnings": _warnings(run, language),
        "account": [] if (account := Account.of(summary)).is_complete else account.lines(language),
        "config_toml": config_toml(run),
        "command": command(run),
        "percent": percent,
    }


percent = partial(written, space="\u00a0")
"""With a space that does not break."""


def _blind(metrics: dict[str, Any], t: Words) -> str:
    """What answers without looking would reach; "" in runs from before it was counted."""
    if metrics.get("chance") is None or metrics.get("majority") is None:
        return ""
    return t("blind", chance=percent(metrics["chance"]), majority=percent(metrics["majority"]))


def _rule(decided: DecisionRule, probable: dict[str, Any], t: Words, language: str) -> str:
    """By which rule the numbers are, and the other rule's beside them."""
    names = ("accuracy", "balanced_accuracy", "f1", "precision", "recall")
    scores = [f"{say(f'metrics.{name}', language)} {percent(defined(probable, name))}" for name in names]
    found = {"name": decided.positive_class, "threshold": percent(decided.threshold)}
    return t("by_threshold", **found, scores=" · ".join(scores))


def _interval(metrics: dict[str, Any], name: str) -> str:
    found = (metrics.get("intervals") or {}).get(name)
    return f"{written(found[0]).removesuffix(' %')} – {written(found[1])}" if found else MISSING


def _matrix(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry per true class: its name, and (count, share of the row, is it right) per answer."""
    found = []
    for index, counts in enumerate(metrics["confusion_matrix"]):
        total = sum(counts)
        cells = [
            (count, count / total if total else None, column == index) for column, count in enumerate(counts)
        ]
        found.append({"name": metrics["classes"][index], "cells": cells})
    return found


def _stages(summary: dict[str, Any], t: Words) -> list[dict[str, str]]:
    crossed = summary.get("cross_validation") or {}
    found = []
    for stage, parts in summary["stages"].items():
        parts = parts | ({"cross_validation": crossed[stage]} if stage in crossed else {})
        for part, scores in parts.items():
            row = {"stage": t(f"stage_{stage}"), "split": t(f"split_{part}"), "num": scores["num"]}
            row |= {name: percent(scores[name]) for name in ("accuracy", "balanced_accuracy", "f1")}
            found.append(row | {"interval": _interval(scores, "accuracy")})
    return found


def _examples(recorded: dict[str, Any], rows: list[dict[str, str]]) -> tuple[list[dict], list[dict]]:
    """(right ones, spread over the set; wrong ones, the surest first), each {uri, truth, said, p, file}."""
    paths = folders.paths_of(Path(str(recorded.get("data"))))
    right = [row for row in rows if row["truth"] == row["predicted"]]
    wrong = [row for row in rows if row["truth"] != row["predicted"]]
    wrong.sort(key=lambda row: -predictions.confidence(row))
    right = right[:: max(len(right) // NUM_RIGHT, 1)][:NUM_RIGHT]
    return _shown(right, paths), _shown(wrong[:NUM_WRONG], paths)


def _shown(rows: list[dict[str, str]], paths: dict[str, Path]) -> list[dict]:
    found = []
    for row in rows:
        about = {"truth": row["truth"], "said": row["predicted"], "p": percent(predictions.confidence(row))}
        found.append(about | {"file": row["file"], "uri": thumbnail(paths.get(row["file"]), THUMB_PX)})
    return found


def _settings(recorded: dict[str, Any], t: Words) -> list[tuple[str, str]]:
    rows = []
    for stage in STAGES:
        values = recorded.get(stage) or {}
        plan = t("plan", epochs=values.get("epochs"), rate=values.get("learning_rate"))
        rows.append((t(f"stage_{stage}"), plan if values.get("epochs") else t("skipped")))
    return rows + [(name, _plain(recorded[name])) for name in SETTINGS if name in recorded]


def _plain(value: Any) -> str:
    return MISSING if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _warnings(run: RunFolder, language: str) -> list[str]:
    """What the run warned of, each once."""
    raised = [event for event in EventLog(run.events_path).read() if isinstance(event, WarningRaised)]
    return list(dict.fromkeys(say(f"warning.{event.code}", language, **event.values) for event in raised))


def config_toml(run: RunFolder) -> str:
    """What the run set otherwise than its preset, as a file for `--config`; weights by the source used."""
    config, recorded = run.settings(), run.read_config()
    used = (recorded.get("weights_used") or {}).get("source", config.weights)
    mine, base = config.to_dict() | {"weights": used}, preset(config.preset).to_dict()
    lines, tables = [f"preset = {json.dumps(config.preset)}"], []
    for name, value in mine.items():
        if name == "preset" or value is None or value == base[name]:
            continue
        if isinstance(value, dict):
            inner = [f"{_toml_key(key)} = {json.dumps(one)}" for key, one in value.items()]
            tables += ["", f"[{name}]", *inner]
        else:
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines + tables)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def command(run: RunFolder) -> str:
    """What makes the run again, from the folder that holds the data's own."""
    data = shlex.quote(readable(Path(str(run.read_config().get("data", "DATA"))).name))
    again = shlex.quote(readable(run.name))
    return f"python -m tl_core train {data} --output {again}-again --config settings.toml"
