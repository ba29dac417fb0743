"""Train, a quiet panel: which beginning suits these pictures, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from tl_core.cli.probe import CLEAR
from tl_core.models.weights.record import source_name
from tl_ui.frame import state
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import Palette, palette
from tl_ui.stores import probing
from tl_ui.widgets.plotting.charts import Figure, layout_of
from tl_ui.widgets.plotting.liveplot import still

ROW_PX = 44


def panel(folder: Path) -> None:
    """Closed until somebody asks; while it works the page goes on."""
    with st.expander(t("beginning.title"), icon=":material/compare:", key="beginning"):
        st.markdown(t("beginning.says"))
        probe = probing.of(folder)
        is_running = probe is not None and probe.is_running

        @st.fragment(run_every=1.0 if is_running else None, key="beginning_live")
        def live() -> None:
            if probe is None:
                return
            if is_running and not probe.is_running:
                st.rerun()
            if probe.is_running:
                st.markdown(
                    f":material/hourglass_top: {t('beginning.working', seconds=number(probe.seconds))}"
                )
            elif (found := probe.result()) is not None:
                _result(found)
            else:
                st.error(f"{t('beginning.failed')} {probe.last_line()}", icon=":material/error:")

        live()
        is_taken = probing.is_busy()
        st.button(
            t("beginning.again" if probe and not is_running else "beginning.ask"),
            key="ask_beginning",
            icon=":material/science:",
            disabled=is_taken,
            on_click=probing.begin,
            args=(folder,),
        )
        if is_taken and not is_running:
            st.caption(t("beginning.busy"))


def _result(found: dict[str, Any]) -> None:
    rows = found["rows"]
    st.markdown(f"**{t('beginning.chart')}**", help=help_of("balanced_accuracy"))
    still(
        chart(rows, palette()),
        key="beginning_chart",
        alt=t("beginning.chart"),
        height=70 + ROW_PX * len(rows),
    )
    counts = {"pictures": number(found["num_pictures"]), "folds": number(found["folds"])}
    st.caption(f"{t('beginning.note', **counts)} {t('beginning.kept_back', count=found['num_kept_back'])}")
    _advice(found)


def _advice(found: dict[str, Any]) -> None:
    """What to take, how sure that is, and what to doubt."""
    best = found["recommended"]
    if best is None or found["points"] < 0:
        st.info(t("beginning.none" if best is None else "beginning.behind"), icon=":material/info:")
    else:
        values = {"name": name(best), "points": number(found["points"], 1), "second": name(found["second"])}
        if found["chance"] is None or found["chance"] > CLEAR:
            st.info(t("beginning.unclear", **values), icon=":material/info:")
        else:
            st.success(t("beginning.recommended", **values), icon=":material/check:")
        if st.session_state.get("set_weights") != best:
            st.button(t("beginning.use", name=name(best)), key="use_beginning", on_click=_use, args=(best,))
    if not found["beats_baseline"]:
        baseline = name(found["baseline"])
        st.warning(t("beginning.not_beaten", name=baseline), icon=":material/warning:")


def _use(source: str) -> None:
    st.session_state["set_weights"] = source


def name(source: str) -> str:
    """A weight source, or a baseline that does not see."""
    if source in ("hog", "colour"):
        return t(f"beginning.baseline_{source}")
    return source_name(source, state.language())


def chart(rows: list[dict[str, Any]], colours: Palette) -> Figure:
    """Bars with their intervals, best first; baselines are grey."""
    values = [row["balanced_accuracy"] for row in rows]
    data = [
        {
            "type": "bar", "orientation": "h", "x": values, "y": [name(row["source"]) for row in rows],
            "marker": {
                "color": [colours.removed if row["is_baseline"] else colours.backbone for row in rows]
            },
            "error_x": {
                "type": "data", "symmetric": False, "color": colours.ink, "thickness": 2, "width": 6,
                "array": [row["interval"][1] - row["balanced_accuracy"] for row in rows],
                "arrayminus": [row["balanced_accuracy"] - row["interval"][0] for row in rows],
            },
            "customdata": [
                f"{percent(row['balanced_accuracy'])} ({percent(row['interval'][0], 0)} – "
                f"{percent(row['interval'][1], 0)})"
                for row in rows
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    ]  # fmt: skip
    layout = layout_of(colours) | {"showlegend": False, "bargap": 0.35}
    layout["xaxis"]["title"]["text"] = name_of("balanced_accuracy")
    layout["xaxis"] |= {"range": [0, 1.02], "tickformat": ".0%", "dtick": 0.2}
    layout["yaxis"] |= {"type": "category", "showgrid": False, "autorange": "reversed"}
    return {"data": data, "layout": layout}
