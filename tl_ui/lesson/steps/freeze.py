"""Step 5: what to freeze: three strategies, the map of the real network, and what a run really changed."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from tl_core.models.families.registry import architecture
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts.csv_button import csv_button
from tl_ui.lesson.parts.runs import recorded_runs as recorded
from tl_ui.lesson.parts.runs import which_run
from tl_ui.stores import shared_network
from tl_ui.stores.memo import cached_data
from tl_ui.widgets import choice
from tl_ui.widgets.html.network_strip import last_units, network_name, network_of, part_names, strip, units_of

STRATEGIES = ("head", "last", "whole")
"""As the guides name them; gradual is head, then last."""
BYTES_PER_NUMBER = 12
"""Kept for each number that learns: its gradient and Adam's two running means, four bytes each.
Source: Kingma & Ba 2015, arXiv:1412.6980, algorithm 1."""


@dataclass(frozen=True)
class Row:
    part: str
    num_parameters: int
    is_trainable: bool
    num_batchnorms: int
    is_batchnorm_fixed: bool


def units_trained(backbone: str, strategy: str) -> int:
    """Groups, stages or blocks that learn in a strategy, in this network."""
    one = architecture(backbone)
    return {"head": 0, "last": one.family.default_unfreeze, "whole": one.num_units}[strategy]


@st.cache_data(max_entries=8, show_spinner=False)
def freeze_map(num_units: int, backbone: str) -> list[Row]:
    """Read off a real network after the product's own freezing and `train()`."""
    from torch import nn

    from tl_core.models.build import skeleton

    model = skeleton("timm", 2, 0.3, backbone)
    model.unfreeze_last(num_units)
    model.train()
    rows = []
    for part, (total, trainable) in model.parameter_counts().items():
        norms = [m for module in model.part_modules(part) for m in module.modules()]
        norms = [m for m in norms if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        rows.append(Row(part, total, trainable > 0, len(norms), not any(m.training for m in norms)))
    return rows


def pick(key: str) -> str:
    labels = {name: t(f"lesson_freeze.strategy_{name}") for name in STRATEGIES}
    return choice.one_of(
        key, t("lesson_freeze.strategy"), STRATEGIES, labels.get, first="last", is_kept=True, width="stretch"
    )


def strategies() -> None:
    """Which parts learn in each, and when to choose it."""
    name = pick("freeze_strategy")
    backbone = shared_network.weights().choice.backbone
    num = units_trained(backbone, name)
    rows = freeze_map(num, backbone)
    learning = [row.part for row in rows if row.is_trainable]
    st.html(strip(units_of(backbone), learning, {row.part: row.num_parameters for row in rows}))
    _legend()
    st.caption(f"{network_name(backbone)}: {last_units(backbone, num, 'learn')}")
    st.markdown(t(f"lesson_freeze.strategy_{name}_says"))
    learns, total = _learning(rows), sum(row.num_parameters for row in rows)
    with st.container(horizontal=True, key="numbers_freeze"):
        st.metric(t("lesson_freeze.learns"), number(learns), help=help_of("parameters"), width="content")
        st.metric(t("lesson_freeze.share"), percent(learns / total), width="content")


def _learning(rows: list[Row]) -> int:
    return sum(row.num_parameters for row in rows if row.is_trainable)


def _legend() -> None:
    colours = palette()
    shell.legend(
        [(colours.head, f"▲ {t('train.box_learns')}"), (colours.backbone, f"❄ {t('train.box_frozen')}")]
    )


def map_live() -> None:
    """Part by part: frozen or not, how many numbers, and what BatchNorm does."""
    backbone = shared_network.weights().choice.backbone
    rows = freeze_map(units_trained(backbone, pick("freeze_strategy")), backbone)
    names = part_names(units_of(backbone))
    table = [
        {
            t("lesson_freeze.column_part"): names[row.part],
            t("lesson_freeze.column_state"): ("▲ " if row.is_trainable else "❄ ")
            + t("train.box_learns" if row.is_trainable else "train.box_frozen"),
            name_of("parameters"): number(row.num_parameters),
            t("lesson_freeze.column_norms"): _norm_words(row),
        }
        for row in rows
    ]
    st.dataframe(table, hide_index=True, key="freeze_map", height=38 + 35 * len(table))
    csv_button(table, "freeze_map")


def _norm_words(row: Row) -> str:
    if not row.num_batchnorms:
        return "–"
    mode = t("lesson_freeze.norm_fixed" if row.is_batchnorm_fixed else "lesson_freeze.norm_moves")
    return f"{row.num_batchnorms} · {mode}"


def change() -> None:
    """Measured on a finished run: the weights at the end against those at the beginning."""
    shown = which_run.finished()
    stages = list((shown.summary() or {}).get("best") or {})
    labels = {stage: name_of(f"stage_{stage}") for stage in stages}
    stage = choice.one_of(
        f"change_stage_{len(stages)}",
        t("lesson_freeze.after"),
        stages,
        labels.get,
        first=stages[-1],
        is_labelled=True,
    )
    with st.spinner(t("lesson_freeze.measuring")):
        found = recorded.changes(shown.run.name)[stage] if shown.is_recorded else measured(shown.run, stage)
    largest = max(part["relative"] for part in found[:-1]) or 1.0
    st.markdown(f"**{t('lesson_freeze.change_chart')}**")
    names = part_names(units_of(network_of(shown.run.read_config())))
    bars = "".join(_bar(part, names[part["part"]], largest) for part in found)
    st.html(f'<div class="hs-change">{bars}</div>')
    _legend()
    st.caption(t("lesson_freeze.change_note"))
    csv_button(found, "change")


def _bar(part: dict[str, Any], name: str, largest: float) -> str:
    touched = part["num_changed"] + part["num_statistics_changed"]
    kind = "learns" if touched else "frozen"
    width = min(100 * part["relative"] / largest, 100)
    words = percent(part["relative"], 2) if touched else t("lesson_freeze.exactly_zero")
    if touched and not part["num_changed"]:
        words = t("lesson_freeze.only_statistics", count=number(part["num_statistics_changed"]))
    mark = "▲" if touched else "❄"
    return (
        f"<span>{mark} {escape(name)}</span>"
        f'<i class="{kind}"><u style="width:{width:.1f}%"></u></i><b>{escape(words)}</b>'
    )


@cached_data(max_entries=16)
def measured(run: RunFolder, stage: str) -> list[dict[str, Any]]:
    """Raises: TlError: files missing, damaged, or the weights are no longer here."""
    from tl_core.inference.weight_change import weight_change

    return [part.to_dict() for part in weight_change(run, stage)]


def cost() -> None:
    """What freezing saves: counted numbers, and the pace of the recorded runs."""
    which_run.badge()
    table = []
    for name, run, stage in (
        ("head", "gradual", "head"), ("last", "gradual", "finetune"), ("whole", "transfer", "finetune")
    ):  # fmt: skip
        backbone = network_of(recorded.config(run))
        learns = _learning(freeze_map(units_trained(backbone, name), backbone))
        seconds = [
            event.epoch_seconds for event in recorded.events(run)  # type: ignore[attr-defined]
            if event.kind == "epoch_end" and event.stage == stage
        ]  # fmt: skip
        table.append(
            {
                t("lesson_freeze.strategy"): t(f"lesson_freeze.strategy_{name}"),
                t("lesson_freeze.learns"): number(learns),
                t("lesson_freeze.memory"): t(
                    "lesson_freeze.mib", mib=number(learns * BYTES_PER_NUMBER / 2**20, 1)
                ),
                t("lesson_freeze.pace"): t(
                    "lesson.seconds", seconds=number(sorted(seconds)[len(seconds) // 2], 1)
                ),
            }
        )
    st.dataframe(table, hide_index=True, key="freeze_cost")
    config = recorded.config("gradual")
    st.caption(
        t("lesson_freeze.cost_note", px=config["image_px"], threads=config["threads"], views=config["views"])
    )
    csv_button(table, "freeze_cost")


IDEAS = {
    "strategies": Idea(strategies, code=("tl_core.models.backbone:TransferModel.unfreeze_last",)),
    "map": Idea(map_live, code=("tl_core.models.backbone:TransferModel.train",)),
    "change": Idea(
        change, code=("tl_core.inference.weight_change:measure",), predicts=True, tells_the_answer=True
    ),
    "cost": Idea(cost, code=("tl_core.models.backbone:TransferModel._freeze_before",)),
}
