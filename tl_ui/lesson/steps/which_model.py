"""Step 8: which pre-trained model, by counted parameters and published accuracy."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from tl_ui.frame.text import help_of, name_of, number, t
from tl_ui.frame.theme import Palette, palette
from tl_ui.lesson import presenter
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts.csv_button import csv_button
from tl_ui.widgets.plotting.charts import Figure, layout_of
from tl_ui.widgets.plotting.liveplot import still

FILE = Path(__file__).with_name("models.json")
CHOSEN = "EfficientNet-B0"
BYTES_PER_PARAMETER = 4
"""In fp32."""


@cache
def models() -> list[dict[str, Any]]:
    """Written by `scripts/count_models.py`; a test counts again."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def count(timm_name: str) -> int:
    """Parameters of timm's network with its 1,000 outputs; on the meta device nothing is allocated."""
    import timm
    import torch

    with torch.device("meta"):
        model = timm.create_model(timm_name, pretrained=False)
    return sum(p.numel() for p in model.parameters())


def table() -> None:
    rows = [
        {
            t("lesson_which_model.column_model"): row["name"],
            name_of("parameters"): number(row["parameters"]),
            t("lesson_which_model.column_file"): t(
                "lesson_which_model.mib", mib=number(row["parameters"] * BYTES_PER_PARAMETER / 2**20)
            ),
            t("lesson_which_model.column_ops"): number(row["gflops"], 1),
            t("lesson_which_model.column_top1"): f"{row['top1']:.1f} %",
            t("lesson_which_model.column_guide"): f"{row['guide_millions']:g} M · {row['guide_top1']} %",
        }
        for row in models()
    ]
    st.dataframe(rows, hide_index=True, key="model_table")
    st.caption(t("lesson_which_model.sources"), help=help_of("parameters"))
    csv_button(models(), "models")


def choice() -> None:
    """Size against accuracy, on one picture."""
    st.markdown(f"**{t('lesson_which_model.chart')}**")
    still(
        presenter.sized(size_chart(palette())),
        key="model_chart",
        alt=t("lesson_which_model.chart"),
        height=330,
    )
    chosen = next(row for row in models() if row["name"] == CHOSEN)
    largest = max(models(), key=lambda row: row["parameters"])
    with st.container(horizontal=True, key="numbers_models"):
        times = largest["parameters"] / chosen["parameters"]
        st.metric(
            t("lesson_which_model.smaller", name=largest["name"]),
            t("lesson_which_model.times", times=number(times)),
        )
        st.metric(t("lesson_which_model.points"), f"{chosen['top1'] - largest['top1']:+.1f}")
    st.caption(t("lesson_which_model.sources"))


def size_chart(colours: Palette) -> Figure:
    """Parameters (in millions, each doubling equally far) against top-1 accuracy."""
    data = [
        {
            "type": "scatter", "mode": "markers+text", "x": [row["parameters"] / 1e6], "y": [row["top1"]],
            "text": [row["name"]], "textposition": "bottom center", "name": row["name"], "cliponaxis": False,
            "marker": {
                "size": 16 if row["name"] == CHOSEN else 11,
                "symbol": "star" if row["name"] == CHOSEN else "circle",
                "color": colours.head if row["name"] == CHOSEN else colours.backbone,
            },
            "hovertemplate": "%{x:.1f} M, %{y:.1f} %<extra>" + row["name"] + "</extra>",
        }
        for row in models()
    ]  # fmt: skip
    layout = layout_of(colours) | {"showlegend": False}
    layout["xaxis"]["title"]["text"] = t("lesson_which_model.axis_parameters")
    layout["xaxis"] |= {"type": "log", "range": [0.5, 2.2], "tickvals": [5, 10, 20, 50, 100]}
    layout["yaxis"]["title"]["text"] = t("lesson_which_model.axis_top1")
    layout["yaxis"] |= {"range": [65, 90], "ticksuffix": " %"}
    return {"data": data, "layout": layout}


IDEAS = {
    "table": Idea(table, code=("tl_ui.lesson.steps.which_model:count",), is_wide=True),
    "choice": Idea(choice),
}
