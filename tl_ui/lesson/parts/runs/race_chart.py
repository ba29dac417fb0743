"""Recorded runs side by side on one axis of epochs, as a plain Plotly figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tl_core.base.percent import percent
from tl_ui.frame.theme import Palette
from tl_ui.stores.runs.run_view import RunView
from tl_ui.widgets.plotting.charts import Figure, Words, layout_of


@dataclass(frozen=True)
class Runner:
    view: RunView
    name: str
    colour: str
    dash: str

    def points(self, upto: int) -> tuple[list[int], list[float]]:
        """Epochs counted on over both stages, and the validation accuracy after each."""
        epochs = [epoch for stage in self.view.ordered for epoch in stage.epochs][:upto]
        return list(range(1, len(epochs) + 1)), [epoch.val_accuracy for epoch in epochs]

    @property
    def num_epochs(self) -> int:
        return sum(len(stage.epochs) for stage in self.view.ordered)


def race(runners: list[Runner], upto: int, colours: Palette, t: Words) -> Figure:
    """Validation accuracy up to epoch `upto`, on a fixed 0 to 100 %."""
    data = []
    for runner in runners:
        x, y = runner.points(upto)
        data.append(
            {
                "type": "scatter", "mode": "lines+markers", "x": x, "y": y, "name": runner.name,
                "line": {"color": runner.colour, "width": 3, "dash": runner.dash}, "marker": {"size": 6},
                "text": [percent(value) for value in y],
                "hovertemplate": f"%{{text}}<extra>{runner.name}</extra>",
            }
        )  # fmt: skip
    layout = layout_of(colours) | {"hovermode": "x unified"}
    longest = max(runner.num_epochs for runner in runners)
    layout["xaxis"]["title"]["text"] = t("train.axis_epoch")
    layout["xaxis"] |= {"range": [0.5, longest + 0.5], "dtick": 1, "showgrid": False}
    layout["yaxis"]["title"]["text"] = t("lesson_transferred.axis_val")
    layout["yaxis"] |= {"range": [0, 1.02], "tickformat": ".0%", "dtick": 0.2}
    return {"data": data, "layout": layout}


def rows(runners: list[Runner], t: Words) -> list[dict[str, Any]]:
    """For the download: one row per epoch, one column per run."""
    longest = max(runner.num_epochs for runner in runners)
    table = []
    for epoch in range(1, longest + 1):
        row: dict[str, Any] = {t("train.axis_epoch"): epoch}
        for runner in runners:
            values = runner.points(epoch)[1]
            row[runner.name] = values[-1] if len(values) == epoch else None
        table.append(row)
    return table
