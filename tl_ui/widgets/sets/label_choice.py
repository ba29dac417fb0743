"""What one picture really is, as the person sees it: its label is right, another class, or out with it.

Improve asks it on its cards, Explore beside the picture that is looked at: one store, one rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data import curation
from tl_core.data.curation import CurationEdit
from tl_ui.frame import shell
from tl_ui.frame.text import literal, t

MOST_PILLS = 5
"""Classes up to which each is a button; with more they are a list."""
AS = "as:"
# an option that gives the picture a class: "as:ok_front"
_ERROR = "label_choice_error"


@dataclass(frozen=True)
class Asked:
    """One picture, as the folders say."""

    file: str
    label: str
    classes: Sequence[str]
    reason: str
    # a word for the table
    suggested: str = ""
    # the class to offer first


def ask(asked: Asked, made: CurationEdit | None, root_to_write: Callable[[], Path], key: str) -> None:
    """Draw the options; a choice is written at once, chosen again it is taken back.

    Args: made: what was decided before. root_to_write: the folder beside whose pictures it is written.
    """
    options, labels = _options(asked)
    # a list shows its options as they are, a pill reads Markdown
    is_short = len(asked.classes) <= MOST_PILLS
    labels = {option: literal(words) for option, words in labels.items()} if is_short else labels
    st.session_state[key] = _option(made)
    about = {"format_func": labels.get, "key": key, "label_visibility": "collapsed"}
    about |= {"on_change": _decide, "args": (asked, root_to_write, key)}
    words = t("improve.decide", name=asked.file)
    if is_short:
        st.pills(words, options, **about)
    else:
        st.selectbox(words, options, placeholder=t("improve.undecided"), **about)


def keep_error(error: TlError) -> None:
    """To be told on the next drawing: what is called before it can draw nothing."""
    st.session_state[_ERROR] = error


def tell_error() -> None:
    """Why the last choice was not written, once."""
    if error := st.session_state.pop(_ERROR, None):
        shell.show_error(error)


def _options(asked: Asked) -> tuple[list[str], dict[str, str]]:
    """Keep, the other classes (the suggested one first), leave out; and what they are called."""
    others = [name for name in asked.classes if name != asked.label]
    others.sort(key=lambda name: name != asked.suggested)
    labels = {"keep": t("improve.keep")}
    labels |= {AS + name: t("improve.is_class", name=name) for name in others}
    labels |= {"exclude": t("improve.exclude")}
    return list(labels), labels


def _option(made: CurationEdit | None) -> str | None:
    if made is None:
        return None
    return AS + made.label if made.decision == "relabel" else made.decision


def _decide(asked: Asked, root_to_write: Callable[[], Path], key: str) -> None:
    chosen = st.session_state[key]
    try:
        root = root_to_write()
        if chosen is None:
            curation.undo(root, asked.file)
        elif chosen.startswith(AS):
            curation.decide(root, asked.file, "relabel", chosen.removeprefix(AS), asked.reason)
        else:
            curation.decide(root, asked.file, chosen, "", asked.reason)
    except TlError as error:
        keep_error(error)
