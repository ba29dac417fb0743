"""Start, of somebody who was here before: what is running, my runs, my pictures."""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.base.files.paths import runs_dir
from tl_core.jobs import local
from tl_core.runs import about, trash
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell, state
from tl_ui.frame.text import data_name, literal, name_of, number, t
from tl_ui.screens.train import again
from tl_ui.stores.runs.scores import reported
from tl_ui.stores.sets import datasets, upload_limits
from tl_ui.widgets import run_picker, score_rows
from tl_ui.widgets.sets import own_sets

FEW = 6
"""Runs listed before "all"."""


def draw() -> None:
    """Nothing on the first visit."""
    trash.empty(runs_dir())
    own_sets.remember()
    upload_limits.tidy()
    runs = run_picker.all_runs()
    live = [run for run in runs if local.state(run) in local.LIVE]
    if live:
        with st.container(border=True, key="card_running"):
            _running([run.name for run in live])
    thrown = trash.list_thrown_away(runs_dir())
    if runs or thrown:
        with st.container(border=True, key="card_runs"):
            _runs([run for run in runs if run not in live], [run for run, _ in thrown])
    sets = own_sets.listed()
    if sets or st.session_state.get("deleted_set"):
        with st.container(border=True, key="card_sets"):
            st.subheader(t("runs.sets_title"), anchor=False)
            own_sets.show(sets)


def _running(names: list[str]) -> None:
    st.subheader(t("runs.running_title"), anchor=False)

    @st.fragment(run_every=2.0, key="running")
    def live() -> None:
        runs = [run for run in run_picker.all_runs() if local.state(run) in local.LIVE]
        if [run.name for run in runs] != names:
            st.rerun()
        for run in runs:
            with st.container(horizontal=True, vertical_alignment="center", key=f"live_{run.name}"):
                st.html(_words(about.name_of(run), _how_far(run)), width="stretch")
                run_picker.badge(local.state(run))
                if st.button(t("runs.watch"), key=f"watch_{run.name}", icon=":material/visibility:"):
                    shell.go("train", run=run.name)

    live()


def _how_far(run: RunFolder) -> str:
    view = run_picker.view_of(run)
    stage = view.current
    if stage is None or not stage.num_planned:
        return pictures_of(run)
    epochs = t("train.epoch_of", epoch=len(stage.epochs), epochs=stage.num_planned)
    return f"{pictures_of(run)} · {name_of(f'stage_{stage.name}')} · {epochs}"


def _runs(runs: list[RunFolder], thrown: list[RunFolder]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(t("runs.title"), anchor=False, width="stretch")
        is_all = len(runs) > FEW and st.toggle(t("runs.all", count=number(len(runs))), key="all_runs")
    for run in runs if is_all else runs[:FEW]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"run_{run.name}"):
            _run(run)
    if not runs:
        st.caption(t("runs.none"))
    _undo(thrown)


def _run(run: RunFolder) -> None:
    said, seen = about.read(run), local.state(run)
    notes = [pictures_of(run)]
    score = _score(run)
    notes += [score] if score else []
    notes += [t("runs.helper")] if said.is_helper else []
    st.html(_words(run_picker.label(run), " · ".join(notes), said.note), width="stretch")
    if seen != "finished":
        run_picker.badge(seen)
    page = "results" if seen == "finished" else "train"
    if st.button(t("runs.open"), key=f"open_{run.name}", icon=":material/arrow_forward:"):
        shell.go(page, run=run.name)
    _menu(run, said)


def _score(run: RunFolder) -> str:
    try:
        summary = run.read_summary()
    except TlError:
        return ""
    return f"{name_of('accuracy')} {score_rows.words(reported(summary), 'accuracy')}" if summary else ""


def pictures_of(run: RunFolder) -> str:
    """What the run's pictures are called: by their own name where this server knows them."""
    try:
        path = run.data()
    except TlError:
        return "–"
    practice = datasets.practice_set_at(path)
    if practice:
        return t(f"shell.sample_{practice}")
    choice = datasets.at(path)
    return data_name(choice) if choice else path.name


def _menu(run: RunFolder, said: about.About) -> None:
    with st.popover(t("runs.menu"), icon=":material/more_horiz:", type="tertiary", key=f"menu_{run.name}"):
        title, note = f"title_{run.name}", f"note_{run.name}"
        st.text_input(
            t("runs.name"), value=said.title, placeholder=run.name, max_chars=about.MAX_TITLE, key=title,
            on_change=_say, args=(run, "title", title),
        )  # fmt: skip
        st.text_area(
            t("runs.note"), value=said.note, max_chars=about.MAX_NOTE, height=80, key=note,
            on_change=_say, args=(run, "note", note),
        )  # fmt: skip
        if st.button(t("runs.again"), key=f"again_{run.name}", icon=":material/content_copy:"):
            _again(run)
        st.caption(t("runs.delete_says", days=trash.KEPT_DAYS))
        st.button(
            t("runs.delete"),
            key=f"delete_{run.name}",
            icon=":material/delete:",
            on_click=_delete,
            args=(run,),
        )


def _say(run: RunFolder, what: str, key: str) -> None:
    try:
        about.write(run, **{what: st.session_state[key]})
    except TlError as error:
        shell.show_error(error)


def _again(run: RunFolder) -> None:
    """The form with this run's settings and pictures, to change and start."""
    try:
        config = run.read_config()
    except TlError as error:
        shell.show_error(error)
        return
    again.open_train(config, {}, about.name_of(run))


def _delete(run: RunFolder) -> None:
    if local.state(run) in local.LIVE:  # resumed in another tab
        return
    try:
        trash.throw_away(run)
    except TlError as error:
        shell.show_error(error)
        return
    st.session_state["deleted_run"] = run.name
    if state.read("run") == run.name:
        state.keep("run", None)


def _undo(thrown: list[RunFolder]) -> None:
    """The last one deleted here at once, the others folded away."""
    last = st.session_state.get("deleted_run")
    for run in thrown:
        if run.name == last:
            _row_of_thrown(run)
    others = [run for run in thrown if run.name != last]
    if others:
        with st.expander(t("runs.thrown", count=number(len(others))), icon=":material/delete:", key="thrown"):
            for run in others:
                _row_of_thrown(run)


def _row_of_thrown(run: RunFolder) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"thrown_{run.name}"):
        st.caption(t("runs.deleted", name=literal(about.name_of(run))), width="stretch")
        st.button(
            t("runs.restore"), key=f"restore_{run.name}", icon=":material/undo:", type="tertiary",
            on_click=_restore, args=(run.name,),
        )  # fmt: skip


def _restore(name: str) -> None:
    try:
        trash.restore(runs_dir(), name)
    except TlError as error:
        shell.show_error(error)


def _words(name: str, words: str, note: str = "") -> str:
    said = f"<em>{escape(note)}</em>" if note else ""
    return f'<div class="hs-row"><b>{escape(name)}</b><span>{escape(words)}</span>{said}</div>'
