"""A run made with another's settings: it computes as that one did, so that only what was changed differs.

config.json of the new run keeps "again_of": {"run": what the other is called, "device_used": how it
computed}, and begins with the other's `device_used` where this is its machine and nobody asked for another.
"""

from __future__ import annotations

from typing import Any

from tl_core.base.config import RunConfig
from tl_core.compute.cpu_probe import machine

ASKED = ("device", "precision", "deterministic")
"""Settings that say how to compute; who changed one wants it chosen anew."""


def record(other: dict[str, Any], name: str, config: RunConfig) -> dict[str, Any]:
    """What the new run's config.json begins with. other: the config.json whose settings it has."""
    used = other.get("device_used")
    if not used:
        return {}
    before, now = RunConfig().to_dict() | other, config.to_dict()
    is_same = other.get("machine") == machine() and all(before[one] == now[one] for one in ASKED)
    kept = {"device_used": used, "machine": machine()} if is_same else {}
    return {"again_of": {"run": name, "device_used": used}, **kept}


def computed_otherwise(config: dict[str, Any]) -> tuple[str, dict[str, str]] | None:
    """(name, device_used) of the run that this one repeats, when it computed otherwise; else None."""
    again, used = config.get("again_of"), config.get("device_used")
    if not again or not used or again["device_used"] == used:
        return None
    return again["run"], again["device_used"]
