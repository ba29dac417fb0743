"""One idea of the lesson on the screen: its words on one side, something live on the other."""

from __future__ import annotations

import streamlit as st

from tl_core.base.errors import TlError
from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.lesson import path, presenter, quiz, stepper
from tl_ui.lesson.handouts import glossary as glossary_view
from tl_ui.lesson.handouts import plan as lesson_plan_view
from tl_ui.lesson.idea import Idea, idea_of
from tl_ui.lesson.parts import code_view
from tl_ui.lesson.path import QUIZ, LessonPlace
from tl_ui.lesson.quiz import learner

VIEWS = {"glossary": glossary_view.show, "plan": lesson_plan_view.show}
"""Beside the path, under `?lesson_view=…`; links of before say `view`, as those of Explore did."""
VIEW = "lesson_view"
WIDTHS = (4, 7)
"""Words to live part."""


def draw() -> None:
    """The whole page below the shell."""
    place = path.here()
    if presenter.is_on():
        presenter.style()
        presenter.where(place)
        with presenter.screen():
            _idea(place)
        presenter.turn(place)
        return
    state.rename("view", VIEW, tuple(VIEWS))
    view = state.read(VIEW)
    _head(view if view in VIEWS else None)
    if view in VIEWS:
        VIEWS[view]()
        return
    stepper.row(place)
    _idea(place)
    stepper.turn(place)


def _head(view: str | None) -> None:
    """The title, and what stands beside the path: glossary, lesson plan, the projector."""
    title = t(f"lesson.view_{view}") if view else t("lesson.title")
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_head", gap="small"):
        st.title(title, anchor=False, width="stretch")
        if view:
            st.button(
                t("lesson.to_lesson"),
                key="to_lesson",
                icon=":material/arrow_back:",
                on_click=_see,
                args=(None,),
            )
            return
        for name, icon in (("glossary", ":material/menu_book:"), ("plan", ":material/schedule:")):
            words = t(f"lesson.view_{name}")
            st.button(words, key=f"see_{name}", icon=icon, type="tertiary", on_click=_see, args=(name,))
        st.button(
            t("lesson.present"), key="present", icon=":material/slideshow:", type="tertiary",
            help=t("lesson.present_help"), on_click=presenter.enter,
        )  # fmt: skip


def _see(view: str | None) -> None:
    state.keep(VIEW, view)


def _idea(place: LessonPlace) -> None:
    if place.idea == QUIZ:
        if not presenter.is_on():
            stepper.progress(place)
        st.subheader(t("lesson.quiz_title"), anchor=False)
        quiz.show(place.step)
        return
    idea = idea_of(place)
    has_predicted = idea.predicts and place.step in learner.record().predictions
    if idea.is_wide:
        left, right = st.container(), st.container()
    else:
        left, right = st.columns(WIDTHS, gap="large")
    if not idea.tells_the_answer:
        with left:
            _words(place)
    with right:
        is_open = _live(place, idea, has_predicted)
    with left:
        if idea.tells_the_answer:  # only now is it known whether the prediction is made
            _words(place, is_hidden=not is_open)
        if has_predicted:
            _what_was_said(place)


def _words(place: LessonPlace, is_hidden: bool = False) -> None:
    with st.container(key="lesson_words"):
        if not presenter.is_on():
            stepper.progress(place)
        if is_hidden:
            st.subheader(t("lesson.predict_title"), anchor=False)
            st.markdown(t("lesson.predict_says"))
            return
        st.subheader(t(f"lesson_{place.step}.{place.idea}_title"), anchor=False)
        st.markdown(t(f"lesson_{place.step}.{place.idea}_says", **idea_of(place).given()))


def _what_was_said(place: LessonPlace) -> None:
    """One's own prediction and the class's, under the words: the result keeps its place beside them."""
    with st.container(key="lesson_said", gap="small"):
        st.markdown(f"**{t('lesson.prediction')}**")
        quiz.prediction(place.step)


def _live(place: LessonPlace, idea: Idea, has_predicted: bool) -> bool:
    """False while the prediction is still to be made."""
    with st.container(border=True, key=f"card_{place.step}_{place.idea}"):
        if idea.predicts and not has_predicted:
            st.markdown(f"**{t('lesson.prediction')}**")
            if not quiz.prediction(place.step):
                st.caption(f":material/lock: {t('lesson.predict_first')}")
                return False
        try:
            with st.container(key="lesson_live"):
                idea.live()
        except TlError as error:
            shell.show_error(error)
        if idea.code:
            code_view.show(idea.code, f"{place.step}_{place.idea}")
    return True
