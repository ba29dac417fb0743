"""Step 7: reading the result: the matrix behind the metrics, the threshold, overfitting, what to try next."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from tl_ui.frame.text import help_of, literal, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.lesson import presenter
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts.csv_button import csv_button
from tl_ui.lesson.parts.runs import advice_view, which_run
from tl_ui.lesson.parts.runs.which_run import Shown
from tl_ui.stores.runs import predictions
from tl_ui.stores.runs.run_view import epoch_rows
from tl_ui.stores.runs.scores import Cell, at_threshold, probabilities_of, reported, rows_of
from tl_ui.widgets import choice, run_picker
from tl_ui.widgets.plotting import charts
from tl_ui.widgets.plotting.curves import curves, legend
from tl_ui.widgets.plotting.liveplot import still

SHOWN = ("accuracy", "precision", "recall", "f1")


def _result() -> tuple[Shown, dict[str, Any], Cell]:
    """The chosen finished run, its summary and the scores it stands for."""
    shown = which_run.finished()
    summary = shown.summary()
    assert summary is not None  # only runs with results are offered
    return shown, summary, reported(summary)


def accuracy() -> None:
    """This run's accuracy beside that of a model which always gives the commonest answer."""
    _, _, cell = _result()
    supports = {name: scores["support"] for name, scores in cell.metrics["per_class"].items()}
    commonest = max(supports, key=supports.__getitem__)
    lazy = supports[commonest] / cell.metrics["num"]
    interval = cell.interval("accuracy")
    with st.container(horizontal=True, key="numbers_lazy"):
        st.metric(t("lesson_reading.this_run"), percent(cell.value("accuracy")), help=help_of("accuracy"))
        st.metric(t("lesson_reading.lazy"), percent(lazy), help=t("lesson_reading.lazy_help"))
        balanced = percent(cell.value("balanced_accuracy"))
        st.metric(name_of("balanced_accuracy"), balanced, help=help_of("balanced_accuracy"))
    if interval:
        low, high = percent(interval[0], 0), percent(interval[1], 0)
        st.markdown(t("lesson_reading.between", low=low, high=high), help=help_of("interval"))
    rows = "".join(
        f"<span>{escape(name)}</span><i><u style='width:{100 * scores['recall']:.1f}%'></u></i>"
        f"<b>{percent(scores['recall'])}</b>"
        for name, scores in cell.metrics["per_class"].items()
    )
    st.markdown(f"**{t('lesson_reading.per_class')}**", help=help_of("recall"))
    st.html(f'<div class="hs-change">{rows}</div>')
    advice_view.judged_on(cell)


def matrix() -> None:
    """One metric at a time: which cells of the matrix it reads."""
    _, summary, cell = _result()
    labels = {name: name_of(name) for name in SHOWN}
    metric = choice.one_of("matrix_metric", t("results.metric"), SHOWN, labels.get, first="precision")
    named, classes = summary["positive_class"], summary["classes"]
    if metric == "accuracy":
        sought = [named or classes[0]]  # it asks for no class
    elif not named and len(classes) == 2:
        sought = classes  # both ways round: the numbers differ
    else:
        sought = [_sought(summary, "matrix_class")]
    for column, positive in zip(st.columns(len(sought)), sought, strict=True):
        with column:
            st.html(_matrix_table(cell.metrics, positive, metric))
            st.markdown(_arithmetic(cell.metrics, positive, metric), help=help_of(metric))
            if named or metric != "accuracy":
                words = t("results.positive_is", name=literal(positive))
                st.caption(words, help=help_of("positive_class"))
    advice_view.judged_on(cell)


def _sought(summary: dict[str, Any], key: str) -> str:
    """The positive class; of a run that names none the one that is chosen here."""
    classes: list[str] = summary["classes"]
    return summary["positive_class"] or choice.one_of(
        key, t("explore.threshold_ask"), classes, literal, is_labelled=True
    )


def _cells(metrics: dict[str, Any], positive: str) -> tuple[int, int, int]:
    """(found, missed, false alarms) for the positive class."""
    counts, at = metrics["confusion_matrix"], metrics["classes"].index(positive)
    found = counts[at][at]
    return found, sum(counts[at]) - found, sum(row[at] for row in counts) - found


def _matrix_table(metrics: dict[str, Any], positive: str, metric: str) -> str:
    """The confusion matrix with the cells that the metric reads: green counts for it, red against."""
    classes, counts = metrics["classes"], metrics["confusion_matrix"]
    at = classes.index(positive)
    head = "".join(f"<th>{escape(name)}</th>" for name in classes)
    body = ""
    for r, name in enumerate(classes):
        cells = "".join(
            f'<td class="{_role(r, c, at, metric)}">{counts[r][c]}</td>' for c in range(len(classes))
        )
        body += f"<tr><th>{escape(name)}</th>{cells}</tr>"
    said, truth = t("results.axis_said"), t("results.axis_truth")
    return (
        f'<table class="hs-matrix"><caption>{said} →</caption><tr><th>{truth} ↓</th>{head}</tr>{body}</table>'
    )


