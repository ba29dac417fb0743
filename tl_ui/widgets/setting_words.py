"""Settings and their values in words: what two runs did differently, and what a change would change."""

from __future__ import annotations

from typing import Any

from tl_core.models.weights.record import source_name
from tl_ui.frame import state
from tl_ui.frame.text import catalogue, name_of, t
from tl_ui.widgets.plotting.curves import rate

TERMS = ("seed", "image_px", "dropout", "batch_size", "weight_decay", "unfreeze_blocks", "positive_class")
TERMS += ("target_per_class", "views", "weights", "device")
# settings that have a name under [terms] already


def name(setting: str) -> str:
    """Of a field of RunConfig, stage settings as "head.epochs", or of what a run records beside them."""
    stage, _, field = setting.rpartition(".")
    if stage:
        return f"{name_of(f'stage_{stage}')} · {t(f'compare.setting_{field}')}"
    if setting in TERMS:
        return name_of(setting)
    words = catalogue(state.language())
    return words.get(f"compare.setting_{setting}") or words[f"train.{setting}"]


def value(setting: str, value: Any) -> str:
    if value is None:
        return "–"
    if setting == "weights":
        return source_name(str(value), state.language())
    if setting == "target_per_class" and not value:
        return t("compare.not_filled")
    if setting == "pictures_fingerprint":
        return str(value)[:12]
    if setting == "device_used":
        return computed(value)
    if setting == "decisions":
        return t("compare.decisions", **({"excluded": 0, "relabelled": 0, "added": 0} | value))
    if isinstance(value, bool):
        return t("compare.yes" if value else "compare.no")
    if isinstance(value, dict):
        return ", ".join(f"{key} {item:g}" for key, item in value.items())
    if isinstance(value, float) and 0 < value < 0.01:
        return rate(value)
    return catalogue(state.language()).get(f"train.{setting}_{value}", str(value))


def computed(device_used: dict[str, str]) -> str:
    """On which device, in which number formats, by whose depthwise kernels."""
    return ", ".join(dict.fromkeys(map(str, device_used.values())))


def weights_in_force(config: dict[str, Any]) -> dict[str, float]:
    """How much each class counts in the loss, whichever of the two settings says so."""
    classes = list(config.get("class_to_idx") or {})
    given = config.get("class_weights") or {}
    positive = config.get("positive_class")
    weight = config.get("positive_weight") or 1.0
    if given:
        return {name: float(given.get(name, 1.0)) for name in classes}
    return {name: float(weight if name == positive else 1.0) for name in classes}
