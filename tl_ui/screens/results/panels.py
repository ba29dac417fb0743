"""The panels of Results that explain the number: stages, mistakes, sureness, training curves."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from tl_core.evaluation.metrics import defined_per_class
from tl_core.runs import decision_rule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import state
from tl_ui.frame.steps import PAGES
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.stores.runs import predictions
from tl_ui.stores.runs.scores import (
    AtThreshold,
    Cell,
    at_threshold,
    by_rule,
    cells,
    confusions,
    probabilities_of,
    reported,
    rows_of,
)
from tl_ui.widgets import choice, run_picker, score_rows, which_rule
from tl_ui.widgets.plotting import charts
from tl_ui.widgets.plotting.curves import curves, legend
from tl_ui.widgets.plotting.liveplot import still

PANELS = ("stages", "mistakes", "sureness", "curves")


def panels(run: RunFolder, summary: dict[str, Any]) -> None:
    """One thing at a time; what is not chosen is not computed."""
    panel = choice.one_of(
        "panel", t("results.look_at"), PANELS, lambda name: t(f"results.panel_{name}"), first="stages"
    )
    with st.container(border=True, key="card_panel"):
        match panel:
            case "mistakes":
                _mistakes(run, summary)
            case "sureness":
                _sureness(run, summary)
            case "curves":
                _curves(run)
            case _:
                _stages(run, summary)


def _stages(run: RunFolder, summary: dict[str, Any]) -> None:
    found = cells(summary)
    st.markdown(f"#### {t('results.stages_title')}")
    metric = score_rows.pick_metric("metric")
    named = [(name_of(f"stage_{cell.stage}"), cell) for cell in found]
    rows = [score_rows.chart_row(cell, metric, name) for name, cell in named]
    still(
        charts.stage_scores(rows, name_of(metric), palette(), t),
        key="stage_scores",
        alt=t("results.stages_title"),
        height=330,
    )
    st.caption(t("results.stages_reads"))
    if decision_rule.read(run).threshold is not None:
        st.caption(t("runs.rule_probable_here"))
    st.caption(t("results.table_says"))
    by_stage: dict[str, dict[str, str]] = {}
    empty = {score_rows.split_words(cell): "–" for cell in found}
    for name, cell in named:
        row = by_stage.setdefault(name, {t("results.column_stage"): name} | empty)
        row[score_rows.split_words(cell)] = score_rows.words(cell, metric)
    st.dataframe(list(by_stage.values()), hide_index=True, width="stretch", key="stage_table")


def _pick_cell(summary: dict[str, Any], key: str) -> Cell:
    """Any stage and split; the reported one first."""
    found = [reported(summary), *cells(summary)]

    words = [f"{name_of(f'stage_{cell.stage}')} · {name_of(cell.split)}" for cell in found]
    words[0] = t("results.cell_reported", split=name_of(found[0].split))
    index = st.selectbox(t("results.cell"), range(len(found)), format_func=words.__getitem__, key=key)
    return found[index]


def _mistakes(run: RunFolder, summary: dict[str, Any]) -> None:
    st.markdown(f"#### {t('results.mistakes_title')}", help=help_of("confusion_matrix"))
    cell = _pick_cell(summary, "mistakes_cell")
    decided = decision_rule.read(run)
    ruled = by_rule(decided, predictions.rows(run), cell)
    if ruled and which_rule.choose(decided, "mistakes_rule"):
        cell = ruled
    side = min(340 + 26 * len(cell.metrics["classes"]), 760)
    still(
        charts.confusion(cell.metrics, palette(), t),
        key="confusion",
        alt=t("results.mistakes_title"),
        height=side,
    )
    worst = confusions(cell.metrics)
    for count, truth, said in worst:
        _mistake(cell, count, truth, said)
    if not worst:
        st.caption(t("results.no_mistake"))
    _per_class(cell)


def _mistake(cell: Cell, count: int, truth: str, said: str) -> None:
    """One kind of mistake, with the way to its pictures."""
    classes = cell.metrics["classes"]
    place = f"{classes.index(truth)},{classes.index(said)}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"mistake_{place.replace(',', '_')}"):
        words = t("results.mistake", count=number(count), truth=truth, said=said)
        st.html(f"<p>{escape(words)}</p>", width="content")
        st.page_link(
            PAGES["explore"],
            label=t("results.to_pictures"),
            icon=":material/photo_library:",
            query_params=state.link_params(
                explore_view="pictures", split=cell.split, stage=cell.stage, cell=place
            ),
        )


def _per_class(cell: Cell) -> None:
    st.markdown(f"**{t('results.per_class')}**")
    names = ("precision", "recall", "f1", "support")
    found = defined_per_class(cell.metrics)
    rows = [
        {t("results.class"): name}
        | {name_of(metric): percent(share) for metric, share in shares.items()}
        | {name_of("support"): number(cell.metrics["per_class"][name]["support"])}
        for name, shares in found.items()
    ]
    config = {name_of(name): st.column_config.TextColumn(help=help_of(name)) for name in names}
    st.dataframe(rows, hide_index=True, column_config=config, width="stretch", key="per_class")
    if any(share is None for shares in found.values() for share in shares.values()):
        st.caption(t("results.undefined"))


def _sureness(run: RunFolder, summary: dict[str, Any]) -> None:
    st.markdown(f"#### {t('results.sureness_title')}", help=help_of("probability"))
    classes = summary["classes"]
    cell = _pick_cell(summary, "sureness_cell")
    name = summary["positive_class"] or classes[0]
    if len(classes) > 2 or not summary["positive_class"]:
        name = st.selectbox(t("results.class"), classes, index=classes.index(name), key="sureness_class")
    rows = rows_of(predictions.rows(run), cell)
    if not rows:
        st.info(t("results.no_predictions"))
        return
    decided = decision_rule.read(run)
    saved = decided.threshold if decided.positive_class == name and decided.temperature is None else None
    threshold = st.slider(
        name_of("threshold"),
        0.01,
        0.99,
        min(max(round(saved or 0.5, 2), 0.01), 0.99),
        0.01,
        format="percent",
        help=help_of("threshold"),
        key="threshold",
    )
    truth = [row["truth"] for row in rows]
    still(
        charts.histogram(truth, probabilities_of(rows, name), classes, name, threshold, palette(), t),
        key="sureness",
        alt=t("results.sureness_title"),
        height=340,
    )
    found = at_threshold(rows, name, threshold)
    st.html(f"<p>{escape(_threshold_words(found, name))}</p>")
    with st.container(horizontal=True, key="numbers_threshold"):
        st.metric(name_of("recall"), percent(found.recall), help=help_of("recall"), width="content")
        st.metric(name_of("precision"), percent(found.precision), help=help_of("precision"), width="content")


def _threshold_words(found: AtThreshold, name: str) -> str:
    return t(
        "results.at_threshold",
        name=name,
        found=number(found.num_found),
        total=number(found.num_found + found.num_missed),
        false=number(found.num_false),
    )


def _curves(run: RunFolder) -> None:
    view = run_picker.view_of(run)
    for metric in ("accuracy", "loss"):
        st.markdown(f"**{t(f'train.chart_{metric}')}**", help=help_of(metric))
        words = t(f"train.chart_{metric}")
        still(curves(view, metric, palette(), t), key=f"curve_{metric}", alt=words, height=300)
    st.html(legend(view, palette(), t))