def _role(row: int, column: int, positive: int, metric: str) -> str:
    if metric == "accuracy":
        return "for" if row == column else "against"
    if row == column == positive:
        return "for"
    in_row, in_column = row == positive, column == positive
    if (metric in ("recall", "f1") and in_row) or (metric in ("precision", "f1") and in_column):
        return "against"
    return "rest"


def _arithmetic(metrics: dict[str, Any], positive: str, metric: str) -> str:
    found, missed, false = _cells(metrics, positive)
    if len(metrics["classes"]) > 2 and metric != "accuracy":
        scores = metrics["per_class"][positive]
        return t(
            "lesson_reading.sum_class",
            metric=name_of(metric),
            name=literal(positive),
            value=percent(scores[metric]),
        )
    right = sum(row[i] for i, row in enumerate(metrics["confusion_matrix"]))
    sums = {
        "accuracy": (right, metrics["num"]),
        "precision": (found, found + false),
        "recall": (found, found + missed),
        "f1": (2 * found, 2 * found + missed + false),
    }
    top, bottom = sums[metric]
    value = percent(top / bottom) if bottom else "–"
    return t(f"lesson_reading.sum_{metric}", top=number(top), bottom=number(bottom), value=value)


def threshold() -> None:
    """Move the threshold: what is found, what is missed, what is a false alarm."""
    shown, summary, cell = _result()
    name = _sought(summary, "threshold_class")
    rows = rows_of(predictions.rows(shown.run), cell)
    if not rows:
        st.info(t("results.no_predictions"))
        return
    limit = st.slider(
        name_of("threshold"), 0.05, 0.95, 0.5, 0.05, format="percent", help=help_of("threshold"),
        key="lesson_threshold",
    )  # fmt: skip
    truth = [row["truth"] for row in rows]
    figure = charts.histogram(
        truth, probabilities_of(rows, name), summary["classes"], name, limit, palette(), t
    )
    st.markdown(f"**{t('lesson_reading.threshold_chart')}**", help=help_of("probability"))
    still(presenter.sized(figure), key="lesson_sureness", alt=t("lesson_reading.threshold_chart"), height=280)
    found = at_threshold(rows, name, limit)
    with st.container(horizontal=True, key="numbers_limit"):
        st.metric(t("lesson_reading.found"), number(found.num_found), width="content")
        st.metric(t("lesson_reading.missed"), number(found.num_missed), width="content")
        st.metric(t("lesson_reading.false"), number(found.num_false), width="content")
        st.metric(name_of("recall"), percent(found.recall), help=help_of("recall"), width="content")
        st.metric(name_of("precision"), percent(found.precision), help=help_of("precision"), width="content")
    st.caption(t("lesson_reading.threshold_note"))
    csv_button(rows, "probabilities")


def overfitting() -> None:
    """The gap between learning pictures and unseen ones, in the curves and in numbers."""
    shown, summary, cell = _result()
    view = run_picker.view_of(shown.run)
    st.markdown(f"**{t('lesson_reading.gap_chart')}**", help=help_of("loss"))
    still(
        presenter.sized(curves(view, "loss", palette(), t)),
        key="gap_chart",
        alt=t("lesson_reading.gap_chart"),
        height=290,
    )
    st.html(legend(view, palette(), t))
    scores = summary["stages"][summary["final_stage"]]
    train, val = scores["train"]["accuracy"], scores["val"]["accuracy"]
    with st.container(horizontal=True, key="numbers_gap"):
        st.metric(name_of("train"), percent(train), help=help_of("train"), width="content")
        st.metric(name_of("val"), percent(val), help=help_of("val"), width="content")
        st.metric(_judged(cell), _with_interval(cell), help=help_of("interval"), width="content")
        gap = t("lesson_reading.points", points=number(100 * (train - val), 1))
        st.metric(t("lesson_reading.gap"), gap, width="content")
    csv_button(epoch_rows(view), "epochs")


def _judged(cell: Cell) -> str:
    return f"{name_of(cell.split)} ({name_of('interval')})"


def _with_interval(cell: Cell) -> str:
    low, high = cell.interval("accuracy") or (None, None)
    return f"{percent(cell.value('accuracy'))} ({percent(low, 0)} – {percent(high, 0)})"


IDEAS = {
    "accuracy": Idea(accuracy, code=("tl_core.evaluation.metrics:wilson",)),
    "matrix": Idea(matrix, code=("tl_core.evaluation.metrics:evaluate",)),
    "threshold": Idea(threshold, code=("tl_ui.stores.runs.scores:at_threshold",)),
    "overfitting": Idea(overfitting, code=("tl_core.training.trainer:Trainer._validate",), predicts=True),
    "advice": Idea(
        advice_view.show, code=("tl_core.runs.report.advice:_overfitting", "tl_core.runs.report.advice:_weak")
    ),
}
