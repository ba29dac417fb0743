"""Explore's charts of pictures and stages as plain Plotly figures. Pure: numbers and words in, figure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tl_core.base.percent import percent
from tl_ui.frame.theme import Palette
from tl_ui.widgets.plotting.charts import Figure, Words, confusion, layout_of, whiskers

MANY = 3
"""Classes above which a cell has room for its count alone."""


def stage_colours(colours: Palette) -> dict[str, tuple[str, str]]:
    """{stage: (colour, symbol)}: grey untouched, orange the new head, blue the late blocks that adapt, dark
    all of them, green the model that came of it, where that is no stage's."""
    return {
        "before": (colours.muted, "circle"),
        "head": (colours.head, "diamond"),
        "finetune": (colours.backbone, "square"),
        "whole": (colours.ink, "triangle-up"),
        "final": (colours.good, "star"),
    }


def race(rows: Sequence[dict[str, Any]], colours: Palette) -> Figure:
    """Every metric at every stage with its 95 % interval, on a fixed 0 to 100 %.

    rows: {"stage" (its key), "name" (its words), "metric", "value", "low", "high"}; value may be None.
    """
    data = []
    for stage, (colour, symbol) in stage_colours(colours).items():
        found = [row for row in rows if row["stage"] == stage and row["value"] is not None]
        if not found:
            continue
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row["metric"] for row in found],
                "y": [row["value"] for row in found],
                "name": found[0]["name"],
                "cliponaxis": False,
                "marker": {"symbol": symbol, "size": 11, "color": colour},
                "error_y": whiskers(found, colour),
                "text": [percent(row["value"]) for row in found],
                "hovertemplate": "%{x}: %{text}<extra>" + found[0]["name"] + "</extra>",
            }
        )
    layout = layout_of(colours) | {"scattermode": "group", "scattergap": 0.55}
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    layout["yaxis"] |= {"range": [0, 1.03], "tickformat": ".0%", "dtick": 0.2}
    return {"data": data, "layout": layout}


def matrix(
    truth: np.ndarray, said: np.ndarray, classes: list[str], colours: Palette, t: Words, side: int
) -> Figure:
    """The confusion matrix with a mark in each cell that can be clicked; a heat map alone cannot.

    truth, said: (N,) int, the class that it is and the one that is answered. side: height of the chart in
    pixels, for the size of the marks.
    """
    num = len(classes)
    counts = np.zeros((num, num), int)
    np.add.at(counts, (truth, said), 1)
    figure = confusion({"confusion_matrix": counts, "classes": classes}, colours, t)
    heat = figure["data"][0]
    heat |= {"hoverinfo": "skip", "showscale": False}
    if num > MANY:
        heat["text"] = [[f"<b>{count}</b>" if count else "" for count in row] for row in counts]
    del heat["hovertemplate"]
    places = [(r, c) for r in range(num) for c in range(num) if counts[r, c]]
    figure["data"].append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [classes[c] for _, c in places],
            "y": [classes[r] for r, _ in places],
            "customdata": [[r, c] for r, c in places],
            "marker": {
                "symbol": "square",
                "size": min((side - 120) / num, 70),
                "color": colours.ink,
                "opacity": 0,
            },
            "selected": {"marker": {"opacity": 0.16}},
            "unselected": {"marker": {"opacity": 0}},
            "hovertemplate": t("results.hover_cell", truth="%{y}", said="%{x}") + "<extra></extra>",
            "showlegend": False,
        }
    )
    figure["layout"] |= {"dragmode": False, "clickmode": "event+select", "hovermode": "closest"}
    for axis in ("xaxis", "yaxis"):
        figure["layout"][axis] |= {"fixedrange": True, "categoryorder": "array", "categoryarray": classes}
    # fixed: the large marks would make Plotly leave room around them
    figure["layout"]["xaxis"]["range"] = [-0.5, num - 0.5]
    figure["layout"]["yaxis"] |= {"range": [num - 0.5, -0.5], "autorange": False}
    return figure


def feature_map(
    points: np.ndarray,
    truth: np.ndarray,
    is_wrong: np.ndarray,
    names: Sequence[str],
    classes: list[str],
    axes: tuple[tuple[float, float], tuple[float, float]],
    colours: Palette,
    t: Words,
) -> Figure:
    """One dot per picture, coloured and shaped by its class; a cross where the answer is wrong.

    Shapes: points (N, 2); truth (N,) int; is_wrong (N,) bool. axes: fixed over the stages.
    """
    symbols = ["circle", "diamond", "square", "triangle-up", "star", "hexagon"]
    data: list[dict[str, Any]] = []
    for index, name in enumerate(classes):
        inside = np.flatnonzero(truth == index)
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": points[inside, 0].tolist(),
                "y": points[inside, 1].tolist(),
                "customdata": inside.tolist(),
                "text": [names[i] for i in inside],
                "name": name,
                "marker": {
                    "size": 9,
                    "color": colours.series[index % len(colours.series)],
                    "symbol": symbols[index % len(symbols)],
                    "opacity": 0.75,
                },
                "selected": {"marker": {"opacity": 1}},
                "unselected": {"marker": {"opacity": 0.2}},
                "hovertemplate": "%{text}<extra>" + name + "</extra>",
            }
        )
    wrong = np.flatnonzero(is_wrong)
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": points[wrong, 0].tolist(),
            "y": points[wrong, 1].tolist(),
            "name": t("explore.line_wrong"),
            "marker": {"size": 11, "symbol": "x-thin", "line": {"width": 1.5, "color": colours.ink}},
            "selected": {"marker": {"opacity": 1}},
            "unselected": {"marker": {"opacity": 0.5}},
            "hoverinfo": "skip",
        }
    )
    layout = layout_of(colours) | {"dragmode": "lasso", "hovermode": "closest"}
    layout["legend"] |= {"y": -0.06, "itemsizing": "constant"}
    for axis, (low, high) in zip(("xaxis", "yaxis"), axes, strict=True):
        layout[axis] |= {"range": [low, high], "showticklabels": False, "showgrid": False, "mirror": True}
    return {"data": data, "layout": layout}
