"""What this machine has, for the Start page; asked without torch, and not on every rerun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from tl_core.models.weights.sources import SourceStatus


@st.cache_data(ttl=300, show_spinner=False)
def machine() -> dict[str, Any]:
    """`tl_core.compute.device.describe()`, at most five minutes old."""
    from tl_core.compute import device

    return device.describe()


@dataclass(frozen=True)
class AutoWeights:
    """What `auto` would choose now. source None: nothing pre-trained can be used."""

    source: str | None
    note: str | None
    # a key under [reason] that goes with it, such as will_download
    missing: tuple[tuple[str, str, str], ...]
    # (source, reason, detail) of those that would come first and cannot be used


@st.cache_data(ttl=60, show_spinner=False)
def auto_weights() -> AutoWeights:
    """The rule of `tl_core.models.weights.sources.choose("auto")` asked without fetching anything:
    ImageNet weights that are here, else ImageNet from the hub if it answers within seconds, else formula."""
    from tl_core.models.weights import sources

    found = {status.source: status for status in sources.availability(check_network=True)}
    here = [name for name in IMAGENET if found[name].is_usable and found[name].reason is None]
    for source in (*here, "imagenet", "formula"):
        status = found[source]
        if status.is_usable:
            is_second_best = source == "formula"
            missing = (_row(found["imagenet"]),) if is_second_best else ()
            return AutoWeights(source, status.reason, missing)
    return AutoWeights(None, None, (_row(found["imagenet"]), _row(found["formula"])))


IMAGENET = ("imagenet", "imagenet-torchvision")


def _row(status: SourceStatus) -> tuple[str, str, str]:
    return status.source, status.reason or "", status.detail
