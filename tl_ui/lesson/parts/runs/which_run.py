"""The run that the lesson speaks about: the person's own where there is one, else a recorded one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from tl_core.jobs import local
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.lesson import presenter
from tl_ui.lesson.parts.runs import recorded_runs as recorded
from tl_ui.widgets import run_picker

SPOKEN_OF = "lesson_spoken_of"
"""Session state: the run that was shown last. Advice opens Train with none chosen; whoever comes back from
there finds the same run."""


@dataclass(frozen=True)
class Shown:
    run: RunFolder
    is_recorded: bool

    @property
    def state(self) -> str:
        return "finished" if self.is_recorded else local.state(self.run)

    @property
    def poll_seconds(self) -> float | None:
        """How often to look again. A run at rest may be resumed in another tab; a recorded one stays."""
        return None if self.is_recorded else 1.0 if self.state in local.LIVE else 5.0

    def summary(self) -> dict[str, Any] | None:
        """None until it has finished. Raises: RunDamaged."""
        return self.run.read_summary()


def finished() -> Shown:
    """Draws the chooser or the note; for ideas about a result."""
    return _choose(run_picker.runs_with_results())


def any_run() -> Shown:
    """Also one that is still training, or has failed; for ideas about the training itself."""
    return _choose([run for run in run_picker.all_runs() if run.events_path.is_file()])


def _choose(runs: list[RunFolder]) -> Shown:
    if not runs:
        _note()
        return Shown(recorded.run(recorded.STAND_IN), True)
    spoken_of = st.session_state.get(SPOKEN_OF)
    if state.read("run") is None and spoken_of in [run.name for run in runs]:
        state.choose_run(spoken_of)
    chosen = run_picker.choose(runs, t("lesson.your_run"), "lesson_run")
    if chosen is None:
        _note()
        return Shown(recorded.run(recorded.STAND_IN), True)
    st.session_state[SPOKEN_OF] = chosen.name
    return Shown(chosen, False)


def _note() -> None:
    """A recorded run is called so, with the way to one's own."""
    with st.container(horizontal=True, vertical_alignment="center", key="recorded_note"):
        badge()
        if presenter.is_on():
            return
        st.caption(t("lesson.stand_in"), width="stretch")
        name = "train" if state.chosen_data() else "start"
        shell.link(name, t("lesson.train_own"), icon=":material/arrow_forward:")


def badge() -> None:
    st.badge(t("lesson.recorded"), color="gray", icon=":material/radio_button_checked:")
