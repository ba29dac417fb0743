"""The frame around every page. `page = shell.start("train")` is the first call of each page file: page
settings, language, colours, and a sidebar of our own with the state of every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.base.files.paths import runs_dir
from tl_core.jobs import local
from tl_core.runs.run_folder import list_runs
from tl_ui.frame import missing, state, teaching, theme, visitor
from tl_ui.frame.steps import DEEPER, LEARN, MAIN, PAGES, Step, steps
from tl_ui.frame.text import error_text, t

ICONS = {
    "done": ":material/check_circle:",
    "here": ":material/radio_button_checked:",
    "open": ":material/radio_button_unchecked:",
    "running": "spinner",
    "locked": ":material/lock:",
}

PAGE_ICONS = {
    "explore": ":material/travel_explore:",
    "improve": ":material/build:",
    "compare": ":material/compare_arrows:",
    "lesson": ":material/school:",
    "head_swap": ":material/swap_horiz:",
}


@dataclass(frozen=True)
class Page:
    name: str
    language: str
    is_dark: bool


def start(name: str) -> Page:
    """Set up the page called `name` and draw the sidebar. The first call of every page file."""
    language = state.language()
    st.set_page_config(
        page_title=f"{t(f'shell.page_{name}')} · Headswap",
        page_icon="🧩",
        layout="wide",
        # a menu of our own keeps Streamlit's light/dark switch, which "minimal" would hide with it
        menu_items={"About": t("shell.about")},
    )
    if not visitor.is_welcome():
        st.error(t("shell.not_called_so"))
        st.stop()
    _preload()
    state.mirror()
    st.html(theme.style())
    st.logo(theme.ASSETS / "wordmark.svg", icon_image=theme.ASSETS / "mark.svg", size="large")
    with st.sidebar:
        _sidebar(name)
    missing.say()
    teaching.note(name)
    return Page(name, language, state.is_dark())


def header(title: str, lead: str) -> None:
    """The page's heading and the one or two sentences under it."""
    st.title(title, anchor=False)
    st.html(f'<p class="hs-lead">{escape(lead)}</p>')


def go(name: str, **changes: str | None) -> None:
    """Go to another page, taking the choices along: `shell.go("train", run="…")`."""
    for key, value in changes.items():
        state.keep(key, value)
    st.switch_page(PAGES[name], query_params=state.link_params())


def link(name: str, label: str, **options) -> None:
    """A link to another page that takes the choices along."""
    st.page_link(PAGES[name], label=label, query_params=state.link_params(), **options)


def next_step(name: str, label: str) -> None:
    """The button at the end of a page that leads to the next step."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(label, key=f"next_{name}", type="primary", icon=":material/arrow_forward:"):
            go(name)


def show_error(error: TlError) -> None:
    """An error the person can mend, in their language."""
    st.error(error_text(error), icon=":material/error:")


def legend(items: list[tuple[str, str]]) -> None:
    """Coloured squares with their names: (CSS colour, text)."""
    spans = "".join(f'<span><i style="background:{c}"></i>{escape(text)}</span>' for c, text in items)
    st.html(f'<div class="hs-legend">{spans}</div>')


@st.cache_resource(show_spinner=False)
def _preload() -> None:
    """Import the heavy modules once, before the first page: two browsers that reconnect to a fresh
    server at the same moment could meet a half-imported pandas otherwise."""
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401


def _sidebar(here: str) -> None:
    found = {step.name: step for step in _steps(here)}
    with st.container(key="steps"):
        for index, name in enumerate(MAIN, start=1):
            _step_link(found[name], f"{index}. {t(f'shell.page_{name}')}")
        for group in (DEEPER, LEARN):
            st.divider()
            for name in group:
                _step_link(found[name], t(f"shell.page_{name}"), icon=PAGE_ICONS[name])
        st.divider()
    teaching.switch()
    _language_switch()
    if not visitor.is_behind_gate():
        st.caption(t("shell.no_gate"))


def _step_link(step: Step, label: str, icon: str | None = None) -> None:
    with st.container(key=f"step_{step.name}_{step.state}"):
        st.page_link(
            PAGES[step.name],
            label=label,
            icon=icon or ICONS[step.state],
            disabled=step.state == "locked",
            query_params=state.link_params(),
            width="stretch",
            # no `help`: with one Streamlit draws the link twice, one of them hidden
        )
        if step.reason:
            st.caption(t(f"shell.{step.reason}"))


def _language_switch() -> None:
    # the labels stay untranslated: each language is called by its own name
    st.session_state["language_switch"] = state.language()
    st.segmented_control(
        t("shell.language"),
        list(state.LANGUAGES),
        format_func=state.LANGUAGES.get,
        key="language_switch",
        required=True,
        on_change=lambda: state.keep("lang", st.session_state["language_switch"]),
        label_visibility="collapsed",
        width="stretch",
    )


def _steps(here: str) -> list[Step]:
    run = state.chosen_run()
    runs = list_runs(runs_dir())
    return steps(
        here,
        has_data=state.chosen_data() is not None,
        run_state=local.state(run) if run else None,
        has_runs=bool(runs),
        has_results=any(other.summary_path.is_file() for other in runs),
    )
