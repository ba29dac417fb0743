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
    """What `choose("auto")` would settle on, asked without fetching anything."""
    from tl_core.models.weights import sources

    found = sources.availability(check_network=True)
    rows = {status.source: _row(status) for status in found}
    best = sources.automatic(found)
    if best is None:
        return AutoWeights(None, None, tuple(rows[source] for source in sources.AUTO))
    missing = () if best.source in sources.IMAGENET_B0 else (rows["imagenet"],)
    return AutoWeights(best.source, best.reason, missing)


def _row(status: SourceStatus) -> tuple[str, str, str]:
    return status.source, status.reason or "", status.detail
