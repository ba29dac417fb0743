"""A network on the pages, whichever it is: what it and its parts are called, and the strip of them."""

from __future__ import annotations

from html import escape
from typing import Any

from tl_core.models.families.registry import architecture
from tl_core.models.weights.record import B0
from tl_ui.frame.text import number, t

COUNTED = ("group", "stage", "block")
"""Units that stand in a row and are counted as people do, from 1."""


def units_of(backbone: str) -> dict[str, str]:
    """{part: its unit}, in the order of the forward pass. Raises: ConfigError: an unknown network."""
    return dict(architecture(backbone).parts)


def part_names(units: dict[str, str], are_short: bool = False) -> dict[str, str]:
    """{part: its name in words}: "Stem", "Group 3", "Stage 2", "Last conv", "Head".

    units: as `units_of` gives them, or as a run has recorded them; none in runs of before there was
    a choice, which are EfficientNet-B0.
    """
    names, place = {}, 0
    for part, unit in (units or units_of(B0)).items():
        if unit in COUNTED:
            place += 1
            names[part] = number(place) if are_short else t(f"parts.{unit}", number=place)
        else:
            names[part] = t(f"parts.{part}")
    return names


def network_name(backbone: str) -> str:
    """As people write it: "EfficientNet-Lite0"."""
    return architecture(backbone).label


def last_units(backbone: str, num: int, table: str = "last") -> str:
    """In what unfreezing counts in this network: "the last 3 of 7 block groups"."""
    one = architecture(backbone)
    return t(f"network.{table}_{one.family.unit}", blocks=number(num), count=number(one.num_units))


def network_of(config: dict[str, Any]) -> str:
    """timm's name of a run's network, by its config.json."""
    return (config.get("weights_used") or {}).get("backbone") or B0


def strip(units: dict[str, str], trainable: list[str], parameters: dict[str, int]) -> str:
    """HTML; colours are the theme's: blue is kept as it is, orange learns. The mark in each box says
    the same without colour. units: {part: unit}; parameters: numbers in each part."""
    names = part_names(units)
    short = part_names(units, are_short=True)
    boxes = "".join(_box(names[name], short[name], name in trainable, parameters.get(name)) for name in names)
    return f'<div class="hs-strip" role="list">{boxes}</div>'


def _box(name: str, short: str, is_learning: bool, count: int | None) -> str:
    kind, mark = ("learns", "▲") if is_learning else ("frozen", "❄")
    words = t("train.box_learns") if is_learning else t("train.box_frozen")
    if count is not None:
        words += " · " + t("train.box_count", count=number(count))
    says = escape(f"{name}: {words}", quote=True)
    return (
        f'<div class="{kind}" role="listitem" title="{says}" aria-label="{says}">'
        f"<b>{escape(short)}</b><span>{mark}</span></div>"
    )
