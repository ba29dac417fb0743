"""Train: one setting's control, made from what stands with its field; its value outlives the page."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Any

import streamlit as st

from tl_core.base.config import RunConfig, preset, setting_named
from tl_core.base.setting import all_settings
from tl_ui.frame import state
from tl_ui.frame.text import catalogue, help_of, name_of, t


def key_of(name: str) -> str:
    return "set_" + name.replace(".", "_")


def remembered(name: str) -> Any:
    return st.session_state[key_of(name)]


def kept(name: str) -> dict[str, Any]:
    """The widget's key, and that its value outlives the page."""
    return {"key": key_of(name), "persist_state": "session"}


def draw_group(group: str, without: Collection[str] = ()) -> None:
    """The settings that say they belong to it, two beside each other. without: stages that are left out."""
    names = [name for name, one in all_settings(RunConfig).items() if one.group == group]
    names = [name for name in names if name.partition(".")[0] not in without]
    for start in range(0, len(names), 2):
        columns = st.columns(2, vertical_alignment="bottom")
        for column, name in zip(columns, names[start : start + 2], strict=False):
            with column:
                draw(name)


def draw(name: str) -> None:
    one = setting_named(name)
    label, says = _words(name)
    if bool in one.kinds:
        st.toggle(label, help=says, **kept(name))
    elif one.choices:
        labels = {value: _choice_words(name, value) for value in one.choices}
        st.selectbox(label, one.choices, format_func=labels.get, help=says, **kept(name))
    elif one.low is not None and one.high is not None and one.step is not None:
        kind = int if one.is_whole else float
        st.number_input(
            label,
            kind(one.low),
            kind(one.high),
            step=kind(one.step),
            format="%d" if one.is_whole else "%g",
            help=says,
            **kept(name),
        )
    else:
        st.text_input(label, help=says, **kept(name))


def _words(name: str) -> tuple[str, str]:
    """What it is called, and what its "?" says: with its range, and the chosen recipe's value."""
    one = setting_named(name)
    own = f"train.{name.replace('.', '_')}"
    label, says = (name_of(one.term), help_of(one.term)) if one.term else (t(own), t(f"{own}_help"))
    usual = attrgetter(name)(preset(remembered("preset")))
    about = one.range_in_words(state.language(), usual) if one.low is not None else ""
    return label, f"{says} ({about})" if about else says


def _choice_words(name: str, value: str) -> str:
    """A library or a number format is called what it is in every language."""
    return catalogue(state.language()).get(f"train.{name}_{value}", value)
