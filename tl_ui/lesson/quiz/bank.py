"""The lesson's questions and predictions, out of `questions/<language>.toml`. Pure.

Both files hold the same ids, kinds, steps, codes and answers; only the words differ. A test compares them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

STEPS = (
    "transferred",
    "inside",
    "head_swap",
    "labels",
    "freeze",
    "two_stages",
    "reading",
    "which_model",
    "explain",
)
KINDS = ("one", "several", "order", "bug", "number")
QUESTIONS = Path(__file__).with_name("questions")


@dataclass(frozen=True)
class Option:
    """One answer to choose, one step to put in order, one line of code, or one number that is often given."""

    id: str
    text: str
    is_right: bool
    why: str
    # why it is wrong (order: why it comes where it comes); "" for right ones


@dataclass(frozen=True)
class Question:
    id: str
    step: str
    kind: str
    prompt: str
    right: str
    # said when the answer is right
    options: tuple[Option, ...]
    # order: in the right order. bug: one per line of `code`
    code: str = ""
    mended: str = ""
    # bug: the faulty line as it should be
    recording: str = ""
    # read the curve: the recorded run that is drawn
    metric: str = "loss"
    answer: float | None = None
    # number
    tolerance: float = 0.0
    # how far from `answer` is still right: a share before it is rounded
    otherwise: str = ""
    # number: said to a wrong number that is none of the options

    def option(self, option_id: str) -> Option | None:
        return next((option for option in self.options if option.id == option_id), None)


@dataclass(frozen=True)
class Prediction:
    """A question asked before an experiment; the experiment answers it."""

    step: str
    prompt: str
    options: tuple[Option, ...]
    look: str
    # where to look, once committed


@cache
def questions(language: str) -> tuple[Question, ...]:
    """Every question in the order of the lesson."""
    found = [_question(values) for values in _file(language)["question"]]
    return tuple(sorted(found, key=lambda question: STEPS.index(question.step)))


def of_step(language: str, step: str) -> tuple[Question, ...]:
    return tuple(question for question in questions(language) if question.step == step)


@cache
def predictions(language: str) -> dict[str, Prediction]:
    """By step; not every step has one."""
    found = [
        Prediction(values["step"], values["prompt"], _options(values), values["look"])
        for values in _file(language)["prediction"]
    ]
    return {prediction.step: prediction for prediction in found}


def _file(language: str) -> dict[str, Any]:
    return tomllib.loads(QUESTIONS.joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def _question(values: dict[str, Any]) -> Question:
    code = values.get("code", "").strip("\n")
    given = {name: value for name, value in values.items() if name not in ("option", "code")}
    return Question(options=_options(values, code.splitlines()), code=code, **given)


def _options(values: dict[str, Any], lines: list[str] | None = None) -> tuple[Option, ...]:
    found = []
    for number, option in enumerate(values.get("option", []), start=1):
        is_line = values.get("kind") == "bug"
        found.append(
            Option(
                id=str(number) if is_line else option["id"],
                text=lines[number - 1] if is_line and lines else option.get("text", ""),
                is_right=option.get("is_right", False),
                why=option.get("why", ""),
            )
        )
    return tuple(found)
