"""Step 1: what is transferred, and what it is worth: the same pictures with and without it."""

from __future__ import annotations

import time

import streamlit as st

from tl_core.base.stages import STAGES
from tl_core.models.weights.locate import recorded_name
from tl_ui.frame import state
from tl_ui.frame.text import help_of, literal, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.lesson import presenter
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts import old_task, person_data
from tl_ui.lesson.parts.csv_button import csv_button
from tl_ui.lesson.parts.runs import beginnings, which_run
from tl_ui.lesson.parts.runs import recorded_runs as recorded
from tl_ui.lesson.parts.runs.race_chart import Runner, race, rows
from tl_ui.stores import shared_network
from tl_ui.stores.runs.run_view import fold
from tl_ui.widgets.html import pictures
from tl_ui.widgets.html.network_strip import network_name, network_of
from tl_ui.widgets.plotting.liveplot import liveplot

SECONDS_PER_EPOCH = 0.45
"""How fast a recorded run is played."""
GOOD = 0.8
"""Validation accuracy whose first epoch the table names."""


def tasks() -> None:
    """Both tasks as pictures."""
    before, after = st.columns(2, gap="medium")
    with before:
        st.markdown(f"**{t('lesson_transferred.task_a')}**")
        found = shared_network.weights()
        old_task.gallery(found.choice)
        st.metric(
            t("lesson_transferred.classes"), number(found.choice.num_classes or shared_network.OLD_CLASSES)
        )
        st.caption(recorded_name(found.choice.to_dict(), state.language()), help=help_of("weights"))
    with after:
        is_own = person_data.choice().kind != "sample"
        st.markdown(
            f"**{t('lesson_transferred.task_b' if is_own else 'lesson_transferred.task_b_practice')}**"
        )
        counts = person_data.counts()
        pictures.gallery(
            [(pictures.jpeg_uri(image), label) for label, image in person_data.examples()], px=84
        )
        st.metric(t("lesson_transferred.classes"), number(len(counts)))
        parts = " · ".join(f"{name} {number(count)}" for name, count in counts.items())
        st.caption(
            t(
                "lesson_transferred.pictures_of",
                name=literal(person_data.name()),
                total=number(sum(counts.values())),
            )
        )
        st.text(parts)


def runners() -> list[Runner]:
    colours = palette()
    looks = {"transfer": (colours.good, "solid"), "scratch": (colours.removed, "dash")}
    return [Runner(fold(recorded.events(name)), t(f"lesson.recorded_{name}"), *looks[name]) for name in looks]


def race_live() -> None:
    """Two recorded runs, played again epoch by epoch."""
    found = runners()
    longest = max(runner.num_epochs for runner in found)
    with st.container(horizontal=True, vertical_alignment="center"):
        which_run.badge()
        st.markdown(f"**{t('lesson_transferred.race_chart')}**", help=help_of("val"), width="stretch")
        if st.button(t("lesson.replay"), key="replay", icon=":material/replay:"):
            st.session_state["replay_began"] = time.time()
    began = st.session_state.get("replay_began")
    is_playing = began is not None and _epoch_at(began) < longest

    @st.fragment(run_every=0.3 if is_playing else None, key="race")
    def play() -> None:
        upto = _epoch_at(began) if is_playing else longest
        if is_playing and upto >= longest:
            st.rerun()
        liveplot(
            presenter.sized(race(found, upto, palette(), t)),
            key="race_chart",
            view=f"race-{state.is_dark()}",
            alt=t("lesson_transferred.race_chart"),
            failed=t("train.chart_failed"),
            height=320,
        )

    play()
    with st.container(horizontal=True, key="numbers_race"):
        for name in ("transfer", "scratch"):
            words = f"{name_of('test')}: {t(f'lesson.recorded_{name}')}"
            st.metric(words, _test_words(name), help=help_of("interval"), width="content")
    st.caption(settings_words("transfer"))
    csv_button(rows(found, t), "race")


def recorded_network() -> dict[str, str]:
    """For the words: which network both recorded runs are."""
    return {"network": network_name(network_of(recorded.config("transfer")))}


def _epoch_at(began: float) -> int:
    return int((time.time() - began) / SECONDS_PER_EPOCH) + 1


def settings_words(name: str) -> str:
    """How a recorded run was made, in one line."""
    config, summary = recorded.config(name), recorded.summary(name)
    return t(
        "lesson.recorded_settings",
        train=number(summary["split"]["train"]),
        val=number(summary["split"]["val"]),
        test=number(summary["split"]["test"]),
        px=config["image_px"],
        epochs=sum(config[stage]["epochs"] for stage in STAGES if stage in config),
        seed=config["seed"],
        device=summary["device"],
        threads=config["threads"],
    )


def numbers() -> None:
    """From scratch against transfer: measured here, and what papers report."""
    which_run.badge()
    names = ("scratch", "transfer", "head_only")
    facts = [_facts(name) for name in names]
    table = [
        {
            "": t(f"lesson_transferred.row_{row}"),
            **{t(f"lesson.recorded_{n}"): f[row] for n, f in zip(names, facts, strict=True)},
        }
        for row in facts[0]
    ]
    st.dataframe(table, hide_index=True, key="scratch_table", row_height=presenter.row_px())
    st.caption(settings_words("transfer"))
    csv_button(table, "scratch_or_transfer")
    st.caption(t("lesson_transferred.papers"))


def _facts(name: str) -> dict[str, str]:
    summary = recorded.summary(name)
    first = next((x for x, y in zip(*_points(name), strict=True) if y >= GOOD), None)
    stage = [event for event in recorded.events(name) if event.kind == "stage_started"][-1]
    return {
        "weights": recorded_name(summary["weights"], state.language()),
        "pictures": number(summary["split"]["train"]),
        "learns": number(stage.num_trainable),  # type: ignore[attr-defined]
        "seconds": t("lesson.seconds", seconds=number(summary["seconds"])),
        "good": "–" if first is None else t("lesson.epoch_number", number=first),
        "test": _test_words(name),
    }


def _test_words(name: str) -> str:
    """Test accuracy of a recorded run with its 95 % interval."""
    scores = recorded.summary(name)["reported"]["metrics"]
    low, high = scores["intervals"]["accuracy"]
    return f"{percent(scores['accuracy'])} ({percent(low, 0)} – {percent(high, 0)})"


def _points(name: str) -> tuple[list[int], list[float]]:
    runner = Runner(fold(recorded.events(name)), name, "", "")
    return runner.points(runner.num_epochs)


IDEAS = {
    "tasks": Idea(tasks, code=("tl_core.models.weights.sources:choose",)),
    "race": Idea(race_live, predicts=True, values=recorded_network),
    "beginnings": Idea(
        beginnings.show,
        code=("tl_core.models.weights.sources:_auto",),
        is_wide=True,
        values=beginnings.values,
    ),
    "numbers": Idea(numbers, code=("tl_core.runs.execution.workflow:execute",), is_wide=True),
}
