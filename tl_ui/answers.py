"""What a model says about pictures, and how a page shows it: one card a picture, one bar a class.

Pure: probabilities in, records and HTML out. Every text that comes from a file name or a class
name is escaped here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from tl_ui.text import percent

CLOSE = 0.2
"""Two best answers nearer than this (20 percentage points) are called close."""

MAX_BARS = 5
"""Classes drawn on one card; with more, the best ones."""


@dataclass(frozen=True)
class Answer:
    """One picture's answer. thumbnail: a data: address. truth: of a sample, where it is known."""

    name: str
    thumbnail: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    truth: str | None = None

    @property
    def order(self) -> list[int]:
        """Classes from the most to the least probable."""
        return np.argsort(-np.array(self.probabilities), kind="stable").tolist()

    @property
    def label(self) -> str:
        return self.classes[self.order[0]]

    def is_unsure(self, limit: float) -> bool:
        return max(self.probabilities) < limit


def why_unsure(answer: Answer, limit: float, t: Callable[..., str]) -> str:
    """The reason, in a sentence that names the numbers."""
    first, second = answer.order[:2]
    p = answer.probabilities
    if p[first] - p[second] < CLOSE:
        return t(
            "classify.unsure_close",
            first=answer.classes[first],
            second=answer.classes[second],
            p_first=percent(p[first], 0),
            p_second=percent(p[second], 0),
        )
    return t(
        "classify.unsure_low",
        limit=percent(limit, 0),
        first=answer.classes[first],
        p_first=percent(p[first], 0),
    )


def cards(answers: Sequence[Answer], limit: float, t: Callable[..., str]) -> str:
    """HTML of all answers. The mark in each first bar is the limit of sureness."""
    return f'<div class="hs-answers">{"".join(_card(answer, limit, t) for answer in answers)}</div>'


def _card(answer: Answer, limit: float, t: Callable[..., str]) -> str:
    is_unsure = answer.is_unsure(limit)
    title = t("classify.unsure") if is_unsure else answer.label
    notes = ""
    if is_unsure:
        notes += f'<p class="unsure">{escape(why_unsure(answer, limit, t))}</p>'
    if answer.truth is not None:
        verdict = "right" if answer.truth == answer.label else "wrong"
        words = escape(t(f"classify.truth_{verdict}", truth=answer.truth))
        notes += f'<p class="{verdict}">{"✓" if verdict == "right" else "✗"} {words}</p>'
    bars = "".join(
        _bar(answer.classes[index], answer.probabilities[index], limit, rank == 0)
        for rank, index in enumerate(answer.order[:MAX_BARS])
    )
    name = escape(answer.name, quote=True)
    kind = "hs-answer unsure" if is_unsure else "hs-answer"
    return (
        f'<article class="{kind}"><img src="{answer.thumbnail}" alt="{name}">'
        f'<div><small title="{name}">{name}</small><h4>{escape(title)}</h4>{bars}{notes}</div></article>'
    )


def _bar(name: str, probability: float, limit: float, is_first: bool) -> str:
    mark = f'<u style="left:{100 * limit:.1f}%"></u>' if is_first else ""
    return (
        f'<div class="hs-bar{" first" if is_first else ""}"><span>{escape(name)}</span>'
        f"<em>{percent(probability, 0)}</em>"
        f'<i><i style="width:{100 * probability:.1f}%"></i>{mark}</i></div>'
    )


def as_csv(answers: Sequence[Answer]) -> str:
    """The answers as a table: file, answer, one column of probabilities per class."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    classes = answers[0].classes if answers else ()
    writer.writerow(["file", "predicted", *(f"p_{name}" for name in classes)])
    for answer in answers:
        writer.writerow([answer.name, answer.label, *(f"{p:.6f}" for p in answer.probabilities)])
    return buffer.getvalue()
