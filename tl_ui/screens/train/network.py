"""Train: which network learns. Each has its own weights, and its own units that fine-tuning counts."""

from __future__ import annotations

import streamlit as st

from tl_core.models.families.registry import ARCHITECTURES, Architecture, architecture
from tl_core.models.weights import hub, locate
from tl_core.models.weights.record import B0
from tl_ui.frame.text import t
from tl_ui.widgets.html.network_strip import last_units

TF_B0 = f"tf_{B0}"
"""B0 as TensorFlow pads; a file of either takes the other's shapes, so for a file the person chooses."""
KEY = "set_backbone"


def chosen() -> Architecture:
    """The network of the settings; with "auto" that of the weights, all of which have B0's units."""
    return of_name(st.session_state.get(KEY, "auto"))


def of_name(name: str) -> Architecture:
    """By a setting's value. Raises: ConfigError: no such network."""
    return architecture(B0 if name == "auto" else name)


def choose() -> None:
    """The choice and what it needs; another network brings its own number of units to fine-tune."""
    labels = {"auto": t("train.backbone_auto"), **{name: one.label for name, one in ARCHITECTURES.items()}}
    is_file = st.session_state.get("set_weights") == "file"
    if is_file:
        labels[TF_B0] = t("train.backbone_tf", name=labels[B0])
    if st.session_state.get(KEY, "auto") not in labels:
        st.session_state[KEY] = "auto"
    st.selectbox(
        t("train.network"),
        list(labels),
        format_func=labels.get,
        help=t("train.network_help"),
        on_change=_take_default,
        key=KEY,
        persist_state="session",
    )
    st.caption(_says(st.session_state[KEY], is_file))


def _says(name: str, is_file: bool) -> str:
    """Where its weights come from, and what stands in the way now."""
    if name == "auto":
        return t("train.backbone_file_says" if is_file else "train.backbone_auto_says")
    one = architecture(name)
    facts = t("train.backbone_facts", units=last_units(name, one.family.default_unfreeze, "explain"))
    if is_file:
        return facts
    if name == locate.LITE0 or locate.find_sound("imagenet", name) is not None:
        return f"{facts} {t('train.backbone_here')}"
    if name == B0:
        return f"{facts} {t('train.backbone_drawings')}"
    return f"{facts} {t('train.backbone_offline' if hub.is_offline() else 'train.backbone_fetched')}"


def _take_default() -> None:
    st.session_state["set_unfreeze_blocks"] = chosen().family.default_unfreeze


def last_words(num: int) -> str:
    """ "The head, then the last 3 of 7 block groups"."""
    return last_units(chosen().name, num)
