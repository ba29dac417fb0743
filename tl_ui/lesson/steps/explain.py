"""Step 9: what could come next, and the explanation of one's own run."""

from __future__ import annotations

import streamlit as st

from tl_ui.frame import shell
from tl_ui.frame.text import name_of, percent, t
from tl_ui.lesson.handouts import explain_yourself
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts.runs import which_run
from tl_ui.stores.runs.scores import reported


def next_steps() -> None:
    """Where to go from this result: when it falls short of the goal, and when it reaches it."""
    shown = which_run.finished()
    cell = reported(shown.summary() or {})
    low, high = cell.interval("accuracy") or (None, None)
    value = percent(cell.value("accuracy"))
    st.metric(f"{name_of('accuracy')} · {name_of(cell.split)}", value, width="content")
    st.caption(t("lesson_explain.between", low=percent(low, 0), high=percent(high, 0)))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**{t('lesson_explain.if_short')}**")
        st.markdown(t("lesson_explain.if_short_says"))
        shell.link("improve", t("shell.page_improve"), icon=":material/build:")
        shell.link("compare", t("shell.page_compare"), icon=":material/compare_arrows:")
    with right:
        st.markdown(f"**{t('lesson_explain.if_reached')}**")
        st.markdown(t("lesson_explain.if_reached_says"))
        shell.link("classify", t("shell.page_classify"), icon=":material/photo_camera:")
        shell.link("explore", t("shell.page_explore"), icon=":material/travel_explore:")


IDEAS = {
    "next": Idea(next_steps),
    "answer": Idea(explain_yourself.show, is_wide=True),
}
