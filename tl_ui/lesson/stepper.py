"""Where one is in the lesson: the row of steps, and Back and Next."""

from __future__ import annotations

import streamlit as st

from tl_ui.frame.text import t
from tl_ui.lesson import path
from tl_ui.lesson.path import STEPS, LessonPlace


def row(place: LessonPlace) -> None:
    """One button per step: a tick on what is done, a border around where one is."""
    done = path.done()
    with st.container(horizontal=True, key="stepper", gap="small"):
        for number, step in enumerate(STEPS, start=1):
            look = "here" if step == place.step else "done" if step in done else "open"
            with st.container(key=f"stepper_{look}_{step}", width="content"):
                st.button(
                    f"{number} {t(f'lesson.step_{step}')}",
                    key=f"to_{step}",
                    icon=":material/check:" if step in done else None,
                    type="tertiary",
                    help=t(f"lesson.step_{step}_long"),
                    on_click=path.go_to,
                    args=(path.start_of(step),),
                )


def progress(place: LessonPlace) -> None:
    """The ideas of this step as dots."""
    ideas = STEPS[place.step]
    dots = "".join(f'<i class="{_look(number, place)}"></i>' for number in range(1, len(ideas) + 1))
    words = t("lesson.idea_of", number=place.idea_number, total=len(ideas))
    st.html(f'<div class="hs-ideas" role="img" aria-label="{words}">{dots}<span>{words}</span></div>')


def _look(number: int, place: LessonPlace) -> str:
    return "here" if number == place.idea_number else "past" if number < place.idea_number else "open"


def turn(place: LessonPlace) -> None:
    """Back and Next at the foot of the page."""
    with st.container(horizontal=True, horizontal_alignment="distribute", key="turn"):
        st.button(
            t("lesson.back"),
            key="lesson_back",
            icon=":material/arrow_back:",
            disabled=path.before(place) is None,
            on_click=path.go_back,
            args=(place,),
        )
        is_end = path.after(place) is None
        is_finished = is_end and place.step in path.done()
        if is_finished:
            st.markdown(f":material/check_circle: {t('lesson.finished')}", width="content")
        else:
            st.button(
                t("lesson.finish" if is_end else "lesson.next"),
                key="lesson_next",
                type="primary",
                icon=":material/check:" if is_end else ":material/arrow_forward:",
                icon_position="right",
                on_click=path.go_on,
                args=(place,),
            )
