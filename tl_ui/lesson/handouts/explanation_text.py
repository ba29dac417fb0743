"""The answer to "what did you do?", in sentences: the templates of the catalogue, the numbers of a run.

Pure: knows no page. Without a run every number is a blank to be filled in by hand.
"""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import Any

from tl_core.base.messages import say
from tl_core.base.stages import STAGES
from tl_core.models.families.registry import architecture
from tl_core.models.weights.locate import recorded_name
from tl_core.models.weights.record import B0
from tl_core.runs.report.run_facts import Facts, StageFacts
from tl_ui.frame.text import catalogue, number, percent
from tl_ui.widgets.plotting.charts import Words
from tl_ui.widgets.plotting.curves import rate

BLANK = "______"
FEW_PICTURES = 50
"""Below this the Results page warns, too: one picture moves the number by whole percents."""

Section = tuple[str, list[str]]


def answer(facts: Facts | None, language: str) -> str:
    """The whole answer as plain text, ready to be edited; with blanks when there is no run."""
    t = words_in(language)
    sections = _sections(facts, language, t) if facts else _blank(language)
    parts = [t("explain.opening")]
    for place, (title, lines) in enumerate(sections, start=1):
        parts.append("\n".join([f"{place}. {title}", *lines]))
    parts.append(_closing(facts, t))
    return "\n\n".join(parts) + "\n"


def _closing(facts: Facts | None, t: Words) -> str:
    if facts and not facts.weights["is_pretrained"]:
        return t("explain.closing_scratch")
    return t("explain.closing", new=len(facts.classes) if facts else BLANK)


def words_in(language: str) -> Words:
    """`t` of one language, whatever the page's language is."""

    def t(key: str, **values: Any) -> str:
        return catalogue(language)[key].format(**values)

    return t


def as_html(text: str) -> str:
    """Paragraphs; a block whose first line is numbered gets it as its heading. Text stays text."""
    blocks = []
    for block in text.strip().split("\n\n"):
        lines = [escape(line) for line in block.splitlines()]
        if lines and lines[0].partition(".")[0].isdigit():
            blocks.append(f"<h2>{lines[0]}</h2>")
            lines = lines[1:]
        if lines:
            blocks.append(f"<p>{'<br>'.join(lines)}</p>")
    return "\n".join(blocks)


def _sections(facts: Facts, language: str, t: Words) -> list[Section]:
    return [
        (t("explain.title_model"), _model(facts, language, t)),
        (t("explain.title_head"), _head(facts, t)),
        (t("explain.title_pictures"), _pictures(facts, t)),
        (t("explain.title_training"), _training(facts, t)),
        (t("explain.title_result"), _result(facts, t)),
        (t("explain.title_limits"), _limits(facts, t)),
    ]


def _model(facts: Facts, language: str, t: Words) -> list[str]:
    label = recorded_name(facts.weights, language)
    values = {"model": architecture(network_of(facts)).label, "library": facts.library, "weights": label}
    if not facts.weights["is_pretrained"]:
        return [t("explain.scratch", **values)]
    lines = [t("explain.model", **values), say(f"why.{facts.weights['why']}", language)]
    if facts.num_old:
        lines.append(t("explain.knew", old=number(facts.num_old)))
    return lines


def _head(facts: Facts, t: Words) -> list[str]:
    # sizes inside Linear(…) are written as in code, without separators
    width, new = facts.width or BLANK, len(facts.classes)
    size = [t("explain.head_size", count=number(facts.num_head))] if facts.num_head else []
    if not facts.weights["is_pretrained"]:
        return [t("explain.head_scratch", width=width, new=new), *size]
    lines = [t("explain.out", width=width, old=facts.num_old or BLANK), t("explain.in", width=width, new=new)]
    old = number(facts.num_old) if facts.num_old else BLANK
    return [*lines, *size, t("explain.not_added", old=old, new=number(new))]


def _pictures(facts: Facts, t: Words) -> list[str]:
    lines = [t("explain.labels", classes=", ".join(facts.classes)), t("explain.split_first")]
    for name, counts in facts.pictures.items():
        parts = ", ".join(t(f"explain.part_{split}", count=number(n)) for split, n in counts.items())
        lines.append(f"- {name}: {parts}")
    return lines


