"""Retrain the head on the mended labels, and show what that changed.

Two short runs of one recipe, with the same seed and the same parts: one follows the decisions, the other
ignores them. Whatever differs between them is the decisions' doing and not the recipe's. The second
is made only once. Which two belong together is read off their settings, so it outlives a reload.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import streamlit as st

from tl_core.base.config import RunConfig
from tl_core.base.errors import TlError
from tl_core.compute import repetition
from tl_core.compute.cpu_probe import machine
from tl_core.data.curation import CurationEdit
from tl_core.data.curation import read as read_decisions
from tl_core.jobs import local
from tl_core.jobs.local import LIVE
from tl_core.runs import about
from tl_core.runs.execution.workflow import DECISIONS
from tl_core.runs.report import comparison
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.steps import PAGES
from tl_ui.frame.text import number, t
from tl_ui.screens.compare import paired as paired_view
from tl_ui.screens.compare import view as compare_view
from tl_ui.screens.improve.checks import CheckedData
from tl_ui.stores.runs import launching, predictions
from tl_ui.widgets import run_picker

EPOCHS = 60
"""Of the head, at most: each takes a fraction of a second, and early stopping ends sooner."""


def recipe(run: RunFolder, use_decisions: bool) -> RunConfig:
    """The run's own settings, cut down to the head on features that are computed once.

    Raises: RunNotFound, RunDamaged, ConfigError.
    """
    config = run.settings()
    used = (run.read_config().get("weights_used") or {}).get("source", config.weights)
    return dataclasses.replace(
        config,
        weights=used,
        **{name: dataclasses.replace(stage, epochs=0) for name, stage in config.stages.items()}
        | {"head": dataclasses.replace(config.head, epochs=EPOCHS)},
        augment=False,
        use_decisions=use_decisions,
        # on the run's own machine both compute as it did; elsewhere nothing measured may come between them
        deterministic=config.deterministic or run.read_config().get("machine") != machine(),
    )


def made_before(place: CheckedData, use_decisions: bool) -> list[RunFolder]:
    """Runs of the recipe on these pictures, newest first, whatever their state."""
    assert place.run is not None
    wanted = recipe(place.run, use_decisions)
    found = []
    for run in run_picker.all_runs():
        try:
            if run.settings() == wanted and run.data() == place.path:
                found.append(run)
        except TlError:
            continue
    return found


def draw(place: CheckedData, made: Sequence[CurationEdit]) -> None:
    st.markdown(f"#### {t('improve.title_retrain')}")
    st.markdown(t("improve.says_retrain"))
    changing = [row for row in made if row.decision != "keep"]
    try:
        after = next((run for run in made_before(place, True) if _is_current(place, run)), None)
        before = _usable([run for run in made_before(place, False) if _is_current(place, run)])
    except TlError as error:
        shell.show_error(error)
        return
    is_same = after is not None and _decided(after) == {_essence(row) for row in changing}
    is_live = any(run is not None and local.state(run) in LIVE for run in (before, after))
    missing = t("improve.measuring") if is_live else t("improve.already") if is_same else ""
    missing = missing if changing else t("improve.nothing_decided")
    with st.container(horizontal=True, vertical_alignment="center"):
        is_asked = st.button(
            t("improve.retrain"),
            key="retrain",
            type="primary",
            icon=":material/model_training:",
            disabled=bool(missing),
        )
        st.caption(missing or t("improve.to_follow", count=number(len(changing))))
    if is_asked:
        _start(place, before)
    if after is not None and before is not None:
        _follow(place, before, after)


def _is_current(place: CheckedData, run: RunFolder) -> bool:
    """Whether the run was about the pictures as they lie there now; one that goes on is."""
    rows = predictions.rows(run)
    if not rows:
        return True
    followed = read_decisions(run.path / DECISIONS)
    seen = {row["file"] for row in rows} | {row.file for row in followed if row.decision == "exclude"}
    seen |= {one["name"] for one in (run.read_summary() or {}).get("refused", [])}
    seen -= {row.file for row in followed if row.decision == "add"}
    seen -= {one.name for one in place.dataset.refused}
    if {picture.name for picture in place.dataset.pictures} != seen:
        return False
    try:
        # a file's time is finer than a run's
        return all(int(picture.path.stat().st_mtime) <= run.created() for picture in place.dataset.pictures)
    except OSError:
        return False


def _usable(runs: list[RunFolder]) -> RunFolder | None:
    """The newest that has finished or still may."""
    return next((run for run in runs if local.state(run) in ("finished", *LIVE)), None)


def _essence(row: CurationEdit) -> tuple[str, str, str]:
    return row.file, row.decision, row.label


def _decided(run: RunFolder) -> set[tuple[str, str, str]]:
    """What the run followed, or will."""
    if local.state(run) not in ("finished", *LIVE):
        return set()
    return {_essence(row) for row in read_decisions(run.path / DECISIONS) if row.decision != "keep"}


def _start(place: CheckedData, before: RunFolder | None) -> None:
    assert place.run is not None
    called = about.name_of(place.run)
    try:
        for use_decisions, name in ((False, "improve.name_before"), (True, "improve.name_after")):
            if use_decisions or before is None:
                config = recipe(place.run, use_decisions)
                records = repetition.record(place.run.read_config(), called, config)
                launching.start_helper(place.path, config, t(name), records)
    except TlError as error:
        shell.show_error(error)
    else:
        st.rerun()


def _follow(place: CheckedData, before: RunFolder, after: RunFolder) -> None:
    """The two runs while they go on, then the difference."""
    states = [local.state(run) for run in (before, after)]
    for run, seen in zip((before, after), states, strict=True):
        if seen == "failed":
            st.error(run_picker.failure_text(run.read_status().get("error") or {}), icon=":material/error:")
    if all(seen == "finished" for seen in states):
        _difference(place, before, after)
    elif any(seen in LIVE for seen in states):
        _wait((before, after), states)


def _wait(runs: tuple[RunFolder, RunFolder], seen: list[str]) -> None:
    @st.fragment(run_every=1.0, key="retraining")
    def live() -> None:
        if [local.state(run) for run in runs] != seen:
            st.rerun()
        with st.container(border=True, key="card_retraining"):
            for run, words in zip(runs, ("improve.run_before", "improve.run_after"), strict=True):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(t(words))
                    run_picker.badge(local.state(run))
            st.caption(t("improve.wait"))

    live()


def _difference(place: CheckedData, before: RunFolder, after: RunFolder) -> None:
    with st.container(border=True, key="card_difference"):
        st.markdown(f"#### {t('improve.title_difference')}")
        try:
            paired = comparison.pair(before, after)
        except TlError as error:
            shell.show_error(error)
            return
        paired_view.show(paired, t("improve.before"), t("improve.after"), "difference")
        st.caption(t("improve.difference_reads", count=number(paired.num)))
    names = list(dict.fromkeys(run.name for run in (before, after, place.run) if run))
    with st.container(horizontal=True):
        st.page_link(
            PAGES["compare"],
            label=t("improve.to_compare"),
            icon=":material/compare_arrows:",
            query_params=compare_view.link(names),
        )
        shell.link("train", t("improve.to_train"), icon=":material/model_training:")
