"""What a person has chosen, remembered over reloads, page changes and lost connections.

Four names are mirrored to the address bar: `?lang=…&data=…&run=…&teach=1`. The address bar wins, so a link
reproduces a view; the session is the fall-back, since page changes drop parameters. A page may keep
names of its own beside them, like Explore its `explore_view` and `cell`; they stay on that page. Ids from the
address bar are only ever looked up in a listing, never joined to a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tl_core.base import messages
from tl_core.base.errors import RunNotFound
from tl_core.base.files.paths import runs_dir
from tl_core.base.messages import say
from tl_core.runs.run_folder import RunFolder, find
from tl_ui.stores.sets import datasets
from tl_ui.stores.sets.datasets import DataChoice

LANGUAGES = {language: say("language.name", language) for language in messages.LANGUAGES}
MIRRORED = ("lang", "data", "run", "teach")


def read(name: str) -> str | None:
    """The remembered value of a name: `lang`, `data`, `run`, `teach`, or one of a page's own."""
    return st.query_params.get(name) or st.session_state.get(f"kept_{name}")


def keep(name: str, value: str | None) -> None:
    """Remember `value` in the session and in the address bar; None forgets it."""
    if value:
        st.session_state[f"kept_{name}"] = value
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    else:
        st.session_state.pop(f"kept_{name}", None)
        if name in st.query_params:
            del st.query_params[name]


def rename(old: str, new: str, options: Sequence[str]) -> None:
    """Take what an older link says under `old` over to `new`; what is none of `options` is dropped."""
    asked = st.query_params.get(old)
    if asked is not None:
        del st.query_params[old]
        if asked in options:
            keep(new, asked)


def linked(name: str, key: str, options: Sequence[str], default: str) -> dict[str, Any]:
    """`key` and `on_change` for a widget over `options` whose choice stands in the address bar under `name`;
    what stands there and is no option gives way to the default. A default that nobody chose stays out of
    it: elsewhere another may be right."""
    asked = read(name)
    # set before it is drawn, so that a link wins over an old widget value
    st.session_state[key] = asked if asked in options else default
    if asked is not None:
        keep(name, st.session_state[key])
    return {"key": key, "on_change": lambda: keep(name, st.session_state[key])}


def mirror() -> None:
    """Put back what a page change dropped from the address bar. Called once per page, by the shell."""
    for name in MIRRORED:
        if value := read(name):
            keep(name, value)


def link_params(**changes: str | None) -> dict[str, str]:
    """Parameters to hand to a page link, so that the first run of the next page knows the choices."""
    values = {name: read(name) for name in MIRRORED} | changes
    return {name: value for name, value in values.items() if value}


def language() -> str:
    """One of LANGUAGES: chosen by the person, else the browser's."""
    chosen = read("lang")
    if chosen in LANGUAGES:
        return chosen
    return messages.closest(str(st.context.locale or ""))


def is_dark() -> bool:
    return getattr(st.context.theme, "type", None) == "dark"


def chosen_data() -> DataChoice | None:
    """The chosen data set; None when nothing is chosen or it is gone from this server."""
    data_id = read("data")
    return datasets.find(data_id) if data_id else None


def choose_data(data_id: str) -> None:
    keep("data", data_id)


def chosen_run() -> RunFolder | None:
    """The run named in `?run=`, found by listing; None when there is no such run."""
    name = read("run")
    if not name:
        return None
    try:
        return find(runs_dir(), name)
    except RunNotFound:
        return None


def choose_run(name: str) -> None:
    keep("run", name)
