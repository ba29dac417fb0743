"""Classify a video: what the model says in the course of it, as a chart, a list of stretches and a table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from tl_core.base.percent import percent
from tl_core.inference.video import timeline
from tl_core.inference.video.frames import ENDINGS, Video
from tl_ui.frame.text import literal, number, t
from tl_ui.frame.theme import Palette, palette
from tl_ui.widgets import downloads
from tl_ui.widgets.plotting.charts import Figure, layout_of
from tl_ui.widgets.plotting.liveplot import still

if TYPE_CHECKING:
    from tl_ui.stores.shared_predictor import Model

RATES = (0.5, 1, 2, 5, 10)
SMOOTH = (0.0, 0.5, 1.0, 2.0, 5.0)
RESULT = "video_result"
"""Session state: (what was asked, answers, seconds up to which a damaged file could be read)."""


@dataclass(frozen=True)
class Clip:
    """file: as the uploader holds it."""

    file: Any
    rate: float
    smooth_seconds: float


def ask() -> Clip | None:
    file = st.file_uploader(t("classify.video"), type=list(ENDINGS), key="video")
    left, right = st.columns(2)
    rate = left.select_slider(t("classify.video_rate"), RATES, timeline.RATE, key="video_rate")
    smooth = right.select_slider(
        t("classify.video_smooth"), SMOOTH, timeline.SMOOTH_SECONDS, key="video_smooth",
        help=t("classify.video_smooth_help"),
    )  # fmt: skip
    return Clip(file, rate, smooth) if file is not None else None


def show(model: Model, clip: Clip) -> None:
    """Raises: UnreadableVideo."""
    if not hasattr(model, "image_px"):
        st.info(t("classify.video_one"), icon=":material/movie:")
        return
    asked = (model.identity, repr(model.rule), clip.file.file_id, clip.rate, clip.smooth_seconds)
    last = st.session_state.get(RESULT)
    if last is None or last[0] != asked:
        last = st.session_state[RESULT] = (asked, *_answers(model, clip))
    _, answers, broken_at = last
    if broken_at is not None:
        st.warning(t("classify.video_broken", seconds=f"{broken_at:.1f}"), icon=":material/broken_image:")
    figure = chart(answers, model.classes, palette())
    still(figure, key="video_chart", alt=t("classify.video_alt"), height=320)
    st.caption(t("classify.video_says", count=number(len(answers))))
    stretches = [
        {
            t("classify.video_from"): f"{one['from']:.1f}",
            t("classify.video_to"): f"{one['to']:.1f}",
            t("classify.video_label"): literal(one["label"]),
        }
        for one in timeline.segments(answers)
    ]
    st.dataframe(stretches, hide_index=True, key="video_stretches")
    downloads.table_button([timeline.row_of(answer) for answer in answers], "timeline.csv", key="get_video")


def _answers(model: Any, clip: Clip) -> tuple[list[dict[str, Any]], float | None]:
    bar = st.progress(0.0, text=t("classify.working"))
    # FFmpeg reads files; this one is there while it is read
    with tempfile.NamedTemporaryFile(suffix=Path(clip.file.name).suffix, delete=False) as file:
        path = Path(file.name)
    try:
        path.write_bytes(clip.file.getvalue())
        video = Video(path, clip.file.name)

        def on_time(seconds: float) -> None:
            bar.progress(min(seconds / video.seconds, 1.0) if video.seconds else 0.0)

        found = timeline.timeline(
            model, video, model.rule, rate=clip.rate, smooth_seconds=clip.smooth_seconds, on_time=on_time
        )
        return list(found), video.broken_at
    finally:
        path.unlink(missing_ok=True)
        bar.empty()


def chart(answers: Sequence[dict[str, Any]], classes: Sequence[str], colours: Palette) -> Figure:
    """A line for each class: smoothed probability over seconds."""
    data = []
    for place, name in enumerate(classes):
        line = [answer["probabilities"][name] for answer in answers]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(line) < 3 else "lines",
                "x": [answer["seconds"] for answer in answers],
                "y": line,
                "name": name,
                "line": {"color": colours.series[place % len(colours.series)], "width": 2.5},
                "text": [percent(p) for p in line],
                "hovertemplate": "%{x:.1f} s  %{text}<extra>%{fullData.name}</extra>",
            }
        )
    layout = layout_of(colours)
    layout["xaxis"]["title"]["text"] = t("classify.video_seconds")
    layout["yaxis"] |= {"range": [0, 1], "tickformat": ".0%"}
    return {"data": data, "layout": layout}
