"""The training curves: loss and accuracy of every stage on one continuous epoch axis.

Pure functions like those of `charts`: a run's view, colours and words in, a plain figure out.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from tl_core.base.percent import percent
from tl_core.base.stages import STAGES
from tl_core.runs.report.epoch_axis import marks
from tl_ui.frame.theme import Palette
from tl_ui.stores.runs.run_view import RunView, StageView
from tl_ui.widgets.plotting.charts import Figure, Words, layout_of


def curves(view: RunView, metric: str, colours: Palette, t: Words) -> Figure:
    """Loss or accuracy of every stage on one continuous epoch axis.

    Args: metric: "loss" or "accuracy". The axis is as long as the planned epochs, so the line
    grows into its place; accuracy is always seen on 0 to 100 %.
    """
    train, validation = _line(view, f"train_{metric}"), _line(view, f"val_{metric}")
    top = 1.0 if metric == "accuracy" else 1.08 * max([*train[1], *validation[1], 0.1])
    data = [
        _trace(train, t("train.line_train"), colours.muted, 2, "dash", metric),
        _trace(validation, t("train.line_val"), colours.good, 3, "solid", metric),
        *_marks(view, metric, top, colours, t),
    ]
    layout = layout_of(colours)
    shapes, labels = _stage_bands(view, colours, t)
    lengths = [stage.num_planned for stage in view.ordered]
    places, words = marks(lengths)
    layout |= {"shapes": shapes, "annotations": labels, "hovermode": "x unified", "showlegend": False}
    layout["xaxis"]["title"]["text"] = t("train.axis_epoch")
    layout["xaxis"] |= {"range": [0.5, max(sum(lengths), 1) + 0.5], "tickvals": places, "ticktext": words}
    # the axis counts on, its marks and the words begin anew with each stage
    layout["xaxis"]["unifiedhovertitle"] = {"text": t("train.axis_epoch")}
    layout["yaxis"] |= {"range": [0, top * 1.02]}
    if metric == "accuracy":
        layout["yaxis"] |= {"tickformat": ".0%", "dtick": 0.2}
    return {"data": data, "layout": layout}


def _line(view: RunView, field: str) -> tuple[list[int], list[float], list[int]]:
    """Epochs on the continuous axis, the values of `field`, and the epochs as their stage counts them; what
    is missing is left out."""
    x, y, own = [], [], []
    for stage in view.ordered:
        for epoch in stage.epochs:
            if (value := getattr(epoch, field)) is not None:
                x.append(view.offset(stage.name) + epoch.epoch)
                y.append(value)
                own.append(epoch.epoch)
    return x, y, own


def _trace(line: tuple[list, list, list], name: str, colour: str, width: int, dash: str, metric: str) -> dict:
    shown = [percent(y) if metric == "accuracy" else f"{y:.3f}" for y in line[1]]
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(line[0]) < 3 else "lines",
        "x": line[0],
        "y": line[1],
        "cliponaxis": False,
        "name": name,
        "line": {"color": colour, "width": width, "dash": dash},
        "text": [f"{epoch}: {value}" for epoch, value in zip(line[2], shown, strict=True)],
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
    }


def _marks(view: RunView, metric: str, top: float, colours: Palette, t: Words) -> list[dict]:
    """Best epochs, learning-rate drops and early stops, each with its place in the legend."""
    best, stops, drops = [], [], []
    for stage in view.ordered:
        offset = view.offset(stage.name)
        values = {epoch.epoch: getattr(epoch, f"val_{metric}") for epoch in stage.epochs}
        stop = stage.early_stop.epoch if stage.early_stop else None
        best += [(offset + e, y) for e, y in values.items() if e == stage.best_epoch and y is not None]
        stops += [(offset + e, y) for e, y in values.items() if e == stop and y is not None]
        drops += [(offset + drop.epoch, drop) for drop in stage.drops]
    return [
        *_upright_lines(drops, top, colours, t),
        *_symbols(best, t("train.mark_best"), "star", 14, colours.head, colours),
        *_symbols(stops, t("train.mark_stop"), "x", 11, colours.bad, colours),
    ]


def _upright_lines(drops: list[tuple[int, Any]], top: float, colours: Palette, t: Words) -> list[dict]:
    """Learning-rate drops: one trace of dotted lines with gaps between them."""
    if not drops:
        return []
    words = [t("train.mark_drop_hover", before=rate(d.before), after=rate(d.after)) for _, d in drops]
    trace = {
        "type": "scatter",
        "mode": "lines",
        "x": [value for epoch, _ in drops for value in (epoch, epoch, None)],
        "y": [value for _ in drops for value in (0, top * 1.02, None)],
        "text": [value for word in words for value in (word, word, "")],
        "name": t("train.mark_drop"),
        "line": {"color": colours.ink, "width": 1.5, "dash": "dot"},
        "hovertemplate": "%{text}<extra></extra>",
    }
    return [trace]


def _symbols(
    points: list[tuple[int, float]], name: str, symbol: str, size: int, colour: str, colours: Palette
) -> list[dict]:
    if not points:
        return []
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "name": name,
        "cliponaxis": False,
        "marker": {
            "symbol": symbol,
            "size": size,
            "color": colour,
            "line": {"color": colours.card, "width": 1.5},
        },
        "hovertemplate": f"{name}<extra></extra>",
    }
    return [trace]


def rate(value: float) -> str:
    """1e-05 -> "0.00001", as the page writes every learning rate: three digits that count at most."""
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def _stage_bands(view: RunView, colours: Palette, t: Words) -> tuple[list[dict], list[dict]]:
    """A tinted band and a name per stage, and the upright line of each boundary."""
    shapes, labels = [], []
    edge = 0.5
    for stage in view.ordered:
        end = edge + stage.num_planned
        soft = colours.head_soft if not STAGES[stage.name].moves_backbone else colours.backbone_soft
        shapes.append(_band(edge, end, soft))
        if edge > 0.5:
            line = {"color": colours.muted, "width": 2}
            shapes.append({"type": "line", "x0": edge, "x1": edge, "yref": "paper", "y0": 0, "y1": 1.06}
                          | {"line": line})  # fmt: skip
        labels.append(_band_label(stage, edge, end, colours, t))
        edge = end
    return shapes, labels


def _band(start: float, end: float, colour: str) -> dict:
    return {
        "type": "rect", "x0": start, "x1": end, "yref": "paper", "y0": 0, "y1": 1,
        "fillcolor": colour, "opacity": 0.45, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _band_label(stage: StageView, start: float, end: float, colours: Palette, t: Words) -> dict:
    return {
        "x": start, "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom",
        "text": t(f"train.band_{stage.name}"),
        "showarrow": False, "font": {"size": 12, "color": colours.muted}, "xshift": 4,
    }  # fmt: skip


def legend(view: RunView, colours: Palette, t: Words) -> str:
    """HTML that names every line and mark in the curves. Page text instead of Plotly's own legend,
    which takes half the chart on a phone."""
    stages = view.ordered
    is_dropped, is_stopped = any(s.drops for s in stages), any(s.early_stop for s in stages)
    items = [
        (True, _stroke(colours.good, 3), t("train.line_val")),
        (True, _stroke(colours.muted, 2, "dashed"), t("train.line_train")),
        (any(s.best_epoch for s in stages), _glyph("★", colours.head), t("train.mark_best")),
        (is_dropped, _upright(colours.ink), t("train.mark_drop")),
        (is_stopped, _glyph("✖", colours.bad), t("train.mark_stop")),
        (len(stages) > 1, _upright(colours.muted, "solid"), t("train.mark_boundary")),
    ]
    shown = "".join(f"<span>{mark}{escape(words)}</span>" for is_shown, mark, words in items if is_shown)
    return f'<div class="hs-legend">{shown}</div>'


def _stroke(colour: str, width: int, style: str = "solid") -> str:
    return f'<i class="stroke" style="border-top:{width}px {style} {colour}"></i>'


def _upright(colour: str, style: str = "dotted") -> str:
    return f'<i class="upright" style="border-left:2px {style} {colour}"></i>'


def _glyph(mark: str, colour: str) -> str:
    return f'<b style="color:{colour}">{mark}</b>'
