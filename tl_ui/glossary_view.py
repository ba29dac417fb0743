"""Every term of the app in plain words."""

from __future__ import annotations


def show() -> None:
    """Draw it."""
