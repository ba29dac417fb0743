"""What a run itself suggests to try next, and the changed settings one click away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tl_core.runs import about
from tl_core.runs.report.advice import GOAL, Advice, advise
from tl_ui.frame import state
from tl_ui.frame.text import help_of, literal, name_of, number, percent, t
from tl_ui.lesson.parts.runs import which_run
from tl_ui.screens.train import again
from tl_ui.stores.runs.scores import Cell, reported
from tl_ui.widgets import setting_words
from tl_ui.widgets.plotting.curves import rate


def show() -> None:
    """What the run itself suggests, and the changed settings one click away."""
    shown = which_run.any_run()
    summary = shown.summary()
    error = shown.run.read_status().get("error")
    if summary is None and not error:
        st.caption(t("lesson_reading.advice_wait"))
        return
    config = shown.run.read_config()
    found = advise(config, summary, error)
    if summary is not None:
        _goal(reported(summary))
    if not found:
        st.success(t("lesson_reading.advice_none"), icon=":material/check:")
    for number_of, one in enumerate(found):
        _advice(one, config, about.name_of(shown.run), number_of)
    st.caption(t("lesson_reading.advice_note"))


def _goal(cell: Cell) -> None:
    with st.container(horizontal=True, key="numbers_goal"):
        for metric in ("accuracy", "f1"):
            value = cell.value(metric)
            words = percent(value)
            mark = "✓" if value is not None and value >= GOAL else "·"
            st.metric(
                t("lesson_reading.goal", metric=name_of(metric), goal=percent(GOAL, 0)), f"{words} {mark}",
                help=help_of(metric), width="content",
            )  # fmt: skip
    judged_on(cell)


def _advice(one: Advice, config: dict[str, Any], called: str, number_of: int) -> None:
    values = {name: _plain(name, value) for name, value in one.values.items()}
    with st.container(border=True, key=f"advice_{one.code}"):
        st.markdown(f"**{t(f'lesson_reading.advice_{one.code}_title', **values)}**")
        st.markdown(t(f"lesson_reading.advice_{one.code}", **values))
        if not one.changes:
            return
        changed = again.differing(config, one.changes)
        if not changed:
            return
        parts = [
            f"{setting_words.name(name)} {setting_words.value(name, old)} → {setting_words.value(name, new)}"
            for name, (old, new) in changed.items()
        ]
        st.caption(literal(" · ".join(parts)))
        if state.chosen_data() is None:
            st.caption(f":material/lock: {t('train.needs_data')}")
        elif st.button(t("lesson_reading.try"), key=f"try_{number_of}", icon=":material/arrow_forward:"):
            again.open_train(config, one.changes, called, t(f"lesson_reading.advice_{one.code}", **values))


def _plain(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if name == "rate":
        return rate(value)
    if isinstance(value, float):
        return f"{value:.3f}" if name in ("before", "after") else percent(value)
    return number(value)


def judged_on(cell: Cell) -> None:
    """Which pictures a score is from."""
    st.caption(
        t("lesson_reading.from", split=name_of(cell.split), count=number(cell.metrics["num"])),
        help=help_of(cell.split),
    )
