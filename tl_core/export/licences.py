"""Under which licence the weights are that a run started from, as their authors say."""

from __future__ import annotations

from typing import Any

from tl_core.models.families.registry import architecture

OWN = "this project's own, like its code"
UNKNOWN = "not known here: as whoever gave you the file says"
_BY_SOURCE = {
    "imagenet-torchvision": "BSD-3-Clause (torchvision)",
    "imagenet-lite0": "Apache-2.0 (Google)",
    "formula": OWN,
    "random": "none: trained from random numbers",
}


def licence_of(weights: dict[str, Any], backbone: str) -> str:
    """weights: a run's `weights_used`."""
    source = str(weights.get("source"))
    if source != "imagenet":
        return _BY_SOURCE.get(source, UNKNOWN)
    import timm

    known = timm.get_pretrained_cfg(architecture(backbone).weights_name)
    return f"{known.license} (timm)" if known and known.license else UNKNOWN
