"""The lesson plan, for 45 or 90 minutes."""

from __future__ import annotations


def show() -> None:
    """Draw it."""
