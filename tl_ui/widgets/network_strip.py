"""The network as a strip of its nine parts: which learn now, which are frozen."""

from __future__ import annotations

from html import escape

from tl_ui.frame.text import number, t

PARTS = ("stem", *(f"blocks.{index}" for index in range(7)), "head_conv", "classifier")


def strip(trainable: list[str], frozen: list[str], parameters: dict[str, int]) -> str:
    """HTML; colours are the theme's: blue is kept as it is, orange learns. The mark in each box says
    the same without colour. parameters: numbers in each part."""
    shown = [part for part in PARTS if part in {*trainable, *frozen}]
    boxes = "".join(_box(part, part in trainable, parameters.get(part)) for part in shown)
    return f'<div class="hs-strip" role="list">{boxes}</div>'


def _box(part: str, is_learning: bool, count: int | None) -> str:
    kind, mark = ("learns", "▲") if is_learning else ("frozen", "❄")
    words = t("train.box_learns") if is_learning else t("train.box_frozen")
    if count is not None:
        words += " · " + t("train.box_count", count=number(count))
    says = escape(f"{part}: {words}", quote=True)
    return (
        f'<div class="{kind}" role="listitem" title="{says}" aria-label="{says}">'
        f"<b>{escape(_name(part))}</b><span>{mark}</span></div>"
    )


def _name(part: str) -> str:
    if part.startswith("blocks."):
        return str(int(part.removeprefix("blocks.")) + 1)  # counted as people do, as on the other pages
    return {
        "stem": t("train.part_stem"),
        "head_conv": t("train.part_head_conv"),
        "classifier": t("train.part_classifier"),
    }[part]
