"""The controls that take an answer, one per kind of question. Each returns what is chosen so far: ids of
options, in the order chosen, or the number as text; () while nothing is."""

from __future__ import annotations

import streamlit as st

from tl_core.models.weights.locate import recorded_name
from tl_ui.frame import state
from tl_ui.frame.text import help_of, number, t
from tl_ui.frame.theme import palette
from tl_ui.lesson.quiz.bank import Question
from tl_ui.lesson.quiz.marking import shuffled
from tl_ui.lesson.quiz.recorded import recording
from tl_ui.stores.runs.run_view import epoch_rows
from tl_ui.widgets import downloads
from tl_ui.widgets.html.network_strip import last_units, network_name, network_of
from tl_ui.widgets.plotting.curves import curves, legend
from tl_ui.widgets.plotting.liveplot import still


def ask(question: Question, learner: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """before: the answer given last time, to start from."""
    match question.kind:
        case "several":
            return _several(question, learner, before)
        case "order":
            return _order(question, learner, before)
        case "bug":
            return _bug(question, before)
        case "number":
            return _number(question, before)
        case _:
            return _one(question, learner, before)


def _one(question: Question, learner: str, before: tuple[str, ...]) -> tuple[str, ...]:
    options = shuffled(question, learner)
    ids = [option.id for option in options]
    chosen = st.radio(
        question.prompt,
        ids,
        format_func={option.id: option.text for option in options}.get,
        index=ids.index(before[0]) if before and before[0] in ids else None,
        key=f"quiz_{question.id}",
        label_visibility="collapsed",
    )
    return (chosen,) if chosen else ()


def _several(question: Question, learner: str, before: tuple[str, ...]) -> tuple[str, ...]:
    st.caption(t("quiz.several"))
    return tuple(
        option.id
        for option in shuffled(question, learner)
        if st.checkbox(option.text, value=option.id in before, key=f"quiz_{question.id}_{option.id}")
    )


def _order(question: Question, learner: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """Press the steps one after another: works with a finger, and needs no drag and drop."""
    key = f"order_{question.id}"
    options = shuffled(question, learner)
    known = {option.id: option.text for option in options}
    chosen: list[str] = st.session_state.setdefault(key, [one for one in before if one in known])
    st.caption(t("quiz.order"))
    with st.container(gap="xsmall", key=f"placed_{question.id}"):
        for place, option_id in enumerate(chosen, start=1):
            st.markdown(f"**{place}.** {known[option_id]}")
        for option in options:
            if option.id not in chosen and st.button(option.text, key=f"quiz_{question.id}_{option.id}"):
                chosen.append(option.id)
                st.rerun()
    if chosen and st.button(
        t("quiz.again"), key=f"again_{question.id}", icon=":material/undo:", type="tertiary"
    ):
        chosen.clear()
        st.rerun()
    return tuple(chosen) if len(chosen) == len(options) else ()


def _bug(question: Question, before: tuple[str, ...]) -> tuple[str, ...]:
    st.code(question.code, language="python", line_numbers=True)
    lines = [option.id for option in question.options]
    chosen = st.segmented_control(
        t("quiz.line"),
        lines,
        default=before[0] if before and before[0] in lines else None,
        key=f"quiz_{question.id}",
    )
    return (chosen,) if chosen else ()


def _number(question: Question, before: tuple[str, ...]) -> tuple[str, ...]:
    text = st.text_input(
        t("quiz.number"),
        value=before[0] if before else "",
        max_chars=20,
        key=f"quiz_{question.id}",
        width=220,
    )
    return (text.strip(),) if text.strip() else ()


def chart(question: Question) -> None:
    """The recorded run that a question is about, with its settings and its numbers to take along."""
    found = recording(question.recording)
    words = t(f"train.chart_{question.metric}")
    st.markdown(f"**{words}**", help=help_of(question.metric))
    key = f"recorded_{question.id}"
    still(curves(found.view, question.metric, palette(), t), key=key, alt=words, height=280)
    st.html(legend(found.view, palette(), t))
    with st.container(horizontal=True, vertical_alignment="center", key=f"about_{question.id}"):
        st.caption(_settings(question.recording))
        name = f"headswap-{question.recording}.csv"
        downloads.table_button(epoch_rows(found.view), name, key=f"csv_{question.id}")


def _settings(name: str) -> str:
    found, summary = recording(name).settings, recording(name).summary
    backbone = network_of(found)
    return t(
        "quiz.recorded",
        data=t(f"shell.sample_{found['data']}"),
        train=number(summary["split"]["train"]),
        val=number(summary["split"]["val"]),
        px=found["image_px"],
        network=network_name(backbone),
        weights=recorded_name(summary["weights"], state.language()),
        blocks=last_units(backbone, found["unfreeze_blocks"], "explain"),
        rate=found["finetune"]["learning_rate"],
        seed=found["seed"],
    )