def _training(facts: Facts, t: Words) -> list[str]:
    lines = [_stage(stage, facts, t) for stage in facts.stages]
    if len(facts.stages) > 1:
        final = STAGES[facts.final_stage]
        is_first = final.name == facts.stages[0].name
        lines.append(t(f"explain.chosen_{'first' if is_first else 'later'}", stage=final.number))
    return lines


def _stage(stage: StageFacts, facts: Facts, t: Words) -> str:
    values = {
        "epochs": number(stage.num_epochs),
        "planned": number(stage.num_planned),
        "rate": rate(stage.rate),
        "best": number(stage.best_epoch),
    }
    row = STAGES[stage.name]
    if not row.moves_backbone:
        words = t("explain.stage_head", **values)
    elif row.learns == "whole" or facts.is_whole_network:
        words = t("explain.stage_whole", stage=row.number, **values)
    else:
        words = t("explain.stage_finetune", blocks=_last_units(facts, t), **values)
    if stage.last_rate < stage.rate:
        words += " " + t("explain.dropped", last=rate(stage.last_rate))
    return words


def network_of(facts: Facts) -> str:
    """timm's name of the network; runs of before there was a choice are EfficientNet-B0."""
    return facts.weights.get("backbone") or B0


def _last_units(facts: Facts, t: Words) -> str:
    one = architecture(network_of(facts))
    return t(
        f"network.explain_{one.family.unit}",
        blocks=number(facts.unfreeze_blocks),
        count=number(one.num_units),
    )


def _result(facts: Facts, t: Words) -> list[str]:
    scores = facts.metrics
    low, high = scores["intervals"]["accuracy"]
    counted = {"num": number(scores["num"]), "right": number(facts.num_right)}
    lines = [
        t(f"explain.from_{facts.split}", folds=facts.folds, **counted),
        t("explain.accuracy", value=percent(scores["accuracy"]), low=percent(low, 0), high=percent(high, 0)),
    ]
    for metric in ("recall", "precision"):
        if facts.positive and len(facts.classes) == 2 and scores.get(metric) is not None:
            lines.append(t(f"explain.{metric}", name=facts.positive, value=percent(scores[metric])))
    return lines


def _limits(facts: Facts, t: Words) -> list[str]:
    num = facts.metrics["num"]
    low, high = facts.metrics["intervals"]["accuracy"]
    lines = [t("explain.wide", num=number(num), points=number(100 * (high - low)))]
    if num < FEW_PICTURES:
        lines.append(t("explain.few"))
    if facts.split == "val":
        lines.append(t("explain.val_is_optimistic"))
    if facts.leak_exact or facts.leak_near:
        lines.append(t("explain.leak", count=number(facts.leak_exact + facts.leak_near)))
    if facts.weights["source"] == "formula":
        lines.append(t("explain.formula"))
    return [*lines, t("explain.only_these", classes=", ".join(facts.classes))]


def _blank(language: str) -> list[Section]:
    """The usual sentences of a run with both stages and a test part, every value a blank."""

    def t(key: str, **_: Any) -> str:
        return catalogue(language)[key].format_map(defaultdict(lambda: BLANK))

    parts = ", ".join([t("explain.part_train"), t("explain.part_val"), t("explain.part_test")])
    return [
        (t("explain.title_model"), [t("explain.model"), t("explain.knew")]),
        (t("explain.title_head"), [t("explain.out"), t("explain.in"), t("explain.not_added")]),
        (
            t("explain.title_pictures"),
            [t("explain.labels"), t("explain.split_first"), f"- {BLANK}: {parts}", f"- {BLANK}: {parts}"],
        ),
        (
            t("explain.title_training"),
            [t("explain.stage_head"), t("explain.stage_finetune"), t("explain.chosen_later")],
        ),
        (
            t("explain.title_result"),
            [t("explain.from_test"), t("explain.accuracy"), t("explain.recall"), t("explain.precision")],
        ),
        (t("explain.title_limits"), [t("explain.wide"), t("explain.only_these")]),
    ]
