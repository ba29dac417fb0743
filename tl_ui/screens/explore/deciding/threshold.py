"""Explore, threshold: one slider moves every number together; chosen on validation, judged on test."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st

from tl_core.evaluation import threshold
from tl_core.evaluation.threshold import AtThreshold
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame.text import help_of, literal, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.screens.explore.deciding import curves as explore_curves
from tl_ui.screens.explore.deciding import decide as explore_decide
from tl_ui.stores.runs.predictions import Predictions
from tl_ui.widgets import downloads
from tl_ui.widgets.plotting import charts
from tl_ui.widgets.plotting.liveplot import still

LEAST, MOST = 0.001, 0.999
"""Ends of the slider."""


def draw(run: RunFolder, found: Predictions) -> None:
    """Raises: RunDamaged: decision.json."""
    if len(found.classes) != 2:
        st.info(t("explore.threshold_two", count=len(found.classes)), icon=":material/info:")
        return
    decided = decision_rule.read(run)
    key = f"explore_threshold_{run.name}"
    if not found.positive:
        sought = _ask(found.classes, decided, key)
        if not sought:
            return
        found, key = replace(found, positive=sought), f"{key}_{found.classes.index(sought)}"
    curves = {split: _positive(found, split, decided) for split in _splits(found)}
    if key not in st.session_state:
        # a temperature can leave a threshold nearer to 0 or 1 than the slider goes
        saved = decided.threshold if decided.positive_class == found.positive else None
        st.session_state[key] = min(max(round(saved or 0.5, 3), LEAST), MOST)
    with st.container(border=True, key="card_threshold"):
        st.markdown(f"#### {t('explore.threshold_title')}", help=help_of("threshold"))
        st.caption(t("explore.threshold_says", name=literal(found.positive)), help=help_of("positive_class"))
        value = st.slider(
            t("explore.threshold_from", name=literal(found.positive)),
            LEAST,
            MOST,
            step=0.001,
            format="percent",
            key=key,
        )
        _numbers(found, curves, value)
    with st.container(border=True, key="card_cost"):
        explore_decide.cost(found, curves, key)
    with st.container(border=True, key="card_save"):
        explore_decide.save(run, found, decided, value, len(curves["val"][0]) if "val" in curves else 0)


def _ask(classes: list[str], decided: DecisionRule, key: str) -> str | None:
    """Which class is looked for, of a run that names none: a threshold is one class's."""
    return st.segmented_control(
        t("explore.threshold_ask"),
        classes,
        default=decided.positive_class,
        format_func=literal,
        help=help_of("positive_class"),
        key=f"{key}_sought",
    )


def _splits(found: Predictions) -> list[str]:
    """What chooses, then what judges."""
    judged = found.judged
    return [name for name in dict.fromkeys(("val", judged)) if found.final(name) is not None]


def _positive(found: Predictions, split: str, decided: DecisionRule) -> tuple[np.ndarray, np.ndarray]:
    """(N,) is it positive, (N,) its probability as Classify shows it."""
    answers = found.final(split)
    assert answers is not None  # _splits has looked
    column = found.classes.index(found.positive)
    return answers.truth == column, decided.probabilities(answers.p)[:, column]


def _numbers(found: Predictions, curves: dict[str, tuple[np.ndarray, np.ndarray]], value: float) -> None:
    counts = {split: threshold.at_threshold(*pair, value) for split, pair in curves.items()}
    judged = found.judged
    now = counts[judged]
    st.html(f'<p class="hs-say">{escape(_words(now, found.positive, name_of(judged)))}</p>')
    with st.container(horizontal=True, key="threshold_numbers"):
        for metric, interval in (
            ("precision", now.precision_interval), ("recall", now.recall_interval), ("f1", None),
        ):  # fmt: skip
            st.metric(
                name_of(metric), percent(getattr(now, metric)), help=help_of(metric), width="content",
                delta=f"{percent(interval[0], 0)} – {percent(interval[1], 0)}" if interval else None,
                delta_color="off", delta_arrow="off",
            )  # fmt: skip
    columns = st.columns(3, gap="medium")
    with columns[0]:
        st.markdown(f"**{t('explore.matrix_of', split=name_of(judged))}**", help=help_of("confusion_matrix"))
        _matrix(found, now)
    for column, kind in zip(columns[1:], ("roc", "pr"), strict=True):
        with column:
            st.markdown(f"**{t(f'explore.{kind}_title')}**", help=help_of(f"{kind}_curve"))
            still(
                _curve(kind, curves, counts, judged),
                key=f"curve_{kind}",
                alt=t(f"explore.{kind}_title"),
                height=300,
            )
    table = [_row(split, found_at) for split, found_at in counts.items()]
    st.dataframe(table, hide_index=True, key="threshold_table")
    downloads.table_button(lambda: _sweep(curves), "thresholds.csv", key="csv_threshold")


def _words(now: AtThreshold, name: str, split: str) -> str:
    return t(
        "explore.at_threshold",
        split=split,
        name=name,
        found=number(now.num_found),
        total=number(now.num_found + now.num_missed),
        missed=number(now.num_missed),
        false=number(now.num_false),
    )


def _matrix(found: Predictions, now: AtThreshold) -> None:
    rows = [[now.num_found, now.num_missed], [now.num_false, now.num_rest]]
    if found.classes[1] == found.positive:
        rows = [row[::-1] for row in rows[::-1]]
    figure = charts.confusion({"confusion_matrix": rows, "classes": found.classes}, palette(), t)
    figure["data"][0]["showscale"] = False
    still(figure, key="threshold_matrix", alt=name_of("confusion_matrix"), height=300)


def _curve(
    kind: str, curves: dict[str, tuple[np.ndarray, np.ndarray]], counts: dict[str, AtThreshold], judged: str
) -> charts.Figure:
    lines = []
    for split, pair in curves.items():
        now = counts[split]
        if not 0 < pair[0].sum() < len(pair[0]):
            continue
        if kind == "roc":
            x, y = threshold.roc_curve(*pair)
            point = (now.false_alarm_rate, now.recall)
        else:
            x, y = threshold.precision_recall_curve(*pair)
            point = (now.recall, now.precision)
        lines.append({"name": name_of(split), "x": x, "y": y, "point": point, "is_main": split == judged})
    recall = name_of("recall")
    axes = (t("explore.axis_alarms"), recall) if kind == "roc" else (recall, name_of("precision"))
    return explore_curves.operating_curve(lines, axes, palette(), is_chance=kind == "roc")


def _row(split: str, now: AtThreshold) -> dict[str, str]:
    return {
        name_of("split"): name_of(split),
        name_of("support"): number(now.num),
        t("explore.column_missed"): number(now.num_missed),
        t("explore.column_false"): number(now.num_false),
        name_of("recall"): percent(now.recall),
        name_of("precision"): percent(now.precision),
        name_of("f1"): percent(now.f1),
    }


def _sweep(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, list]:
    """Every threshold of the slider on every split, as columns."""
    columns: dict[str, list] = {
        name: [] for name in ("split", "threshold", "found", "missed", "false", "rest")
    }
    for split, pair in curves.items():
        for value in threshold.GRID[9::10]:
            now = threshold.at_threshold(*pair, value)
            row = (split, value, now.num_found, now.num_missed, now.num_false, now.num_rest)
            for name, item in zip(columns, row, strict=True):
                columns[name].append(item)
    return columns
