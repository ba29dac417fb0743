"""Three beginnings on the same pictures with the same recipe: nothing, drawings, photographs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tl_core.models.weights.locate import recorded_name
from tl_ui.frame import state
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import Palette, palette
from tl_ui.lesson import presenter
from tl_ui.lesson.parts.csv_button import csv_button
from tl_ui.lesson.parts.runs import recorded_runs as recorded
from tl_ui.lesson.parts.runs import which_run
from tl_ui.widgets.html.network_strip import network_name, network_of
from tl_ui.widgets.plotting.charts import Figure, layout_of
from tl_ui.widgets.plotting.liveplot import still

BEGINNINGS = {name: f"from_{name}" for name in ("nothing", "drawings", "photographs")}
"""The recorded run of each. They differ in the weights, and with them in the network, alone."""
METRIC = "balanced_accuracy"


def scores() -> dict[str, tuple[float, float, float]]:
    """{beginning: (balanced accuracy on the test pictures, low, high of its 95 % interval)}."""
    found = {}
    for name, run in BEGINNINGS.items():
        metrics = recorded.summary(run)["reported"]["metrics"]
        found[name] = (metrics[METRIC], *metrics["intervals"][METRIC])
    return found


def values() -> dict[str, str]:
    """For the words: what each beginning reached."""
    return {name: percent(value, 0) for name, (value, _, _) in scores().items()}


def show() -> None:
    which_run.badge()
    st.markdown(f"**{t('lesson_transferred.beginnings_chart')}**", help=help_of("interval"))
    still(
        presenter.sized(chart(palette())),
        key="beginnings_chart",
        alt=t("lesson_transferred.beginnings_chart"),
        height=presenter.chart_px(290, 184),
    )
    table = [_row(name, run) for name, run in BEGINNINGS.items()]
    st.dataframe(table, hide_index=True, key="beginnings_table", row_height=presenter.row_px())
    st.caption(t("lesson_transferred.beginnings_note"))
    csv_button(table, "three_beginnings")


def _row(name: str, run: str) -> dict[str, Any]:
    summary = recorded.summary(run)
    value, low, high = scores()[name]
    return {
        t("lesson_transferred.beginning"): t(f"lesson_transferred.from_{name}"),
        t("lesson_transferred.row_weights"): recorded_name(summary["weights"], state.language()),
        t("train.network"): network_name(network_of(recorded.config(run))),
        t("lesson_transferred.row_pictures"): number(summary["split"]["train"]),
        name_of(METRIC): f"{percent(value)} ({percent(low, 0)} – {percent(high, 0)})",
    }


def chart(colours: Palette) -> Figure:
    """A point with its interval for each; the dotted line is guessing."""
    looks = {"nothing": colours.removed, "drawings": colours.backbone, "photographs": colours.good}
    data = [
        {
            "type": "scatter", "mode": "markers+text", "x": [value],
            "y": [t(f"lesson_transferred.from_{name}")],
            "text": [percent(value, 0)], "textposition": "top center", "cliponaxis": False,
            "marker": {"size": 13, "color": looks[name]},
            "error_x": {
                "type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
                "color": looks[name], "thickness": 3, "width": 8,
            },
            "hovertemplate": f"{percent(value)} ({percent(low, 0)} – {percent(high, 0)})<extra></extra>",
        }
        for name, (value, low, high) in scores().items()
    ]  # fmt: skip
    layout = layout_of(colours) | {"showlegend": False}
    layout["xaxis"]["title"]["text"] = f"{name_of(METRIC)} · {name_of('test')}"
    layout["xaxis"] |= {"range": [0.4, 1.02], "tickformat": ".0%", "dtick": 0.1}
    layout["yaxis"] |= {"type": "category", "showgrid": False, "autorange": "reversed"}
    layout["shapes"] = [
        {
            "type": "line", "layer": "below", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": colours.muted, "width": 2, "dash": "dot"},
        }
    ]  # fmt: skip
    return {"data": data, "layout": layout}
