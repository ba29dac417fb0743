"""Teaching mode: a switch in the sidebar. On, each page of the workbench starts with one short note and the
way to its step of the lesson; off, pages are as they are.
"""

from __future__ import annotations

import streamlit as st

from tl_ui.frame import state
from tl_ui.frame.steps import PAGES
from tl_ui.frame.text import t

STEP_OF = {
    "start": "transferred",
    "data": "labels",
    "train": "two_stages",
    "results": "reading",
    "classify": "reading",
    "explore": "inside",
    "improve": "reading",
    "compare": "freeze",
    "head_swap": "head_swap",
}
"""The lesson step that each page of the workbench belongs to."""


def is_on() -> bool:
    return state.read("teach") == "1"


def switch() -> None:
    """In the sidebar; remembered like the language."""
    st.session_state["teaching_switch"] = is_on()
    st.toggle(
        t("teaching.switch"),
        key="teaching_switch",
        help=t("teaching.switch_help"),
        on_change=lambda: state.keep("teach", "1" if st.session_state["teaching_switch"] else None),
    )


def note(page: str) -> None:
    """The page's note, when teaching is on and it has one."""
    if not is_on() or page not in STEP_OF:
        return
    step = STEP_OF[page]
    with st.container(horizontal=True, vertical_alignment="center", key="teaching_note"):
        st.markdown(f":material/school: {t(f'teaching.note_{page}')}", width="stretch")
        st.page_link(
            PAGES["lesson"],
            label=t("teaching.to_step", step=t(f"lesson.step_{step}_long")),
            icon=":material/arrow_forward:",
            query_params=state.link_params(step=step),
        )
