"""The training curves of several runs on one fixed scale. Pure, like `tl_ui.widgets.plotting.charts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tl_core.base.percent import percent
from tl_core.runs.report.epoch_axis import whole_step
from tl_ui.frame.theme import Palette
from tl_ui.stores.runs.run_view import RunView
from tl_ui.widgets.plotting.charts import Figure, Words, layout_of

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
# beside the colour, for eyes and printers without colour


def points(view: RunView, field: str) -> list[tuple[int, float]]:
    """(epoch on the axis that runs through all stages, value); what is missing is left out."""
    return [
        (view.offset(stage.name) + epoch.epoch, value)
        for stage in view.ordered
        for epoch in stage.epochs
        if (value := getattr(epoch, field)) is not None
    ]


def overlaid(views: Sequence[tuple[str, RunView]], metric: str, colours: Palette, t: Words) -> Figure:
    """Validation accuracy or loss of every run; a mark where each further stage begins.

    Args: views: (name, view) of each run. metric: "accuracy" or "loss".
    """
    data: list[dict[str, Any]] = []
    for index, (name, view) in enumerate(views):
        line = points(view, f"val_{metric}")
        colour = colours.series[index % len(colours.series)]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(line) < 3 else "lines",
                "x": [x for x, _ in line],
                "y": [y for _, y in line],
                "name": name,
                "line": {"color": colour, "width": 2.5, "dash": DASHES[index % len(DASHES)]},
                "cliponaxis": False,
                "text": [percent(y) if metric == "accuracy" else f"{y:.3f}" for _, y in line],
                "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
            }
        )
        starts = {view.offset(stage.name) + 1 for stage in view.ordered} - {1}
        mark = [(x, y) for x, y in line if x in starts]
        if mark:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [x for x, _ in mark],
                    "y": [y for _, y in mark],
                    "name": t("train.mark_boundary"),
                    "showlegend": False,
                    "cliponaxis": False,
                    "marker": {"symbol": "triangle-up", "size": 11, "color": colour},
                    "hovertemplate": t("train.mark_boundary") + "<extra>%{fullData.name}</extra>",
                }
            )
    layout = layout_of(colours) | {"hovermode": "closest"}
    last = max((x for trace in data for x in trace["x"]), default=1)
    highest = max((y for trace in data for y in trace["y"]), default=1.0)
    layout["xaxis"]["title"]["text"] = t("train.axis_epoch")
    layout["xaxis"] |= {"range": [0.5, last + 0.5], "tick0": 0, "dtick": whole_step(last, 12)}
    layout["yaxis"] |= {"range": [0, 1.02 if metric == "accuracy" else 1.08 * highest]}
    if metric == "accuracy":
        layout["yaxis"] |= {"tickformat": ".0%", "dtick": 0.2}
    return {"data": data, "layout": layout}
