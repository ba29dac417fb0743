"""Questions of the lesson: `show("labels")` draws a step's quiz, `prediction("freeze")` asks first."""

from __future__ import annotations


def show(step: str) -> None:
    """The quiz of one step."""


def prediction(step: str) -> bool:
    """The prediction of one step; True once this person has committed to an answer."""
    return False
