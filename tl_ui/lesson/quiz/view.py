"""A step's quiz as a card: one question at a time, an explanation for every answer, no points, no hurry."""

from __future__ import annotations

import streamlit as st

from tl_core.classroom.learners import QuizAnswer
from tl_ui.frame import state
from tl_ui.frame.text import t
from tl_ui.lesson.quiz import asking, bank, learner, marking
from tl_ui.lesson.quiz.bank import Question


def show(step: str) -> None:
    """The quiz of one step, without a heading; nothing where the step has no questions."""
    questions = bank.of_step(state.language(), step)
    if not questions:
        return
    with st.container(border=True, key=f"card_quiz_{step}"):
        at = _choose(step, questions)
        if _question(questions[at]) and at + 1 < len(questions):
            st.button(
                t("quiz.next"),
                key=f"next_quiz_{step}",
                icon=":material/arrow_forward:",
                type="tertiary",
                on_click=_go_to,
                args=(step, at + 1),
            )
        learner.panel(step)


def _go_to(step: str, at: int) -> None:
    st.session_state[f"quiz_at_{step}"] = at


def _choose(step: str, questions: tuple[Question, ...]) -> int:
    """The place of the first open question, or of the one that is picked."""
    answers = learner.record().answers
    key = f"quiz_at_{step}"
    if key not in st.session_state:
        open_ones = [i for i, question in enumerate(questions) if not _is_done(answers.get(question.id))]
        st.session_state[key] = open_ones[0] if open_ones else 0
    places = list(range(len(questions)))
    at = st.segmented_control(
        t("quiz.which"),
        places,
        # plain numbers: a label that changes with the answers would break the browser's choice
        format_func={place: str(place + 1) for place in places}.get,
        required=True,
        key=key,
        persist_state="session",
        label_visibility="collapsed",
    )
    return min(at or 0, len(questions) - 1)


def _is_done(answer: QuizAnswer | None) -> bool:
    return answer is not None and answer.is_right


def _question(question: Question) -> bool:
    """True once it is answered right."""
    before = learner.record().answers.get(question.id)
    st.markdown(question.prompt)
    if question.recording:
        asking.chart(question)
    given = asking.ask(question, learner.learner_key(), before.given if before else ())
    if st.button(t("quiz.check"), key=f"check_{question.id}", disabled=not given):
        learner.answered(question.id, given, marking.is_right(question, given))
        before = learner.record().answers[question.id]
    # an answer that is being changed is not judged by what was said to the one before
    if before is None or not _is_same(question, before.given, given):
        return False
    _feedback(question, given)
    return before.is_right


def _is_same(question: Question, before: tuple[str, ...], given: tuple[str, ...]) -> bool:
    """Another learner's options stand in another order, and so do those chosen of them."""
    return before == given if question.kind == "order" else set(before) == set(given)


def _feedback(question: Question, given: tuple[str, ...]) -> None:
    if marking.is_right(question, given):
        st.success(question.right, icon=":material/check:")
        if question.mended:
            st.caption(t("quiz.mended"))
            st.code(question.mended, language="python")
        _others(question, given)
        return
    for remark in marking.remarks(question, given):
        st.warning(remark, icon=":material/close:")
    if missing := marking.num_missing(question, given):
        st.info(t("quiz.missing", count=missing), icon=":material/more_horiz:")


def _others(question: Question, given: tuple[str, ...]) -> None:
    """What would have been said to the other answers: worth reading when one only guessed right."""
    others = [option for option in question.options if option.why and option.id not in given]
    if question.kind in ("order", "number"):
        others = [option for option in question.options if option.why] if question.kind == "order" else []
    if not others:
        return
    with st.expander(t("quiz.why_this_order") if question.kind == "order" else t("quiz.others")):
        for place, option in enumerate(others, start=1):
            name = {"order": str(place), "bug": t("quiz.line_number", number=option.id)}.get(
                question.kind, option.text
            )
            st.markdown(f"**{name}** — {option.why}")
