"""The numbers behind a chart of the lesson, to take away."""

from __future__ import annotations

from tl_ui.lesson import presenter
from tl_ui.widgets import downloads


def csv_button(rows: downloads.Table, name: str) -> None:
    """A small button that gives `rows` as name.csv; a projector needs none."""
    if not presenter.is_on():
        downloads.table_button(rows, f"{name}.csv", key=f"csv_{name}")
