"""Is an answer right, what is said to it, and in which order the options stand. Pure."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence

from tl_ui.lesson.quiz.bank import Option, Question


def is_right(question: Question, given: Sequence[str]) -> bool:
    """given: ids of options; for an order in that order; for a number the number as text."""
    if question.kind == "order":
        return list(given) == [option.id for option in question.options]
    if question.kind == "number":
        value = to_number(given[0]) if given else None
        if value is None or question.answer is None:
            return False
        return abs(value - question.answer) <= question.tolerance
    return set(given) == {option.id for option in question.options if option.is_right}


def remarks(question: Question, given: Sequence[str]) -> list[str]:
    """What is said to a wrong answer: one explanation per mistake, and never the right answer itself.

    Of several right options, missing ones are not named: see `num_missing`.
    """
    if is_right(question, given):
        return []
    if question.kind == "order":
        # the first step that stands wrong says where it belongs; the rest follows from it
        pairs = zip(question.options, given, strict=False)
        wrong = next((right for right, chosen in pairs if right.id != chosen), None)
        return [wrong.why] if wrong else []
    if question.kind == "number":
        value = to_number(given[0]) if given else None
        known = {to_number(option.id): option for option in question.options}
        option = known.get(value) if value is not None else None
        return [option.why if option else question.otherwise]
    chosen = [question.option(option_id) for option_id in given]
    return [option.why for option in chosen if option and not option.is_right]


def num_missing(question: Question, given: Sequence[str]) -> int:
    """Right options that were not chosen, where several can be."""
    if question.kind != "several":
        return 0
    return sum(option.is_right and option.id not in given for option in question.options)


def to_number(text: str) -> float | None:
    """2562 for "2562", "2,562" and "2562개", 87 for "87 %"; None: it is no number."""
    found = re.fullmatch(r"\s*(-?\d[\d,]*(?:\.\d+)?)\s*[^\d.,]*", text)
    return float(found[1].replace(",", "")) if found else None


def shuffled(question: Question, learner: str) -> list[Option]:
    """The options in an order that is always the same for this learner and question.

    Lines of code stay where they are. Steps to be put in order never stand right already.
    """
    options = list(question.options)
    if question.kind == "bug" or len(options) < 2:
        return options
    seed = hashlib.sha256(f"{learner}/{question.id}".encode()).digest()
    draw = random.Random(seed)
    draw.shuffle(options)
    while question.kind == "order" and options == list(question.options):
        draw.shuffle(options)
    return options
