"""From a piece of advice to the Train page with the run's settings and the advised ones changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import streamlit as st

from tl_core.base.config import NUM_BLOCK_GROUPS, RunConfig
from tl_ui.frame import shell, state
from tl_ui.screens.train import settings as train_settings
from tl_ui.screens.train.settings import key_of


def open_train(config: dict[str, Any], changes: dict[str, Any]) -> None:
    """Fill the form with the run's settings, lay the changes over them, and go there."""
    preset = config["preset"]
    train_settings.prepare(preset)
    st.session_state[key_of("preset")] = preset
    for name, value in settings(config, changes).items():
        st.session_state[key_of(name)] = value
    state.keep("run", None)
    shell.go("train")


def settings(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """{name as the form keeps it: value}. Pure, for tests."""
    # a run from before a setting existed was made with its default
    config = RunConfig().to_dict() | config
    values: dict[str, Any] = {}
    for field in dataclasses.fields(RunConfig):
        value = config[field.name]
        if isinstance(value, dict) and field.name in ("head", "finetune"):
            values |= {f"{field.name}.{name}": item for name, item in value.items()}
        elif field.name not in ("weights", "class_weights"):
            values[field.name] = value
    values |= {name: value for name, value in changes.items() if name != "class_weights"}
    values["positive_class"] = config["positive_class"] or ""
    source = config["weights"]
    values["weights"] = "file" if source.startswith("file:") else source
    values["weights_file"] = source.removeprefix("file:") if source.startswith("file:") else ""
    values["strategy"] = _strategy(values)
    if not values["unfreeze_blocks"]:
        values["unfreeze_blocks"] = RunConfig().unfreeze_blocks
    weights = changes.get("class_weights") or config["class_weights"]
    values["use_class_weights"] = bool(weights)
    values |= {f"class_weight.{name}": float(value) for name, value in (weights or {}).items()}
    return values


def _strategy(values: dict[str, Any]) -> str:
    if not values["finetune.epochs"]:
        return "head"
    return "whole" if values["unfreeze_blocks"] == NUM_BLOCK_GROUPS else "last"
