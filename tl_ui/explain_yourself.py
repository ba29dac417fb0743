"""The answer to give the teacher, filled in from a run."""

from __future__ import annotations


def show() -> None:
    """Draw it."""
