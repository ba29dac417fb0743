"""Step 6: two stages: why the head goes first, why the second stage walks slowly, and what helps."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from tl_core.jobs import local
from tl_core.runs.report.epoch_axis import marks
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import state
from tl_ui.frame.text import help_of, literal, name_of, t
from tl_ui.frame.theme import palette
from tl_ui.lesson import presenter
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts import person_data
from tl_ui.lesson.parts.csv_button import csv_button
from tl_ui.lesson.parts.runs import which_run
from tl_ui.lesson.parts.runs.story import story
from tl_ui.stores.runs.run_view import RunView, epoch_rows
from tl_ui.widgets import choice, run_picker
from tl_ui.widgets.html import pictures
from tl_ui.widgets.plotting.charts import Figure, layout_of
from tl_ui.widgets.plotting.curves import curves, legend, rate
from tl_ui.widgets.plotting.liveplot import liveplot, still

AIDS = ("augmentation", "class_weight", "number_format", "scheduler", "early_stopping")
NUM_VIEWS = 5
ICONS = {
    "run_started": "●", "stage_started": "▶", "new_best": "★", "learning_rate_reduced": "↓",
    "early_stopped": "✖", "stage_ended": "■", "run_ended": "✔",
}  # fmt: skip


def first() -> None:
    """The loss of every stage, on one axis: what happens where stage 2 begins."""
    shown = which_run.any_run()
    seen = shown.state

    @st.fragment(run_every=shown.poll_seconds, key="first_live")
    def live() -> None:
        if shown.state != seen:
            st.rerun()
        view = run_picker.view_of(shown.run)
        if view.last_epoch is None:
            st.caption(t("lesson_two_stages.not_yet"))
            return
        st.markdown(f"**{t('lesson_two_stages.first_chart')}**", help=help_of("loss"))
        liveplot(
            presenter.sized(curves(view, "loss", palette(), t)),
            key="first_loss",
            view=f"{shown.run.name}-{state.is_dark()}",
            alt=t("lesson_two_stages.first_chart"),
            failed=t("train.chart_failed"),
            height=330,
        )
        st.html(legend(view, palette(), t))

    live()
    csv_button(epoch_rows(run_picker.view_of(shown.run)), "epochs")


def rate_live() -> None:
    """The learning rate at every epoch, as the run really used it."""
    shown = which_run.any_run()
    view = run_picker.view_of(shown.run)
    epochs = epoch_rows(view)
    # a head that was calculated in one go has taken no steps
    rows = [row for row in epochs if row["learning_rate"] > 0]
    if len(rows) < len(epochs):
        st.caption(t("lesson_two_stages.no_rate"))
    if not rows:
        if not epochs:
            st.caption(t("lesson_two_stages.not_yet"))
        return
    st.markdown(f"**{t('lesson_two_stages.rate_chart')}**", help=help_of("learning_rate"))
    still(
        presenter.sized(rate_chart(rows, view)),
        key="rate_chart",
        alt=t("lesson_two_stages.rate_chart"),
        height=300,
    )
    with st.container(horizontal=True, key="numbers_rate"):
        for stage in view.ordered:
            used = [row["learning_rate"] for row in rows if row["stage"] == stage.name]
            if used:
                st.metric(name_of(f"stage_{stage.name}"), rate(used[0]), width="content")
    csv_button(rows, "learning_rate")


def rate_chart(rows: list[dict[str, Any]], view: RunView) -> Figure:
    """Steps on a scale on which a tenth is always equally far; epochs as on the other curves of the run."""
    colours = palette()
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": [row["epoch_of_run"] for row in rows],
        "y": [row["learning_rate"] for row in rows], "marker": {"size": 5},
        "line": {"color": colours.backbone, "width": 3, "shape": "hv"},
        "text": [f"{row['epoch']}: {rate(row['learning_rate'])}" for row in rows],
        "hovertemplate": "%{text}<extra></extra>", "name": name_of("learning_rate"),
    }  # fmt: skip
    layout = layout_of(colours) | {"showlegend": False}
    places, words = marks([stage.num_planned for stage in view.ordered])
    layout["xaxis"]["title"]["text"] = t("train.axis_epoch")
    layout["xaxis"] |= {"tickvals": places, "ticktext": words}
    layout["yaxis"]["title"]["text"] = name_of("learning_rate")
    layout["yaxis"] |= {"type": "log", "exponentformat": "power", "dtick": 1}
    return {"data": [trace], "layout": layout}


def aids() -> None:
    """One of the five helpers: what it does, and what it did in this run."""
    shown = which_run.any_run()
    labels = {name: name_of(name) for name in AIDS}
    name = choice.one_of("aid", t("lesson_two_stages.aid"), AIDS, labels.get)
    st.markdown(t(f"lesson_two_stages.aid_{name}"))
    config, view = shown.run.read_config(), run_picker.view_of(shown.run)
    st.markdown(f":material/tune: {_setting(name, config, view)}")
    if name == "augmentation":
        own = person_data.choice() if shown.is_recorded else person_data.of_run(shown.run)
        if own is None:  # no other pictures stand in for those of a person's run
            return
        uris = augmented(person_data.examples(own)[0][1])
        names = [t("lesson_two_stages.original"), *("" for _ in uris[1:])]
        pictures.gallery(list(zip(uris, names, strict=True)), px=104)


def _setting(name: str, config: dict[str, Any], view: RunView) -> str:
    """What this run had, in a sentence."""
    values: dict[str, Any] = {}
    end = ""
    match name:
        case "augmentation":
            values = {"target": config["target_per_class"]}
            end = "" if values["target"] else "_unfilled"
            end = end if config["augment"] else "_off"
        case "class_weight":
            weights = config["class_weights"] or {
                label: config["positive_weight"] if label == config["positive_class"] else 1.0
                for label in config["class_to_idx"]
            }
            values = {
                "weights": " · ".join(f"{literal(label)} {value:g}" for label, value in weights.items())
            }
        case "number_format":
            begun = view.started
            values = {"precision": begun.precision, "device": begun.device} if begun else {}
            end = "" if begun else "_unknown"
        case "scheduler":
            drops = sum(len(stage.drops) for stage in view.ordered)
            values = {"patience": config["scheduler_patience"], "drops": drops}
        case _:
            stops = [stage.early_stop for stage in view.ordered if stage.early_stop]
            values = {"patience": config["early_stopping_patience"]}
            if stops:
                values, end = {"epoch": stops[-1].epoch, "best": stops[-1].best_epoch}, "_stopped"
            elif not config["early_stopping_patience"]:
                end = "_off"
    return t(f"lesson_two_stages.had_{name}{end}", **values)


@st.cache_data(max_entries=8, show_spinner=False)
def augmented(image: np.ndarray) -> list[str]:
    """The picture itself and a few of its augmented views, by the product's own augmenter.
    image: (H, W, 3) uint8."""
    from tl_core.data.pixels.augment import augment

    views = [image, *(augment(image, key=(0, n)) for n in range(1, NUM_VIEWS + 1))]
    return [pictures.jpeg_uri(view) for view in views]


def story_live() -> None:
    """What the run did, in sentences, as it happens."""
    shown = which_run.any_run()
    seen = shown.state

    @st.fragment(run_every=shown.poll_seconds, key="story_live")
    def live() -> None:
        if shown.state != seen:
            st.rerun()
        if seen in local.LIVE:
            run_picker.badge(seen)
        _tell(shown.run, seen)

    live()


def _tell(run: RunFolder, seen: str) -> None:
    lines = story(run_picker.events_of(run), t)
    if seen in local.LIVE:
        lines.reverse()  # what has just happened stands on top
    if not lines:
        st.caption(t("lesson_two_stages.not_yet"))
    rows = "".join(
        f'<li class="{line.kind}"><i>{ICONS.get(line.kind, "•")}</i><span>'
        + (f"<b>{escape(t('lesson.epoch_number', number=line.epoch))}</b> " if line.epoch else "")
        + f"{escape(line.text)}</span></li>"
        for line in lines
    )
    st.html(f'<ol class="hs-story">{rows}</ol>')


IDEAS = {
    "first": Idea(first, code=("tl_core.training.trainer:Trainer.fit",), predicts=True),
    "rate": Idea(rate_live, code=("tl_core.training.stage_state:StageState.__init__",)),
    "aids": Idea(
        aids,
        code=(
            "tl_core.data.pixels.augment:augmenter",
            "tl_core.training.trainer:Trainer._is_out_of_patience",
        ),
    ),
    "story": Idea(story_live, code=("tl_core.training.trainer:Trainer._train_epoch",)),
}
