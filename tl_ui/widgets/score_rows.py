"""Scores with their intervals, cell by cell: the metric's picker, rows of charts and tables."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tl_core.evaluation.metrics import METRICS
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.stores.runs.scores import Cell
from tl_ui.widgets import choice


def pick_metric(key: str) -> str:
    """The chosen metric, with its plain-words explanation underneath."""
    metric = choice.one_of(key, t("results.metric"), METRICS, name_of, first="accuracy")
    st.caption(help_of(metric))
    return metric


def chart_row(cell: Cell, metric: str, name: str) -> dict[str, Any]:
    """For `charts.stage_scores`; name: what the row is called."""
    low, high = cell.interval(metric) or (None, None)
    return {
        "stage": name, "split": name_of(cell.split), "value": cell.value(metric), "low": low, "high": high,
    }  # fmt: skip


def words(cell: Cell, metric: str) -> str:
    """The value, and its interval in brackets where there is one."""
    value, interval = percent(cell.value(metric)), cell.interval(metric)
    return f"{value}  ({100 * interval[0]:.0f}–{100 * interval[1]:.0f})" if interval else value


def split_words(cell: Cell) -> str:
    """Which pictures, and how many."""
    return f"{name_of(cell.split)} ({number(cell.metrics['num'])})"


def table_row(cell: Cell) -> dict[str, str]:
    """Where the pictures are from, and every metric, under their names."""
    return {t("results.column_split"): split_words(cell)} | {name_of(m): words(cell, m) for m in METRICS}


def between(interval: tuple[float, float] | None) -> str | None:
    """An interval in words: "84 % – 97 %"."""
    return f"{percent(interval[0], 0)} – {percent(interval[1], 0)}" if interval else None
