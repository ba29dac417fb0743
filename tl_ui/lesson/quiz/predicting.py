"""Predict, then reveal: a question with a commitment, and what the class thought."""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.classroom import votes as tally
from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.lesson.quiz import bank, learner
from tl_ui.lesson.quiz.bank import Prediction

REFRESH_SECONDS = 5.0


def prediction(step: str) -> bool:
    """The prediction of one step, without heading or frame.

    True once this person has committed to an answer, or if the step has none: the caller shows the real
    result only then.
    """
    found = bank.predictions(state.language()).get(step)
    if found is None:
        return True
    with st.container(key=f"prediction_{step}"):
        st.markdown(found.prompt)
        chosen = learner.record().predictions.get(step)
        if chosen is None:
            chosen = _ask(found)
        if chosen is not None:
            _committed(found, chosen)
    return chosen is not None


def _ask(found: Prediction) -> str | None:
    """The answer just committed to; None as long as there is none."""
    option = st.radio(
        found.prompt,
        [option.id for option in found.options],
        format_func={option.id: option.text for option in found.options}.get,
        index=None,
        key=f"predict_{found.step}",
        label_visibility="collapsed",
    )
    st.caption(t("quiz.commit_says"))
    if not st.button(t("quiz.commit"), key=f"commit_{found.step}", type="primary", disabled=option is None):
        return None
    learner.predicted(found.step, option)
    try:
        tally.vote(found.step, learner.learner_key(), option)
    except TlError as error:
        shell.show_error(error)
    st.rerun()


def _committed(found: Prediction, chosen: str) -> None:
    own = next((option.text for option in found.options if option.id == chosen), chosen)
    st.markdown(f":material/lock: {t('quiz.you_said', answer=own)}")
    _class_tally(found.step, state.language())
    st.markdown(found.look)


@st.fragment(run_every=REFRESH_SECONDS)
def _class_tally(step: str, language: str) -> None:
    """One bar per answer; nothing while one is alone."""
    votes = tally.counts(step)
    total = sum(votes.values())
    if total < 2:
        return
    rows = "".join(
        f"<div><span>{escape(option.text)}</span><b>{votes.get(option.id, 0)}</b>"
        f'<i><i style="width:{100 * votes.get(option.id, 0) / total:.1f}%"></i></i></div>'
        for option in bank.predictions(language)[step].options
    )
    st.caption(t("quiz.class_said", count=total))
    st.html(f'<div class="hs-tally">{rows}</div>')
