"""The charts of Results, and the look that all charts share, as plain Plotly figures ({"data", "layout"}).

Pure functions: data, colours and words in, figure out. Plain dicts instead of `go.Figure`, whose
validation would cost more than the drawing when 25 browsers poll once a second. Titles stand above
the charts as page text, where they wrap on a phone.

`t` is `tl_ui.frame.text.t`, handed in so that a test needs no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tl_core.base.percent import percent
from tl_core.runs.report.epoch_axis import whole_step
from tl_ui.frame.theme import FONT, Palette

Figure = dict[str, Any]
Words = Callable[..., str]

NUM_BINS = 20
"""Bars of the probability histogram: 5 % each, so a bar's edge falls on 50 %."""


def confusion(metrics: dict[str, Any], colours: Palette, t: Words) -> Figure:
    """Truth by row, answer by column; the shade is the share of the row on a fixed 0 to 100 %."""
    counts = np.asarray(metrics["confusion_matrix"], dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = metrics["classes"]
    cells = [
        [f"<b>{int(n)}</b>" + (f"<br>{percent(n / row.sum(), 0, '')}" if row.sum() else "") for n in row]
        for row in counts
    ]
    layout = layout_of(colours)
    layout["xaxis"]["title"]["text"] = t("results.axis_said")
    layout["yaxis"]["title"]["text"] = t("results.axis_truth")
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    layout["yaxis"] |= {"type": "category", "showgrid": False, "autorange": "reversed"}
    heat = {
        "type": "heatmap",
        "z": shares.tolist(),
        "x": classes,
        "y": classes,
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, colours.card], [1, colours.backbone]],
        "text": cells,
        "texttemplate": "%{text}",
        "textfont": {"size": 15 if len(classes) < 7 else 11},
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": t("results.hover_cell", truth="%{y}", said="%{x}") + "<extra></extra>",
        "colorbar": {
            "title": {
                "text": t("results.bar_share"),
                "side": "right",
                "font": {"size": 12, "color": colours.muted},
            },
            "tickformat": ".0%",
            "thickness": 12,
            "outlinewidth": 0,
        },
    }
    return {"data": [heat], "layout": layout}


def histogram(
    truth: Sequence[str],
    probability: Sequence[float],
    classes: Sequence[str],
    name: str,
    threshold: float | None,
    colours: Palette,
    t: Words,
) -> Figure:
    """How probable the network found class `name`, stacked by what each picture really is.

    Args: probability: of `name`, one per picture, 0 to 1. threshold: None draws no line.
    """
    edges = np.linspace(0, 1, NUM_BINS + 1)
    truth, probability = np.asarray(truth), np.asarray(probability, dtype=float)
    data = []
    for index, really in enumerate(classes):
        counts, _ = np.histogram(probability[truth == really], bins=edges)
        colour = colours.series[index % len(colours.series)]
        # a pattern beside the colour, for eyes and printers without colour
        shape = ["", "/", "x", "-", "|", "+", "."][index % 7]
        data.append(
            {
                "type": "bar",
                "x": ((edges[:-1] + edges[1:]) / 2).tolist(),
                "y": counts.tolist(),
                "width": 0.95 / NUM_BINS,
                "name": t("results.line_really", name=really),
                "marker": {
                    "color": colour,
                    # overlay: lines in the page's colour over the bar; "replace" would leave the lines alone
                    "pattern": {
                        "shape": shape,
                        "fillmode": "overlay",
                        "fgcolor": colours.page,
                        "size": 6,
                        "fgopacity": 0.55,
                    },
                },
                "hovertemplate": t("results.hover_bar", name=really, count="%{y}") + "<extra></extra>",
            }
        )
    layout = layout_of(colours) | {"barmode": "stack", "bargap": 0}
    layout["xaxis"]["title"]["text"] = t("results.axis_probability", name=name)
    layout["xaxis"] |= {"range": [0, 1], "tickformat": ".0%", "dtick": 0.25}
    layout["yaxis"]["title"]["text"] = t("results.axis_pictures")
    layout["yaxis"] |= {"rangemode": "tozero", "tickformat": "d", "dtick": whole_step(_tallest(data))}
    if threshold is not None:
        top = max(np.histogram(probability, bins=edges)[0].max() if len(probability) else 1, 1)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [threshold, threshold],
                "y": [0, float(top) * 1.05],
                "name": t("results.line_threshold", percent=percent(threshold, 0, "")),
                "line": {"color": colours.ink, "width": 2, "dash": "dash"},
                "hoverinfo": "skip",
            }
        )
    return {"data": data, "layout": layout}


def _tallest(bars: Sequence[Figure]) -> float:
    """Height of the highest stack."""
    return float(np.sum([bar["y"] for bar in bars], axis=0).max(initial=0)) if bars else 0


def stage_scores(rows: Sequence[dict[str, Any]], name: str, colours: Palette, t: Words) -> Figure:
    """One metric by stage and split, each with its 95 % interval, on a fixed 0 to 100 %.

    Args: rows: {"stage", "split", "value", "low", "high"} with the words to show; value may be None.
    """
    splits = list(dict.fromkeys(row["split"] for row in rows))
    marks = {0: ("circle", colours.muted), 1: ("diamond", colours.good), 2: ("square", colours.backbone)}
    data = []
    for index, split in enumerate(splits):
        found = [row for row in rows if row["split"] == split and row["value"] is not None]
        symbol, colour = marks[index % 3]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row["stage"] for row in found],
                "y": [row["value"] for row in found],
                "name": split,
                "cliponaxis": False,
                "marker": {"symbol": symbol, "size": 11, "color": colour},
                "error_y": whiskers(found, colour),
                "text": [percent(row["value"]) for row in found],
                "hovertemplate": f"%{{text}}<extra>{split}</extra>",
            }
        )
    layout = layout_of(colours) | {"scattermode": "group", "scattergap": 0.55}
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    layout["yaxis"]["title"]["text"] = name
    layout["yaxis"] |= {"range": [0, 1.03], "tickformat": ".0%", "dtick": 0.2}
    return {"data": data, "layout": layout}


def whiskers(rows: Sequence[dict[str, Any]], colour: str) -> Figure:
    """Plotly's bars from "low" to "high" around each row's "value"; an interval that is None draws none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [max((row["high"] or row["value"]) - row["value"], 0) for row in rows],
        "arrayminus": [max(row["value"] - (row["low"] or row["value"]), 0) for row in rows],
        "color": colour,
        "thickness": 2,
        "width": 5,
    }


def layout_of(colours: Palette) -> Figure:
    """The look all charts share. Kept small: it travels with every poll."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": colours.ink},
        "margin": {"l": 8, "r": 8, "t": 26, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top", "font": {"size": 12}},
        "hoverlabel": {
            "bgcolor": colours.card,
            "bordercolor": colours.line,
            "font": {"family": FONT, "color": colours.ink},
        },
        "xaxis": _axis(colours),
        "yaxis": _axis(colours),
    }


def _axis(colours: Palette) -> Figure:
    return {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 10, "font": {"size": 12, "color": colours.muted}},
        "tickfont": {"size": 12},
    }
