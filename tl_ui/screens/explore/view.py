"""Explore around its views: which run, which view, and what is said when there is nothing to see."""

from __future__ import annotations

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.screens.explore import feature_map as explore_map
from tl_ui.screens.explore import pictures as explore_pictures
from tl_ui.screens.explore import stage_race as explore_race
from tl_ui.screens.explore.deciding import calibration as explore_calibration
from tl_ui.screens.explore.deciding import threshold as explore_threshold
from tl_ui.stores.runs import predictions

VIEWS = ("race", "pictures", "threshold", "calibration", "map")
VIEW = "explore_view"
"""Its name in the address bar; links of before say `view`, as those of the lesson did."""


def choose_view() -> str:
    """The view that the address bar names; a choice goes back into it."""
    state.rename("view", VIEW, VIEWS)
    state.keep(VIEW, state.read(VIEW) or VIEWS[0])
    return st.segmented_control(
        t("results.look_at"),
        VIEWS,
        format_func={name: t(f"explore.view_{name}") for name in VIEWS}.get,
        required=True,
        **state.linked(VIEW, "explore_view", VIEWS, VIEWS[0]),
        label_visibility="collapsed",
        width="stretch",
    )


def draw(run: RunFolder, view: str) -> None:
    """One view; the others are not computed."""
    try:
        summary = run.read_summary() or {}
        found = predictions.predictions(run, summary)
        if found is None:
            st.info(t("results.no_predictions"), icon=":material/info:")
            return
        match view:
            case "pictures":
                explore_pictures.draw(run, found)
            case "threshold":
                explore_threshold.draw(run, found)
            case "calibration":
                explore_calibration.draw(run, found)
            case "map":
                explore_map.draw(run, found)
            case _:
                explore_race.draw(run, summary, found)
    except TlError as error:
        shell.show_error(error)
