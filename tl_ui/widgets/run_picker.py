"""The runs on this server as pages name, find, choose and follow them. The truth is on disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.base.events import Event
from tl_core.base.files.paths import runs_dir
from tl_core.base.files.reading import read_json
from tl_core.base.messages import say
from tl_core.jobs import local
from tl_core.runs import about
from tl_core.runs.event_log import EventLog
from tl_core.runs.run_folder import RunFolder, list_runs
from tl_ui.frame import shell, state
from tl_ui.frame.text import help_of, literal, name_of, t
from tl_ui.stores.memo import cached_data
from tl_ui.stores.runs.run_view import RunView, fold

MAX_LISTED = 200
"""Runs offered in a chooser, newest first."""

BADGES = {
    "queued": ("gray", ":material/hourglass_top:"),
    "running": ("green", ":material/play_circle:"),
    "stopping": ("orange", ":material/pending:"),
    "stopped": ("orange", ":material/pause_circle:"),
    "finished": ("blue", ":material/check_circle:"),
    "failed": ("red", ":material/error:"),
    "interrupted": ("red", ":material/power_off:"),
}


class Follower:
    """One run's events, read and added up once per change however many browsers ask."""

    def __init__(self, path: Path) -> None:
        self._log = EventLog(path)
        self._lock = threading.Lock()
        self._seen: tuple[int, Any] = (-1, None)
        self._view = RunView()

    def events(self) -> list[Event]:
        """All so far, oldest first; shared, so never change it."""
        return self._log.read()

    def read(self) -> RunView:
        """The view of all events so far; shared, so never change it."""
        events = self.events()
        seen = (len(events), id(events[-1]) if events else None)
        with self._lock:
            if seen != self._seen:
                self._seen, self._view = seen, fold(events)
            return self._view


@st.cache_resource(max_entries=64, show_spinner=False)
def _follower(events_path: str) -> Follower:
    return Follower(Path(events_path))


def view_of(run: RunFolder) -> RunView:
    """What the run's events add up to by now."""
    return _follower(str(run.events_path)).read()


def events_of(run: RunFolder) -> list[Event]:
    """The run's events so far; only what is new is read."""
    return _follower(str(run.events_path)).events()


def all_runs() -> list[RunFolder]:
    """Newest first, after them those that only measured something for another run; the chosen one stands at
    the end where it is older than all that are listed."""
    runs = list_runs(runs_dir())[:MAX_LISTED]
    runs.sort(key=lambda run: about.read(run).is_helper)  # keeps the order of time
    chosen = state.chosen_run()
    return runs if chosen is None or chosen in runs else [*runs, chosen]


def runs_with_model() -> list[RunFolder]:
    """Runs whose final model can classify, newest first."""
    return [run for run in all_runs() if (run.models / "final.safetensors").is_file()]


def runs_with_results() -> list[RunFolder]:
    return [run for run in all_runs() if run.summary_path.is_file()]


def label(run: RunFolder) -> str:
    """Name, day and hour: what a chooser shows. Nothing that changes by itself or with the language: the
    browser answers with the label it was given, and an older one would name no run."""
    created = datetime.fromtimestamp(run.created()).strftime("%m-%d %H:%M")
    return f"{about.name_of(run)}  ·  {created}"


def default(runs: Sequence[RunFolder]) -> RunFolder:
    """For somebody who has chosen none: the newest that has finished, else the newest. `runs` is not empty
    and in the order of `all_runs`, where what only measured something comes last."""
    own = [run for run in runs if not about.read(run).is_helper] or runs
    finished = (run for run in own if run.summary_path.is_file())
    # the best model so far of a run that goes on, or was stopped, has results too
    return next((run for run in finished if run.read_status().get("state") == "finished"), own[0])


def choose(runs: list[RunFolder], words: str, key: str) -> RunFolder | None:
    """A selectbox over `runs` that follows the address bar and is followed by it. `runs` is not empty.
    None: the chosen run is none of them, which is said; no other takes its place until one is chosen."""
    say_if_missing(runs)
    by_name = {run.name: run for run in runs}
    asked = state.read("run")
    shown = (asked if asked in by_name else None) if asked else default(runs).name
    # set before it is drawn, so that a link or another page's choice wins over an old widget value
    st.session_state[key] = shown
    labels = {name: label(run) for name, run in by_name.items()}
    name = st.selectbox(
        words,
        list(by_name),
        index=None if shown is None else 0,
        placeholder=t("runs.choose"),
        format_func=labels.get,
        key=key,
        on_change=lambda: state.choose_run(st.session_state[key]),
    )
    return by_name.get(name) if name else None


MOST_TOGETHER = 3
"""Beside the one that is chosen: each is a network in memory."""


def choose_more(runs: list[RunFolder], run: RunFolder, words: str, key: str) -> list[RunFolder]:
    """Runs of the same classes that may answer together with `run`; asks for none where there is none."""
    own = _classes(run.config_path)
    by_name = {one.name: one for one in runs if one != run and own and _classes(one.config_path) == own}
    if not by_name:
        return []
    labels = {name: label(one) for name, one in by_name.items()}
    names = st.multiselect(
        words,
        list(by_name),
        format_func=labels.get,
        max_selections=MOST_TOGETHER,
        placeholder=t("runs.choose_more"),
        help=help_of("ensemble"),
        key=f"{key}_{run.name}",
    )
    return [by_name[name] for name in names]


@cached_data(max_entries=MAX_LISTED)
def _classes(config: Path) -> frozenset[str]:
    """Of a run; none where its configuration cannot be read, which is said where it is used."""
    try:
        return frozenset((read_json(config) or {}).get("class_to_idx") or ())
    except TlError:
        return frozenset()


def say_if_missing(runs: list[RunFolder]) -> None:
    """Where the chosen run is none of those that the page can show: why, and the way to it. One that is
    gone is said by the frame."""
    run = state.chosen_run()
    if run is None or run in runs:
        return
    seen = local.state(run)
    reason = "trains" if seen in local.LIVE else "incomplete" if seen == "finished" else "unfinished"
    with st.container(horizontal=True, vertical_alignment="center", key="stands_in"):
        st.info(t(f"runs.{reason}", name=literal(about.name_of(run))), icon=":material/info:")
        shell.link("train", t("runs.to_chosen"), icon=":material/arrow_forward:")


def say_if_so_far(summary: dict[str, Any] | None) -> None:
    """That the model is a first answer, or what a stop has left, and no run's end."""
    if summary is not None and not summary.get("is_complete", True):
        stage = name_of(f"stage_{summary['final_stage']}")
        st.info(t("runs.so_far", stage=stage), icon=":material/hourglass_top:")


def badge(run_state: str) -> None:
    """The run's state as a coloured word."""
    colour, icon = BADGES.get(run_state, BADGES["queued"])
    st.badge(t(f"train.state_{run_state}"), color=colour, icon=icon)


def failure_text(error: dict[str, Any]) -> str:
    """An error kept in status.json or an event, said in the person's language."""
    language = state.language()
    for kind in _kinds(TlError):
        if kind.code == error.get("code"):
            return kind(**(error.get("values") or {})).message(language)
    return f"{say('error.unknown', language)} {error.get('message') or ''}".strip()


def _kinds(base: type[TlError]) -> list[type[TlError]]:
    return [kind for child in base.__subclasses__() for kind in [child, *_kinds(child)]]


def warning_text(code: str, values: dict[str, Any]) -> str:
    return say(f"warning.{code}", state.language(), **values)
