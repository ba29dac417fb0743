"""One of several, and always one: the row of buttons by which a page shows this part or that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def one_of(
    key: str,
    words: str,
    options: Sequence[Any],
    named: Callable[[Any], str],
    first: Any = None,
    *,
    is_kept: bool = False,
    is_labelled: bool = False,
    **more: Any,
) -> Any:
    """The chosen one; until somebody chooses `first`, else the first of them.

    words: what is asked, said to screen readers alone unless is_labelled. named: an option's words.
    is_kept: on other pages, too.
    """
    return st.segmented_control(
        words,
        list(options),
        format_func={option: named(option) for option in options}.get,
        default=options[0] if first is None else first,
        required=True,
        key=key,
        label_visibility="visible" if is_labelled else "collapsed",
        **({"persist_state": "session"} if is_kept else {}),
        **more,
    )
