"""Results around its panels: the one number, what to keep in mind, and the files to take along."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from tl_core.base.files.file_names import readable
from tl_core.base.messages import say
from tl_core.compute import repetition
from tl_core.evaluation.metrics import METRICS
from tl_core.models.weights.locate import recorded_name
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell, state
from tl_ui.frame.text import help_of, literal, name_of, number, percent, t
from tl_ui.stores.runs import predictions
from tl_ui.stores.runs.scores import Cell, by_rule, chance, reported
from tl_ui.widgets import downloads, run_picker, setting_words, which_rule
from tl_ui.widgets.score_rows import between

DOWNLOADS = (
    "metrics/summary.txt",
    "metrics/summary.json",
    "metrics/predictions.csv",
    "logs/training_log.json",
    "models/final.safetensors",
    "plots/curves.png",
    "plots/confusion_matrix.png",
    "plots/probability_histogram.png",
)


def verdict(run: RunFolder, summary: dict[str, Any]) -> None:
    """The reported accuracy, how far it can be trusted, and where it comes from: as Classify answers, by the
    saved threshold where there is one. Raises: RunDamaged: decision.json."""
    probable = reported(summary)
    decided = decision_rule.read(run)
    ruled = by_rule(decided, predictions.rows(run), probable)
    cell = ruled or probable
    accuracy, interval = cell.value("accuracy"), cell.interval("accuracy")
    folds, num = summary["split"]["folds"], number(cell.metrics["num"])
    source = t(f"results.from_{cell.split}", count=num, folds=folds)
    if summary.get("cross_validated") == "head" and summary["final_stage"] != "head":
        source += " " + t("results.head_alone")
    right = sum(row[i] for i, row in enumerate(cell.metrics["confusion_matrix"]))
    with st.container(border=True, key="card_verdict"):
        st.markdown(f"**{name_of('accuracy')}**", help=f"{help_of('accuracy')} {help_of('interval')}")
        counted = t("results.right_of", right=number(right), count=num)
        st.html(
            f'<div class="hs-verdict"><b>{percent(accuracy)}</b><div><p>{escape(counted)}</p>'
            f"<p><small>{escape(source)}</small></p></div>{_range(accuracy, interval)}</div>"
        )
        st.caption(_blind(cell), help=t("results.blind_help"))
        if ruled:
            _other_rule(decided, probable)
        with st.container(horizontal=True, key="numbers"):
            for metric in METRICS[1:]:
                st.metric(
                    name_of(metric),
                    percent(cell.value(metric)),
                    help=help_of(metric),
                    delta=between(cell.interval(metric)),
                    delta_color="off",
                    delta_arrow="off",
                    width="content",
                )
        if any(cell.value(metric) is None for metric in ("precision", "recall")):
            st.caption(t("results.undefined"))
        if summary["positive_class"] and len(summary["classes"]) == 2:
            words = t("results.positive_is", name=literal(summary["positive_class"]))
            st.caption(words, help=help_of("positive_class"))
        else:
            st.caption(t("results.averaged", count=len(summary["classes"])))


def _blind(cell: Cell) -> str:
    """What answers that look at no picture would come to."""
    blind = chance(cell.metrics)
    return t("results.blind", chance=percent(blind["chance"]), majority=percent(blind["majority"]))


def _other_rule(decided: DecisionRule, probable: Cell) -> None:
    """By which rule the numbers above are, and the other rule's beside them."""
    scores = " · ".join(
        f"{name_of(metric)} {percent(probable.value(metric))}"
        for metric in ("accuracy", "balanced_accuracy", "f1", "precision", "recall")
    )
    words = t("results.other_rule", saved=which_rule.words(decided), scores=scores)
    st.info(words, icon=":material/tune:")


def _range(value: float, interval: tuple[float, float] | None) -> str:
    """The interval as a bar on a fixed 0 to 100 %, the value as a line in it."""
    if interval is None:
        return ""
    low, high = interval
    says = t("results.between", low=percent(low, 0), high=percent(high, 0))
    return (
        f'<div class="hs-range" role="img" aria-label="{escape(says)}">'
        '<i class="whole"></i>'
        f'<i class="range" style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></i>'
        f'<u style="left:calc({100 * value:.1f}% - 1px)"></u>'
        f'<span style="left:{min(max(50 * (low + high), 30), 70):.1f}%">{escape(says)}</span></div>'
    )


def origin(summary: dict[str, Any]) -> None:
    """Which stage became the model, and whose knowledge it started from."""
    stage, weights = summary["final_stage"], summary["weights"]
    best = (summary.get("best") or {}).get(stage) or {}
    words = "results.final_is" if len(summary.get("best") or {}) > 1 else "results.final_only"
    lines = [t(words, stage=name_of(f"stage_{stage}"), epoch=best.get("epoch", "–"))]
    label = recorded_name(weights, state.language())
    why = say(f"why.{weights['why']}", state.language())
    kind = "results.knowledge" if weights["is_pretrained"] else "results.no_knowledge"
    lines.append(t(kind, label=label) + " " + why)
    st.markdown("\n".join(f"- {line}" for line in lines))


def warnings(run: RunFolder, summary: dict[str, Any]) -> None:
    """What to keep in mind when reading the number, in plain words."""
    for warning in run_picker.view_of(run).warnings:
        st.warning(run_picker.warning_text(warning.code, warning.values), icon=":material/warning:")
    if (other := repetition.computed_otherwise(config := run.read_config())) is not None:
        name, used = other
        theirs, ours = setting_words.computed(used), setting_words.computed(config["device_used"])
        words = t("results.computed_otherwise", name=literal(name), theirs=theirs, ours=ours)
        st.info(words, icon=":material/memory:")
    if (num := summary["reported"]["metrics"]["num"]) < 50:
        st.info(t("results.few_pictures", count=num), icon=":material/info:")


def files(run: RunFolder) -> None:
    """The files of the run folder that are worth taking along."""
    st.markdown(f"#### {t('results.downloads')}")
    language = state.language()  # where the report is made, in a thread of its own, no browser is known
    with st.container(horizontal=True, key="downloads"):
        downloads.button(
            t("results.report"),
            lambda: _report(run, language),
            f"{run.name}-report.html",
            key="get_report",
            icon=":material/print:",
            help=t("results.report_says"),
        )
        for name in DOWNLOADS:
            path = run.path / name
            if path.is_file():
                downloads.button(
                    path.name, path.read_bytes, f"{run.name}-{path.name}", key=f"get_{path.name}"
                )
    st.caption(t("results.downloads_says", folder=literal(readable(str(run.path)))))


def _report(run: RunFolder, language: str) -> bytes:
    """Made when it is asked for: it reads pictures."""
    from tl_core.runs.report.page import render

    return render(run, language).encode()


def nothing_yet(runs: Sequence[RunFolder]) -> None:
    """No finished run: say what is missing and where to get it."""
    st.info(t("results.none_running") if runs else t("results.none"), icon=":material/hourglass_empty:")
    shell.link("train", t("results.to_train"), icon=":material/arrow_forward:")
