"""Things to take along: one button for all of them, one way to write a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from mimetypes import guess_type
from typing import Any

import pandas as pd
import streamlit as st

from tl_core.base.files.csv_table import ENCODING, harmless
from tl_ui.frame.text import t

Table = Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]]
"""Rows, or columns of one length."""


def button(
    label: str, content: bytes | str | Callable[[], bytes], file_name: str, *, key: str, **look: Any
) -> None:
    """Offers a file; the page does not run again for it. content: a function is called once it is asked for,
    in a thread that knows no browser. look: what `st.download_button` takes."""
    look = {"icon": ":material/download:", "on_click": "ignore"} | look
    mime = guess_type(file_name)[0] or "application/octet-stream"
    st.download_button(label, content, file_name=file_name, mime=mime, key=key, **look)


def table_button(table: Table | Callable[[], Table], file_name: str, *, key: str) -> None:
    """The numbers behind what is shown."""
    button(
        t("shell.csv"),
        lambda: to_csv(table() if callable(table) else table),
        file_name,
        key=key,
        type="tertiary",
    )


def to_csv(table: Table) -> bytes:
    """As `csv_table` writes them."""
    # of rows each value as it is: a column with a gap would turn whole numbers into broken ones
    frame = pd.DataFrame(table) if isinstance(table, Mapping) else pd.DataFrame(list(table), dtype=object)
    frame = frame.rename(columns=harmless).map(harmless)
    return frame.to_csv(index=False, lineterminator="\n").encode(ENCODING)
