"""Every term of the app in plain words, with its name in both languages, searchable."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

from tl_ui.frame import state
from tl_ui.frame.text import catalogue, t


@dataclass(frozen=True)
class Entry:
    name: str
    other_name: str
    # in the other language; "" when it is the same
    help: str
    other_help: str
    # to be found by, never shown


def show() -> None:
    """Search field and list. The one source is [terms] in the catalogues."""
    entries = glossary(state.language())
    sought = st.text_input(
        t("glossary.search"),
        key="glossary_search",
        placeholder=t("glossary.example"),
        icon=":material/search:",
        max_chars=60,
        width=420,
    )
    found = matching(entries, sought)
    if not found:
        st.info(t("glossary.none"), icon=":material/search_off:")
        return
    st.caption(t("glossary.count", count=len(found), total=len(entries)))
    st.html(f'<dl class="hs-glossary">{"".join(map(_html, found))}</dl>')


def glossary(language: str) -> list[Entry]:
    """All terms by name, in the order of the language's alphabet."""
    words = catalogue(language)
    others = catalogue(next(other for other in state.LANGUAGES if other != language))
    keys = [key for key in words if key.startswith("terms.") and key.endswith(".name")]
    entries = [
        Entry(
            name=words[key],
            other_name="" if others[key].casefold() == words[key].casefold() else others[key],
            help=words[key.removesuffix("name") + "help"],
            other_help=others[key.removesuffix("name") + "help"],
        )
        for key in keys
    ]
    return sorted(entries, key=lambda entry: entry.name.casefold())


def matching(entries: list[Entry], sought: str) -> list[Entry]:
    """Entries with every word of `sought` in their names or helps of either language; names come first."""
    parts = sought.casefold().split()

    def rank(entry: Entry) -> int | None:
        names = f"{entry.name} {entry.other_name}".casefold()
        if all(part in names for part in parts):
            return 0
        helps = f"{entry.help} {entry.other_help}".casefold()
        return 1 if all(part in f"{names} {helps}" for part in parts) else None

    ranked = [(place, entry) for entry in entries if (place := rank(entry)) is not None]
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]


def _html(entry: Entry) -> str:
    other = f" <span>({escape(entry.other_name)})</span>" if entry.other_name else ""
    return f"<div><dt>{escape(entry.name)}{other}</dt><dd>{escape(entry.help)}</dd></div>"
