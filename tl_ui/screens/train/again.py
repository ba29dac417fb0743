"""A run's settings again, with some of them changed: from a piece of advice, or as a copy to work on."""

from __future__ import annotations

import dataclasses
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from tl_core.base.config import RunConfig
from tl_core.base.stages import STAGES
from tl_core.compute import repetition
from tl_ui.frame import shell, state
from tl_ui.frame.text import literal, t
from tl_ui.screens.train import settings as train_settings
from tl_ui.screens.train.control import key_of
from tl_ui.stores.sets import datasets
from tl_ui.widgets import setting_words

_FROM = "train_again"
"""Session state: the run whose settings stand in the form, and what was changed in them."""


def differing(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{setting: (the run's, the new one)} of the changes that change something; class weights as they were in
    force."""
    found = {}
    for name, new in changes.items():
        old: Any = RunConfig().to_dict() | config
        for step in name.split("."):
            old = old[step]
        if name == "class_weights":
            old = setting_words.weights_in_force(config)
        if old != new:
            found[name] = (old, new)
    return found


def open_train(config: dict[str, Any], changes: dict[str, Any], name: str, why: str = "") -> None:
    """Fill the form with the run's settings, lay the changes over them, and go there.

    Args: name: what the run is called. why: the changes' reason, a sentence.
    """
    fill(config, changes)
    st.session_state[_FROM] = {"config": config, "changes": changes, "name": name, "why": why}
    _choose_pictures(Path(str(config.get("data", ""))))
    state.keep("run", None)
    shell.go("train")


def banner() -> None:
    """On the form: which run its settings are from, what was changed and why, and one press back."""
    begun = st.session_state.get(_FROM)
    if begun is None:
        return
    changed = differing(begun["config"], begun["changes"])
    with st.container(border=True, key="card_again"):
        st.markdown(f":material/content_copy: {t('runs.again_of', name=literal(begun['name']))}")
        if begun["why"]:
            st.markdown(begun["why"])
        rows = [
            f"<div><b>{escape(setting_words.name(setting))}</b>"
            f"<span>{escape(setting_words.value(setting, old))}</span><i>→</i>"
            f"<mark>{escape(setting_words.value(setting, new))}</mark></div>"
            for setting, (old, new) in changed.items()
        ]
        if rows:
            st.html(f'<div class="hs-changed">{"".join(rows)}</div>')
        with st.container(horizontal=True):
            if rows:
                st.button(t("runs.again_back"), key="again_back", icon=":material/undo:", on_click=_back)
            st.button(t("runs.again_leave"), key="again_leave", type="tertiary", on_click=leave)


def records(config: RunConfig) -> dict[str, Any]:
    """What a run with these settings keeps of the one they are from, if they are from one."""
    begun = st.session_state.get(_FROM)
    return repetition.record(begun["config"], begun["name"], config) if begun else {}


def leave() -> None:
    """The settings stay; where they are from is forgotten."""
    st.session_state.pop(_FROM, None)


def _back() -> None:
    begun = st.session_state[_FROM]
    fill(begun["config"], {})
    st.session_state[_FROM] = begun | {"changes": {}, "why": ""}


def _choose_pictures(path: Path) -> None:
    """The run's own where they are still there; else what is chosen stays."""
    practice = datasets.practice_set_at(path)
    known = datasets.at(path)
    if practice or known:
        state.choose_data(practice or known.id)  # type: ignore[union-attr]
    elif path.is_dir() or path.is_file():
        state.choose_data(datasets.add_folder(path).id)


def fill(config: dict[str, Any], changes: dict[str, Any]) -> None:
    """Write the run's settings into the form, the changes over them."""
    preset = config["preset"]
    train_settings.prepare(preset)
    st.session_state[key_of("preset")] = preset
    for name, value in settings(config, changes).items():
        st.session_state[key_of(name)] = value


def settings(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """{name as the form keeps it: value}. Pure, for tests."""
    # a run from before a setting existed was made with its default
    config = RunConfig().to_dict() | config
    values: dict[str, Any] = {}
    for field in dataclasses.fields(RunConfig):
        value = config[field.name]
        if isinstance(value, dict) and field.name in STAGES:
            values |= {f"{field.name}.{name}": item for name, item in value.items()}
        elif field.name not in ("weights", "class_weights"):
            values[field.name] = value
    values |= {name: value for name, value in changes.items() if name != "class_weights"}
    values["positive_class"] = config["positive_class"] or ""
    source = config["weights"]
    values["weights"] = "file" if source.startswith("file:") else source
    values["weights_file"] = source.removeprefix("file:") if source.startswith("file:") else ""
    values["strategy"] = train_settings.strategy_of(values)
    if not values["unfreeze_blocks"]:
        values["unfreeze_blocks"] = RunConfig().unfreeze_blocks
    values["whole.epochs"] = values["whole.epochs"] or STAGES["whole"].epochs
    weights = changes.get("class_weights") or config["class_weights"]
    values["use_class_weights"] = bool(weights)
    values |= {f"class_weight.{name}": float(value) for name, value in (weights or {}).items()}
    return values
