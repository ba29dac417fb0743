"""Whose browser asks: the owner's, on the machine itself, or another's, who may read what the owner named.

The address is the connection's own. Streamlit's server believes `X-Forwarded-For` from a proxy on this
machine alone, and what bears a proxy's mark is never the owner's, whatever address it shows.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

import streamlit as st

from tl_core.base.errors import PlaceRefused, TlError
from tl_core.base.files.paths import data_roots
from tl_core.serving import gate as host_gate
from tl_ui.frame import gate

PROXY_MARKS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


def is_owner() -> bool:
    """Whether the browser runs on this machine."""
    if any(name in st.context.headers for name in PROXY_MARKS):
        return False
    address = st.context.ip_address
    try:
        return address is None or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def browser() -> str:
    """The number by which the gate knows this browser again; "" without the gate, or without cookies."""
    # of a page test of Streamlit each cookie that is asked for is a stand-in, and there are none
    sent = dict(st.context.cookies)
    return gate.browser_of(sent.get(gate.cookie_name(), ""))


def sender() -> str:
    """By which uploads are counted: the browser's number, else its address; "" of the owner's."""
    return "" if is_owner() else browser() or str(st.context.ip_address)


def is_welcome() -> bool:
    """Whether the page is asked for by one of this server's own names: before `streamlit run
    streamlit_app.py` there is no gate that would have refused the rest. A test has no headers at all."""
    headers = [(name.lower().encode(), value.encode()) for name, value in st.context.headers.items()]
    named = [pair for pair in headers if pair[0] in (b"host", b"origin")]
    return not named or host_gate.is_welcome({"headers": named})


def is_behind_gate() -> bool:
    headers = st.context.headers
    return not headers or any(name.lower() == gate.MARK for name in headers)


def may_name_paths() -> bool:
    """Whether a path that is typed can lead anywhere."""
    return is_owner() or bool(data_roots())


def may_read(path: Path) -> bool:
    """Whether this browser may have `path` read, links followed."""
    if is_owner():
        return True
    try:
        real = path.resolve()
    except (OSError, ValueError, RuntimeError):
        return False
    return any(real.is_relative_to(root) for root in data_roots())


def refusal(path: Path, error: TlError) -> TlError:
    """What may be said of a path that cannot be used: to the owner what is wrong; to others one sentence
    whatever it is, so that nobody can feel out what lies on this machine."""
    return error if is_owner() else PlaceRefused(path=path)
