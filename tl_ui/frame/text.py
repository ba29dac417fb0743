"""Every sentence a page says, in the person's language, from `locales/<language>/*.toml`.

One file and table per page, and `[terms.<name>]` with the name of each metric or notion and its plain-words
help. All languages have the same keys and the same {placeholders}, filled in by `t("table.key", value=…)`.
A value stands in its place as it is, so no Korean particle that depends on its last sound may follow it.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from tl_core.base.errors import TlError
from tl_core.base.messages import say
from tl_core.base.percent import percent as percent
from tl_ui.frame import state
from tl_ui.stores.sets.datasets import DataChoice

LOCALES = Path(__file__).parents[1] / "locales"


@cache
def catalogue(language: str) -> dict[str, str]:
    """All sentences of one language under dotted keys, like `data.title` and `terms.f1.help`."""
    found: dict[str, str] = {}
    for file in sorted((LOCALES / language).glob("*.toml")):
        found.update(_flatten(tomllib.loads(file.read_text(encoding="utf-8")), ""))
    return found


def _flatten(table: dict[str, Any], prefix: str):
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def t(key: str, **values: Any) -> str:
    """The sentence under `key`, filled in.

    Raises: KeyError: no such key, or a placeholder without a value; tests look for both.
    """
    return catalogue(state.language())[key].format(**values)


def name_of(term: str) -> str:
    """What a metric or notion is called: `name_of("f1")` -> "F1"."""
    return t(f"terms.{term}.name")


def help_of(term: str) -> str:
    """One or two plain sentences about a metric or notion: the text of its "?"."""
    return t(f"terms.{term}.help")


def error_text(error: TlError) -> str:
    """The error's own sentence: what is wrong, with which file or value, and the mend."""
    return error.message(state.language())


def data_name(choice: DataChoice) -> str:
    """What a data set is called on pages: a practice set's name is translated, a person's own is not."""
    if choice.kind == "copy":
        return t("shell.copy_of", name=t(f"shell.sample_{choice.label}"))
    return t(f"shell.sample_{choice.label}") if choice.kind == "sample" else choice.label


def literal(name: str) -> str:
    """A name of a class, file or run for a sentence in Markdown: what would be a command there is escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:-])", r"\\\1", name)


def reason_text(reason: str, detail: str = "") -> str:
    """Why one file was refused; `reason` is a key under [reason] in tl_core's messages."""
    return say(f"reason.{reason}", state.language(), detail=detail)


def number(value: float, digits: int = 0) -> str:
    """1281000 -> "1,281,000"; the same in both languages."""
    return f"{value:,.{digits}f}"
