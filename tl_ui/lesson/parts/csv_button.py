"""The numbers behind a chart of the lesson, to take away."""

from __future__ import annotations

import csv
import io
from typing import Any

import streamlit as st

from tl_ui.frame.text import t
from tl_ui.lesson import presenter


def csv_button(rows: list[dict[str, Any]], name: str) -> None:
    """A small button that gives `rows` as name.csv; a projector needs none."""
    if presenter.is_on():
        return
    st.download_button(
        t("lesson.csv"), to_csv(rows), f"{name}.csv", "text/csv", key=f"csv_{name}", type="tertiary",
        icon=":material/download:",
    )  # fmt: skip


def to_csv(rows: list[dict[str, Any]]) -> bytes:
    """UTF-8 with the mark that lets spreadsheets read Korean."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
