"""Panels of the Start page."""

from __future__ import annotations

import streamlit as st

from tl_core.base.config import RunConfig
from tl_core.base.errors import TlError
from tl_core.base.messages import say
from tl_core.synthetic.practice import SAMPLES
from tl_ui.frame import shell, state
from tl_ui.frame.text import help_of, name_of, number, reason_text, t
from tl_ui.stores import machine
from tl_ui.stores.runs import launching
from tl_ui.stores.sets.datasets import DataChoice, find
from tl_ui.widgets import choice
from tl_ui.widgets.sets import practice_sets


def practice_panel() -> None:
    """Choose a practice set and run the whole thing on it."""
    with st.container(border=True, key="card_practice"):
        st.subheader(t("start.try_title"), anchor=False)
        name = choice.one_of(
            "practice_set", t("start.practice"), SAMPLES, lambda name: t(f"shell.sample_{name}"), is_kept=True
        )
        practice_sets.show(name)
        st.caption(t(f"start.about_{name}"))
        found = _weights_found()
        source = "auto" if found else "random"
        if found == "formula" and name in practice_sets.WITH_FORMULA:
            st.caption(t("start.small_pictures", px=practice_sets.WITH_FORMULA[name]["image_px"]))
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            if st.button(
                t("start.run") if source == "auto" else t("start.run_scratch"),
                key="run_practice",
                type="primary",
                icon=":material/play_arrow:",
            ):
                _run(find(name), practice_sets.settings(name, source, found))
            if st.button(t("start.own"), key="own_pictures", icon=":material/folder_open:"):
                # the question for pictures of one's own, whatever was chosen before
                st.session_state.update(data_source="upload", is_choosing_data=True)
                shell.go("data")


def _weights_found() -> str | None:
    """What `auto` comes down to now; None where nothing pre-trained can be used, and then says so."""
    with st.spinner(t("start.checking")):
        found = machine.auto_weights()
    if not found.source:
        st.warning(t("start.scratch"), icon=":material/warning:")
    return found.source


def _run(choice: DataChoice, config: RunConfig) -> None:
    bar = st.progress(0.0, text=t("start.starting"))

    def drawn(done: int, total: int) -> None:
        if done % 5 == 0 or done == total:
            bar.progress(done / total, text=t("start.drawing", done=done, total=total))

    try:
        run = launching.start_run(choice, config, drawn)
    except TlError as error:
        bar.empty()
        shell.show_error(error)
        return
    shell.go("train", data=choice.id, run=run.name)


def machine_panel() -> None:
    """Device, weights and number format that a run would use now."""
    with st.container(border=True, key="card_machine"):
        st.subheader(t("start.machine"), anchor=False)
        found = machine.machine()
        device = found["gpus"][0] if found["gpus"] else t("start.cpu", cores=found["cores"])
        _fact("device", device, "" if found["gpus"] else found["cpu"])
        auto = machine.auto_weights()
        _fact(
            "weights",
            t(f"start.weights_{auto.source}") if auto.source else t("start.weights_none"),
            _why(auto),
        )
        precision = found["precision"]
        _fact(
            "number_format",
            precision or t("start.unmeasured"),
            "" if precision else t("start.measured_later"),
        )
        gib = found["memory_free_bytes"] / 2**30
        st.caption(t("start.memory", gib=number(gib, 1)))


def _why(auto: machine.AutoWeights) -> str:
    if auto.source:
        from tl_core.models.weights.sources import auto_why

        # why not the first choice, without the advice to use what is used already
        lines = [t(f"start.weights_{auto.source}_why")]
        lines += [say(f"why.{auto_why(reason)}", state.language()) for _, reason, _ in auto.missing]
    else:
        lines = [
            t(
                "start.weights_missing",
                source=t(f"start.weights_{source}"),
                reason=reason_text(reason, detail),
            )
            for source, reason, detail in auto.missing
        ]
    if auto.note:
        lines.append(t("start.weights_download"))
    return " ".join(lines)


def _fact(term: str, value: str, note: str) -> None:
    with st.container(gap=None, key=f"fact_{term}"):
        st.caption(name_of(term), help=help_of(term))
        st.markdown(f"**{value}**")
        if note:
            st.caption(note)
