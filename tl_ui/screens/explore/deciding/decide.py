"""Explore, deciding: the threshold that mistakes are cheapest at, and what is saved with the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from tl_core.base.errors import TlError
from tl_core.base.files.file_names import readable
from tl_core.evaluation import threshold
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.text import help_of, literal, name_of, number, percent, t
from tl_ui.stores.runs.predictions import Predictions

FEW = 100
"""Validation pictures below which one of them moves the choice noticeably."""


def cost(found: Predictions, curves: dict[str, tuple[np.ndarray, np.ndarray]], key: str) -> None:
    st.markdown(f"#### {t('explore.cost_title')}", help=help_of("cost_ratio"))
    if "val" not in curves or found.judged == "val":
        st.info(t("explore.cost_no_split"), icon=":material/info:")
        return
    miss_cost = st.number_input(
        t("explore.miss_cost", name=literal(found.positive)),
        0.1,
        1000.0,
        5.0,
        step=1.0,
        format="%g",
        key="miss_cost",
        width=480,
    )
    is_positive, probability = curves["val"]
    picked = threshold.cheapest(is_positive, probability, miss_cost)
    table = []
    for split, pair in curves.items():
        for value in (0.5, picked):
            now = threshold.at_threshold(*pair, value)
            table.append(
                {
                    name_of("split"): name_of(split),
                    name_of("threshold"): percent(value),
                    t("explore.column_missed"): number(now.num_missed),
                    t("explore.column_false"): number(now.num_false),
                    t("explore.column_cost"): number(
                        now.cost(miss_cost), 0 if miss_cost == round(miss_cost) else 1
                    ),
                    t("explore.column_each"): f"{now.cost(miss_cost) / max(now.num, 1):.3f}",
                }
            )
    st.markdown(t("explore.cost_picked", threshold=percent(picked), split=name_of("val")))
    st.dataframe(table, hide_index=True, key="cost_table")
    if len(probability) < FEW:
        st.caption(t("explore.cost_few", count=number(len(probability))))

    def take() -> None:
        st.session_state[key] = picked
        st.session_state["explore_picked"] = (picked, miss_cost)

    st.button(t("explore.cost_take"), key="cost_take", on_click=take, icon=":material/tune:")


def save(run: RunFolder, found: Predictions, decided: DecisionRule, value: float, num_val: int) -> None:
    st.markdown(f"#### {t('explore.save_title')}")
    if decided.threshold is None:
        st.caption(t("explore.save_none"))
    else:
        st.markdown(
            t(
                "explore.save_now",
                name=literal(str(decided.positive_class)),
                threshold=percent(decided.threshold),
            ),
        )
    picked, miss_cost = st.session_state.get("explore_picked", (None, None))
    how = {"split": "val", "num": num_val, "miss_cost": miss_cost} if picked == value else {"by": "hand"}
    with st.container(horizontal=True):
        if st.button(
            t("explore.save_threshold", threshold=percent(value)),
            key="save_threshold",
            type="primary",
            icon=":material/save:",
        ):
            changed = {"positive_class": found.positive, "threshold": value, "threshold_from": how}
            write(run, decided, **changed)
        if decided.threshold is not None and st.button(
            t("explore.save_forget"), key="forget_threshold", icon=":material/undo:"
        ):
            write(run, decided, positive_class=None, threshold=None, threshold_from={})
    st.caption(t("explore.save_says", file=literal(readable(str(run.path / decision_rule.FILE)))))


def write(run: RunFolder, decided: DecisionRule, **changes: object) -> None:
    """Save the decision with some of it changed, and show the page anew."""
    try:
        decision_rule.save(run, replace(decided, **changes))
    except TlError as error:
        shell.show_error(error)
        return
    st.toast(t("explore.saved"), icon=":material/check:")
    st.rerun()
