"""Two runs on the same held-out pictures: the difference in words, with its interval and exact test."""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_core.runs.report.comparison import Paired
from tl_ui.frame.text import help_of, literal, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.widgets.score_rows import between

CHANCE = 0.05
"""Below this p the difference is called more than chance."""


def show(paired: Paired, first: str, second: str, key: str) -> None:
    """Both accuracies, the difference, the verdict, and who got which pictures right.

    Args: first, second: what the runs are called on the page.
    """
    with st.container(horizontal=True, key=f"numbers_{key}"):
        for name, scores in ((first, paired.first), (second, paired.second)):
            st.metric(
                f"{name_of('accuracy')} · {literal(name)}",
                percent(scores["accuracy"]),
                help=f"{help_of('accuracy')} {help_of('interval')}",
                delta=between(scores["intervals"]["accuracy"]),
                delta_color="off",
                delta_arrow="off",
            )
        low, high = paired.interval
        st.metric(
            name_of("paired_difference"),
            points(paired.difference),
            help=help_of("paired_difference"),
            delta=f"{points(low)} … {points(high)}",
            delta_color="off",
            delta_arrow="off",
        )
    st.markdown(f"**{verdict(paired, first, second)}**", help=help_of("mcnemar"))
    _who(paired, first, second)
    st.caption(t("compare.p_value", p=p_words(paired.p_value)))
    for words in notes(paired):
        st.caption(f":material/info: {words}")


def verdict(paired: Paired, first: str, second: str) -> str:
    """The test's result as a sentence."""
    count = number(paired.num)
    if paired.only_first + paired.only_second == 0:
        return t("compare.same_answers", count=count)
    if paired.p_value >= CHANCE:
        return t("compare.chance", count=count)
    better = second if paired.difference > 0 else first
    return t("compare.better", name=literal(better), count=count)


def notes(paired: Paired) -> list[str]:
    """What the pictures in common are, and by which labels they are judged."""
    found = []
    if not paired.is_same_split:
        numbers = {"first": paired.num_first, "second": paired.num_second}
        found.append(t("compare.common", count=number(paired.num), **numbers))
    if paired.num_mended:
        found.append(t("compare.mended", count=number(paired.num_mended)))
    return found


def _who(paired: Paired, first: str, second: str) -> None:
    colours = palette()
    parts = [
        (paired.both_right, colours.good, t("compare.both_right")),
        (paired.only_first, colours.backbone, t("compare.only", name=first)),
        (paired.only_second, colours.head, t("compare.only", name=second)),
        (paired.neither, colours.muted, t("compare.neither")),
    ]
    cells = "".join(
        f'<i style="flex-grow:{count};background:{colour}" title="{escape(words, quote=True)}">{count}</i>'
        for count, colour, words in parts
        if count
    )
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(words)}: {number(count)}</span>'
        for count, colour, words in parts
    )
    st.html(
        f'<div class="hs-stack" style="grid-template-columns:1fr"><div>{cells}</div></div>'
        f'<div class="hs-legend" style="margin-top:.5rem">{legend}</div>'
    )


def points(share: float) -> str:
    """0.031 -> "+3.1 points": percentage points, so called in the person's language."""
    value = round(100 * share, 1)
    return t("compare.points", value=f"{value:+.1f}" if value else "0.0")


def p_words(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
