"""The charts of Explore as plain Plotly figures. Pure: numbers, colours and words in, figure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tl_core.calibration import Bin
from tl_ui.charts import Figure, Words, confusion, layout_of
from tl_ui.theme import Palette

MANY = 3
"""Classes above which a cell has room for its count alone."""

MAX_CURVE = 400
"""Points of a curve that are sent: more than a chart has pixels for."""


def stage_colours(colours: Palette) -> dict[str, tuple[str, str]]:
    """{stage: (colour, symbol)}: grey untouched, orange the new head, blue the backbone that adapts."""
    return {
        "before": (colours.muted, "circle"),
        "head": (colours.head, "diamond"),
        "finetune": (colours.backbone, "square"),
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
                "marker": {"symbol": symbol, "size": 11, "color": colour},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [max((row["high"] or row["value"]) - row["value"], 0) for row in found],
                    "arrayminus": [max(row["value"] - (row["low"] or row["value"]), 0) for row in found],
                    "color": colour,
                    "thickness": 2,
                    "width": 5,
                },
                "hovertemplate": "%{x}: %{y:.1%}<extra>" + found[0]["name"] + "</extra>",
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

    side: height of the chart in pixels, for the size of the marks.
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


def operating_curve(
    curves: Sequence[dict[str, Any]], axes: tuple[str, str], colours: Palette, is_chance: bool
) -> Figure:
    """A ROC or precision-recall curve per split with the threshold's point on it, both axes 0 to 100 %.

    curves: {"name", "x", "y", "point": (x, y), "is_main"}.
    """
    data: list[dict[str, Any]] = []
    if is_chance:
        data.append(
            {
                "type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
                "line": {"color": colours.line, "width": 1.5, "dash": "dot"}, "showlegend": False,
            }
        )  # fmt: skip
    for curve in curves:
        colour = colours.backbone if curve["is_main"] else colours.good
        keep = np.unique(np.linspace(0, len(curve["x"]) - 1, MAX_CURVE).astype(int))
        line = {"color": colour, "width": 2.5 if curve["is_main"] else 1.5}
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.asarray(curve["x"])[keep].tolist(),
                "y": np.asarray(curve["y"])[keep].tolist(),
                "name": curve["name"],
                "line": line | ({} if curve["is_main"] else {"dash": "dash"}),
                "hovertemplate": "%{x:.1%}, %{y:.1%}<extra>" + curve["name"] + "</extra>",
            }
        )
        if None not in curve["point"]:
            x, y = curve["point"]
            symbol = "circle" if curve["is_main"] else "diamond"
            marker = {
                "size": 13,
                "color": colour,
                "symbol": symbol,
                "line": {"width": 2, "color": colours.card},
            }
            data.append(
                {
                    "type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": marker,
                    "showlegend": False, "hovertemplate": "%{x:.1%}, %{y:.1%}<extra></extra>",
                }
            )  # fmt: skip
    layout = layout_of(colours)
    for axis, words in zip(("xaxis", "yaxis"), axes, strict=True):
        layout[axis]["title"]["text"] = words
        layout[axis] |= {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.25}
    return {"data": data, "layout": layout}


def reliability(bins: Sequence[Bin], colours: Palette, t: Words) -> Figure:
    """How often answers were right against how sure they were; on the dotted line both agree."""
    x = [b.confidence for b in bins]
    bars = {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": [b.accuracy for b in bins],
        "customdata": [b.num for b in bins],
        "name": t("explore.line_right"),
        "marker": {
            "color": colours.backbone,
            "size": [7 + 22 * (b.num / max(o.num for o in bins)) ** 0.5 for b in bins],
        },
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [max(b.interval[1] - b.accuracy, 0) for b in bins],
            "arrayminus": [max(b.accuracy - b.interval[0], 0) for b in bins],
            "color": colours.backbone,
            "thickness": 1.5,
            "width": 4,
        },
        "hovertemplate": t("explore.hover_bin", sure="%{x:.0%}", right="%{y:.0%}", count="%{customdata}")
        + "<extra></extra>",
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "name": t("explore.line_honest"),
        "line": {"color": colours.muted, "dash": "dot", "width": 2},
        "hoverinfo": "skip",
    }
    layout = layout_of(colours)
    layout["xaxis"]["title"]["text"] = t("explore.axis_sure")
    layout["yaxis"]["title"]["text"] = t("explore.axis_right")
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"range": [0, 1.03], "tickformat": ".0%", "dtick": 0.25}
    return {"data": [line, bars], "layout": layout}


def distances(groups: Sequence[tuple[str, np.ndarray]], limit: float, colours: Palette, t: Words) -> Figure:
    """Share of pictures by distance to the nearest training picture, and the limit. groups: (name, (N,))."""
    top = max([limit * 1.3, *(float(d.max()) for _, d in groups if len(d))])
    edges = np.linspace(0, top, 31)
    data: list[dict[str, Any]] = []
    looks = [(colours.good, "dash"), (colours.backbone, "solid"), (colours.head, "dot")]
    highest = 0.0
    for (name, found), (colour, dash) in zip(groups, looks, strict=False):
        share = np.histogram(found, edges)[0] / max(len(found), 1)
        highest = max(highest, float(share.max()))
        data.append(
            {
                "type": "scatter", "mode": "lines", "x": ((edges[:-1] + edges[1:]) / 2).tolist(),
                "y": share.tolist(), "name": name,
                "line": {"color": colour, "width": 2.5, "shape": "hvh", "dash": dash},
                "hovertemplate": "%{y:.0%}<extra>" + name + "</extra>",
            }
        )  # fmt: skip
    data.append(
        {
            "type": "scatter", "mode": "lines", "x": [limit, limit], "y": [0, highest * 1.05],
            "name": t("explore.line_limit", limit=f"{limit:.3f}"), "hoverinfo": "skip",
            "line": {"color": colours.ink, "width": 2, "dash": "dash"},
        }
    )  # fmt: skip
    layout = layout_of(colours)
    layout["xaxis"]["title"]["text"] = t("explore.axis_distance")
    layout["xaxis"] |= {"range": [0, top]}
    layout["yaxis"]["title"]["text"] = t("explore.axis_share")
    layout["yaxis"] |= {"rangemode": "tozero", "tickformat": ".0%"}
    return {"data": data, "layout": layout}


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
