"""What a model says about pictures, and how a page shows it: one card a picture, one bar a class.

Pure: probabilities in, records and HTML out. Every text that comes from a file name or a class
name is escaped here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from tl_ui.frame.text import percent

CLOSE = 0.2
"""Two best answers nearer than this (20 percentage points) are called close."""

MAX_BARS = 5
"""Classes drawn on one card; with more, the best ones."""


@dataclass(frozen=True)
class ClassifiedPicture:
    """One picture's answer. thumbnail: a data: address. truth: of a sample, where it is known.

    The others are there where a decision was saved for the run: said: index of the answer, confidence:
    0.5..1, threshold: (index of its class, probability), is_far: like no training picture.
    was_seen: an upload of the very pixels that the model was trained on or chosen by.
    """

    name: str
    thumbnail: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    truth: str | None = None
    said: int | None = None
    confidence: float | None = None
    threshold: tuple[int, float] | None = None
    is_far: bool = False
    was_seen: bool = False

    @property
    def order(self) -> list[int]:
        """The answer, then the other classes from the most to the least probable."""
        ranked = np.argsort(-np.array(self.probabilities), kind="stable").tolist()
        return ranked if self.said is None else [self.said, *(i for i in ranked if i != self.said)]

    @property
    def label(self) -> str:
        return self.classes[self.order[0]]

    def is_unsure(self, limit: float) -> bool:
        return (max(self.probabilities) if self.confidence is None else self.confidence) < limit


def why_unsure(answer: ClassifiedPicture, limit: float, t: Callable[..., str]) -> str:
    """The reason, in a sentence that names the numbers."""
    first, second = answer.order[:2]
    p = answer.probabilities
    if answer.threshold is not None:
        positive, threshold = answer.threshold
        return t(
            "classify.unsure_threshold",
            name=answer.classes[positive],
            p=percent(p[positive]),
            threshold=percent(threshold),
        )
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


def cards(answers: Sequence[ClassifiedPicture], limit: float, t: Callable[..., str]) -> str:
    """HTML of all answers. The mark in each first bar is the limit of confidence."""
    return f'<div class="hs-answers">{"".join(_card(answer, limit, t) for answer in answers)}</div>'


def _card(answer: ClassifiedPicture, limit: float, t: Callable[..., str]) -> str:
    is_unsure = answer.is_unsure(limit)
    title = t("classify.unsure") if is_unsure else answer.label
    notes = ""
    if is_unsure:
        notes += f'<p class="unsure">{escape(why_unsure(answer, limit, t))}</p>'
    if answer.is_far:
        notes += f'<p class="unsure">{escape(t("classify.far"))}</p>'
    if answer.was_seen:
        notes += f'<p class="unsure">{escape(t("classify.seen"))}</p>'
    if answer.truth is not None:
        verdict = "right" if answer.truth == answer.label else "wrong"
        words = escape(t(f"classify.truth_{verdict}", truth=answer.truth))
        notes += f'<p class="{verdict}">{"✓" if verdict == "right" else "✗"} {words}</p>'
    bars = "".join(
        _bar(answer.classes[index], answer.probabilities[index], _mark(answer, index, limit), rank == 0)
        for rank, index in enumerate(answer.order[:MAX_BARS])
    )
    name = escape(answer.name, quote=True)
    kind = "hs-answer unsure" if is_unsure else "hs-answer"
    return (
        f'<article class="{kind}"><img src="{answer.thumbnail}" alt="{name}">'
        f'<div><small title="{name}">{name}</small><h4>{escape(title)}</h4>{bars}{notes}</div></article>'
    )


def _mark(answer: ClassifiedPicture, index: int, limit: float) -> float | None:
    """Where the bar has its mark: a saved threshold on its class, else the limit of "unsure" on the first."""
    if answer.threshold is not None:
        return answer.threshold[1] if index == answer.threshold[0] else None
    return limit if index == answer.order[0] else None


def _bar(name: str, probability: float, place: float | None, is_first: bool) -> str:
    mark = f'<u style="left:{100 * place:.1f}%"></u>' if place is not None else ""
    return (
        f'<div class="hs-bar{" first" if is_first else ""}"><span>{escape(name)}</span>'
        f"<em>{percent(probability, 0)}</em>"
        f'<i><i style="width:{100 * probability:.1f}%"></i>{mark}</i></div>'
    )


def table(answers: Sequence[ClassifiedPicture]) -> list[dict[str, str]]:
    """Rows to take along: file, answer, one column of probabilities per class."""
    return [
        {"file": answer.name, "predicted": answer.label}
        | {f"p_{name}": f"{p:.6f}" for name, p in zip(answer.classes, answer.probabilities, strict=True)}
        for answer in answers
    ]
