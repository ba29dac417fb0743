"""Explore's charts of decisions: operating curves, reliability, distances. Pure, as plain Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tl_core.base.percent import percent
from tl_core.evaluation.calibration import Bin
from tl_ui.frame.theme import Palette
from tl_ui.widgets.plotting.charts import Figure, Words, layout_of

MAX_CURVE = 400
"""Points of a curve that are sent: more than a chart has pixels for."""


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
                "text": [_pair(curve["x"][i], curve["y"][i]) for i in keep],
                "name": curve["name"],
                "line": line | ({} if curve["is_main"] else {"dash": "dash"}),
                "hovertemplate": "%{text}<extra>" + curve["name"] + "</extra>",
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
                    "showlegend": False, "hovertemplate": _pair(x, y) + "<extra></extra>",
                }
            )  # fmt: skip
    layout = layout_of(colours)
    for axis, words in zip(("xaxis", "yaxis"), axes, strict=True):
        layout[axis]["title"]["text"] = words
        layout[axis] |= {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.25}
    return {"data": data, "layout": layout}


def _pair(x: float, y: float) -> str:
    return f"{percent(float(x))}, {percent(float(y))}"


def reliability(bins: Sequence[Bin], colours: Palette, t: Words) -> Figure:
    """How often answers were right against how sure they were; on the dotted line both agree."""
    x = [b.confidence for b in bins]
    bars = {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": [b.accuracy for b in bins],
        "customdata": [[percent(b.confidence, 0), percent(b.accuracy, 0), b.num] for b in bins],
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
        "hovertemplate": t(
            "explore.hover_bin", sure="%{customdata[0]}", right="%{customdata[1]}", count="%{customdata[2]}"
        )
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
                "y": share.tolist(), "name": name, "text": [percent(one, 0) for one in share],
                "line": {"color": colour, "width": 2.5, "shape": "hvh", "dash": dash},
                "hovertemplate": "%{text}<extra>" + name + "</extra>",
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
