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


def address() -> str:
    """By which uploads are counted; "" for the owner's browsers."""
    return "" if is_owner() else str(st.context.ip_address)


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
