"""The parts of the network: what every page calls them, and a strip of which learn and which are frozen."""

from __future__ import annotations

from html import escape

from tl_ui.frame.text import number, t


def part_name(part: str) -> str:
    """What a part, or a place between two, is called: "Group 3", counted as people do."""
    group = part.removeprefix("blocks.")
    return t(f"parts.{part}") if group == part else t("parts.block", number=int(group) + 1)


def strip(trainable: list[str], frozen: list[str], parameters: dict[str, int]) -> str:
    """HTML; colours are the theme's: blue is kept as it is, orange learns. The mark in each box says
    the same without colour. parameters: numbers in each part."""
    # what is frozen lies before what learns
    boxes = "".join(_box(part, part in trainable, parameters.get(part)) for part in (*frozen, *trainable))
    return f'<div class="hs-strip" role="list">{boxes}</div>'


def _box(part: str, is_learning: bool, count: int | None) -> str:
    kind, mark = ("learns", "▲") if is_learning else ("frozen", "❄")
    words = t("train.box_learns") if is_learning else t("train.box_frozen")
    if count is not None:
        words += " · " + t("train.box_count", count=number(count))
    says = escape(f"{part_name(part)}: {words}", quote=True)
    return (
        f'<div class="{kind}" role="listitem" title="{says}" aria-label="{says}">'
        f"<b>{escape(_short(part))}</b><span>{mark}</span></div>"
    )


def _short(part: str) -> str:
    """For a narrow box: the number of a group alone."""
    return part_name(part).split()[-1] if part.startswith("blocks.") else part_name(part)
