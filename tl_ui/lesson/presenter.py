"""The lesson on a projector: `?present=1`. Large type, one idea per screen, nothing of the workbench.

Turned with the buttons at the foot, with the arrow keys, and with PageUp and PageDown, which is what
the small clickers for slides send. Esc leaves.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from tl_ui.frame import state
from tl_ui.frame.text import t
from tl_ui.lesson import path
from tl_ui.lesson.idea import idea_of
from tl_ui.lesson.parts.fitted import fitted
from tl_ui.lesson.path import STEPS, LessonPlace

CHART_SCALE = 1.3
ROW_PX = 32
SCREEN, FOOT = "present_screen", "present_turn"
KEYS = {"back": ("Left", "PageUp"), "next": ("Right", "PageDown")}


def is_on() -> bool:
    return state.read("present") == "1"


def enter() -> None:
    state.keep("present", "1")


def leave() -> None:
    state.keep("present", None)


def style() -> None:
    """All sizes of text follow the root's, so one rule enlarges them; the frame of the page goes."""
    st.html("<style>" + _RULES + "</style>")


def where(place: LessonPlace) -> None:
    """A thin line at the top: which step this is."""
    width = 100 * (path.PLACES.index(place) + 1) / len(path.PLACES)
    st.html(
        f'<div class="hs-present"><b>{place.number} / {len(STEPS)}</b> '
        f"{t(f'lesson.step_{place.step}_long')}<i><u style='width:{width:.1f}%'></u></i></div>"
    )


def screen() -> DeltaGenerator:
    """The container of what is shown, made small enough to end above the foot."""
    return st.container(key=SCREEN)


def turn(place: LessonPlace) -> None:
    """Back, Next, the way out and the teacher's notes, at the foot of the screen."""
    earlier, following = path.before(place), path.after(place)
    with st.container(horizontal=True, horizontal_alignment="distribute", key=FOOT):
        _button("back", t("lesson.back"), path.go_back, place, earlier is None)
        st.button(t("lesson.leave"), key="present_leave", type="tertiary", shortcut="Esc", on_click=leave)
        _notes(place)
        _button("next", t("lesson.next"), path.go_on, place, following is None)
    fitted(SCREEN, FOOT)


def _button(name: str, words: str, action, place: LessonPlace, is_end: bool) -> None:
    arrow, page = KEYS[name]
    with st.container(key=f"present_keys_{name}", width="content", gap=None):
        st.button(
            words, key=f"present_{name}", shortcut=arrow, disabled=is_end,
            on_click=action, args=(place,),
        )  # fmt: skip
        # a button listens to one key; this one is never seen
        st.button(
            words, key=f"present_{name}_page", shortcut=page, disabled=is_end, on_click=action, args=(place,)
        )


def sized(figure: dict[str, Any]) -> dict[str, Any]:
    """The chart, on a projector with larger letters: Plotly's are pixels, which no style rule scales."""
    return _enlarged(figure) if is_on() else figure


def chart_px(usual: int, low: int) -> int:
    """The height of a chart under long words: low on a projector of 1280 x 720, so that all of it is seen."""
    return low if is_on() else usual


def row_px() -> int | None:
    """Of a table; None leaves it to Streamlit, whose rows grow with the letters more than a screen allows."""
    return ROW_PX if is_on() else None


def _enlarged(value: Any, is_font: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: round(item * CHART_SCALE) if is_font and key == "size" else _enlarged(item, "font" in key)
            for key, item in value.items()
        }
    return [_enlarged(item) for item in value] if isinstance(value, list) else value


def _notes(place: LessonPlace) -> None:
    """For the teacher, closed until they are wanted."""
    icon = ":material/sticky_note_2:"
    box = st.popover(t("lesson.notes"), icon=icon, key="notes", on_change="rerun", type="tertiary")
    if box.open:
        with box:
            is_quiz = place.idea == path.QUIZ
            if is_quiz:
                st.markdown(t("lesson.quiz_teacher"))
            else:
                st.markdown(t(f"lesson_{place.step}.{place.idea}_teacher", **idea_of(place).given()))


_RULES = """
html { font-size: 20px; }
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"],
[data-testid="stHeader"], [data-testid="stToolbar"] { display: none !important; }
[data-testid="stMainBlockContainer"] { max-width: 1640px; padding: .6rem 2.2rem 3.6rem; }
[class*="st-key-lesson_words"] [data-testid="stMarkdownContainer"] p { font-size: 1.12rem; line-height: 1.6;
  max-width: none; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: .5rem; }
.st-key-lesson_live [data-testid="stVerticalBlock"], .st-key-lesson_live { gap: .55rem; }
.st-key-lesson_live :is([data-testid="stCaptionContainer"], label) p { font-size: .8rem; }
.st-key-lesson_live pre { padding: .5rem .7rem !important; }
.st-key-lesson_live pre :is(code, code *) { font-size: .68rem !important; line-height: 1.35 !important; }
.st-key-lesson_live .hs-heads { gap: .15rem; }
.st-key-lesson_live .hs-heads div { line-height: 1.3; }
.st-key-pick_picture .hs-gallery { grid-template-columns: repeat(6, 52px); }
.st-key-pick_picture :is(figcaption, [data-testid="stWidgetLabel"]) { display: none; }
.hs-maps > div { grid-template-columns: repeat(6, 74px); }
.hs-maps { margin-bottom: .2rem; }
.hs-story { max-height: 500px; font-size: .95rem; }
.st-key-fitted_present_screen { position: absolute; }
.st-key-present_turn { position: fixed; left: 0; right: 0; bottom: 0; padding: .5rem 2.2rem;
  background: var(--hs-page); border-top: 1px solid var(--hs-line); z-index: 20; }
[class*="st-key-present_"][class*="_page"] { position: absolute; visibility: hidden; height: 0;
  overflow: hidden; }
"""
