"""Before Start: what the run will do, in order, and how long that takes on this machine."""

from __future__ import annotations

import subprocess
import sys
from html import escape
from pathlib import Path

import streamlit as st

from tl_core.base.config import RunConfig
from tl_core.base.files.paths import child_environment
from tl_core.compute import cpu_probe
from tl_core.compute.device import guess_device
from tl_core.data import folders
from tl_core.runs.execution import plan
from tl_core.runs.execution.plan import in_words, step_time, step_words
from tl_ui.frame import state
from tl_ui.frame.text import t


def draw(config: RunConfig, data: Path, counts: list[int]) -> None:
    """The steps with their times; measured once, beside, on a machine that has never trained."""
    if _measure_once(config):
        # looks again until the measurement is there
        st.fragment(_waiting, run_every=2.0)()
    language = state.language()
    read_seconds = _read_seconds(str(data), config.image_px)
    made = plan.make(config, counts, plan.network_of(config), read_seconds).to_say()
    rows = "".join(
        f"<dt>{escape(step_time(step, language))}</dt><dd>{escape(step_words(step, language))}</dd>"
        for step in made.steps
        if not step.is_extra
    )
    with st.container(border=True, key="card_plan"):
        st.markdown(f"**{t('train.plan_title', time=in_words(made.seconds, language))}**")
        if made.first_answer_seconds is not None:
            st.markdown(t("train.plan_first", time=in_words(made.first_answer_seconds, language)))
        st.html(f'<dl class="hs-facts">{rows}</dl>')
        for step in made.steps:
            if step.is_extra:
                values = {"what": step_words(step, language), "time": in_words(step.seconds, language)}
                st.caption(t("train.plan_extra", **values))
        if not made.is_measured:
            st.caption(t("train.plan_guessed"))


@st.cache_data(max_entries=32, show_spinner=False)
def _read_seconds(data: str, image_px: int) -> float | None:
    return plan.read_seconds(folders.scan(Path(data)).pictures, image_px)


def _measure_once(config: RunConfig) -> bool:
    """Whether the processor's speed is just being measured, by a process that was started for it."""
    is_needed = guess_device(config.device) == "cpu" and cpu_probe.probe_seconds() is None
    return is_needed and _measuring().poll() is None


@st.cache_resource(show_spinner=False)
def _measuring() -> subprocess.Popen[bytes]:
    code = "from tl_core.compute.cpu_probe import cpu_probe; cpu_probe()"
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-c", code], env=child_environment(), **quiet)


def _waiting() -> None:
    if cpu_probe.probe_seconds() is not None or _measuring().poll() is not None:
        st.rerun()
    st.caption(f":material/speed: {t('train.plan_measuring')}")
