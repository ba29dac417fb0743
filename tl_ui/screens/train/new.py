"""Train, first half: set up a new run and start it."""

from __future__ import annotations

import streamlit as st

from tl_core.base.config import DEFAULT_PRESET, RunConfig
from tl_core.base.errors import ConfigError, TlError
from tl_core.base.files.paths import expanded
from tl_core.data import folders
from tl_core.data.curation import in_force
from tl_core.data.dataset import Dataset
from tl_core.runs.run_folder import MAX_NAME
from tl_ui.frame import shell, state, visitor
from tl_ui.frame.text import data_name, error_text, literal, number, t
from tl_ui.screens.train import again, before_start, beginning, control
from tl_ui.screens.train import settings as train_settings
from tl_ui.stores.runs.launching import start_run
from tl_ui.stores.sets import datasets, overview


def draw() -> None:
    """The form, with Start locked and the reason beside it until everything is ready."""
    counted, missing = _data()
    classes, counts = list(counted), list(counted.values())
    # one set of values per data set would surprise; a practice set only suggests its preset once
    choice = state.chosen_data()
    practice_set = datasets.practice_set_of(choice) if choice else None
    train_settings.prepare(practice_set or DEFAULT_PRESET)
    if classes:
        train_settings.fit_classes(classes)
    again.banner()
    with st.container(border=True, key="card_settings"):
        train_settings.simple(classes)
        with st.expander(t("train.advanced"), icon=":material/tune:", key="advanced"):
            train_settings.advanced(classes)
    if choice is not None and classes:
        beginning.panel(datasets.folder_of(choice))
    try:
        config = train_settings.chosen_config(classes)
    except ConfigError as error:
        config, missing = None, missing or error_text(error)
    if config and config.weights.startswith("file:"):
        missing = missing or _why_no_file(config.weights.removeprefix("file:"))
    missing = missing or train_settings.weights_missing(control.remembered("weights"))
    if config and choice is not None and counts and not missing:
        before_start.draw(config, datasets.folder_of(choice), counts)
    with st.container(horizontal=True, vertical_alignment="bottom", key="start_row"):
        st.text_input(
            t("train.run_name"),
            max_chars=MAX_NAME,
            placeholder=t("train.run_name_hint"),
            key=control.key_of("run_name"),
            persist_state="session",
            width=280,
        )
        is_asked = st.button(
            t("train.start"),
            type="primary",
            icon=":material/play_arrow:",
            key="start",
            disabled=bool(missing),
        )
    if missing:
        st.caption(f":material/lock: {missing}")
    if is_asked and not missing and config is not None and choice is not None:
        _start(choice, config)


def _why_no_file(typed: str) -> str | None:
    """Why the weights file that was typed will not do, in words."""
    if not typed:
        return t("train.needs_path")
    return None if visitor.may_read(expanded(typed).absolute()) else t("train.weights_elsewhere")


def _data() -> tuple[dict[str, int], str | None]:
    """Say which pictures will be used; returns how many each class has, and what is missing, if anything."""
    choice = state.chosen_data()
    with st.container(border=True, key="card_data", horizontal=True, vertical_alignment="center"):
        if choice is None:
            st.markdown(t("train.no_data"))
            shell.link("data", t("train.to_data"), icon=":material/arrow_forward:")
            return {}, t("train.needs_data")
        try:
            with st.spinner(t("train.reading")):
                dataset = overview.scanned(datasets.folder_of(choice))
                decided = [row for row in in_force(dataset.root) if row.decision != "keep"]
        except TlError as error:
            st.markdown(f":material/error: {error_text(error)}")
            shell.link("data", t("train.to_data"), icon=":material/arrow_forward:")
            return {}, error_text(error)
        counts = dataset.counts()
        total = t("train.data_is", name=literal(data_name(choice)), count=number(sum(counts.values())))
        parts = "  ·  ".join(f"{literal(name)} {number(count)}" for name, count in counts.items())
        st.markdown(f":material/photo_library: {total}  {parts}")
        if decided:
            st.caption(t("train.data_decided", count=number(len(decided))))
        if dataset.refused:
            st.caption(t("train.data_refused", count=number(len(dataset.refused))))
        shell.link("data", t("train.change_data"), icon=":material/swap_horiz:")
    return counts, _too_few(dataset)


def _too_few(dataset: Dataset) -> str | None:
    """Why a run would refuse these pictures, said before Start is pressed."""
    try:
        folders.refuse_too_few(dataset)
    except TlError as error:
        return error_text(error)
    return None


def _start(choice: datasets.DataChoice, config: RunConfig) -> None:
    try:
        with st.spinner(t("train.starting")):
            name = control.remembered("run_name")
            run = start_run(choice, config, name=name, records=again.records(config))
    except TlError as error:
        shell.show_error(error)
        return
    state.choose_run(run.name)
    st.rerun()
