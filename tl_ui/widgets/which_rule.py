"""One rule for answers, said wherever a score depends on it: the threshold that was saved for the run, with
the most probable class beside it."""

from __future__ import annotations

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame.text import literal, percent, t
from tl_ui.widgets import choice

RULES = ("saved", "probable")


def is_saved(run: RunFolder) -> bool:
    """Whether a threshold was saved for the run and can be read."""
    try:
        return decision_rule.read(run).threshold is not None
    except TlError:
        return False


def words(decided: DecisionRule) -> str:
    """The saved threshold in words, for Markdown."""
    name = literal(str(decided.positive_class))
    return t("runs.rule_saved_says", name=name, threshold=percent(decided.threshold))


def choose(decided: DecisionRule, key: str) -> bool:
    """Whether the saved threshold answers; asks only where there is one."""
    if decided.threshold is None:
        return False
    chosen = choice.one_of(key, t("runs.rule"), RULES, lambda name: t(f"runs.rule_{name}"), is_labelled=True)
    st.caption(words(decided))
    return chosen == "saved"
