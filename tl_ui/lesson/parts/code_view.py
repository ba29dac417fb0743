"""See the code: the few lines of the running program that did what is shown, never a copy of them."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from tl_core.base.files.paths import PACKAGES
from tl_ui.frame.text import t


@dataclass(frozen=True)
class Excerpt:
    file: str
    # from the project's root
    line: int
    text: str


def show(names: tuple[str, ...], key: str) -> None:
    """A closed box; what is inside is read when it is opened. names: "module:Class.function"."""
    box = st.expander(t("lesson.see_code"), icon=":material/code:", key=f"code_{key}", on_change="rerun")
    if not box.open:
        return
    with box:
        for name in names:
            found = excerpt(name)
            st.caption(t("lesson.code_from", file=found.file, line=found.line))
            st.code(found.text, language="python")


@cache
def excerpt(name: str) -> Excerpt:
    """The source of a function, method or class of ours, without its docstring.

    Raises: ImportError, AttributeError: there is none of this name.
    """
    module, _, path = name.partition(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    found = inspect.unwrap(getattr(found, "fget", None) or getattr(found, "__func__", found))
    lines, line = inspect.getsourcelines(found)
    file = Path(inspect.getsourcefile(found) or "").resolve().relative_to(PACKAGES).as_posix()
    return Excerpt(file, line, without_docstring(textwrap.dedent("".join(lines))))


def without_docstring(source: str) -> str:
    """The same lines without the docstring of the outermost function or class."""
    body = ast.parse(source).body[0].body
    first = body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str)
    if not is_docstring or len(body) == 1:
        return source.rstrip()
    lines = source.splitlines()
    del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines).rstrip()
