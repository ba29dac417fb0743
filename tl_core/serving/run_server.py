"""Open a port, answer until asked to stop, end in order: what came before the signal is still answered."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import uvicorn

from tl_core.base.errors import PortRefused
from tl_core.inference.predictor import Predictor
from tl_core.serving.app import Terms, make_app

MAX_CONNECTIONS = 256
"""More at one moment are asked to come again (503)."""
GRACE_SECONDS = 30
"""In which requests that are being answered may end after a signal."""


def serve(
    predictor: Predictor,
    terms: Terms,
    host: str,
    port: int,
    on_open: Callable[[str], None] = lambda address: None,
) -> str:
    """Returns the address after SIGTERM or Ctrl+C. port: 0 = one that is free. on_open: told the address once
    connections are accepted. Raises: PortRefused."""
    with _listening(host, port) as listener:
        number = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{number}/"
        app = make_app(predictor, replace(terms, is_local=is_loopback(host)))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        on_open(address)
        with _signals_end_quietly():
            uvicorn.Server(config).run(sockets=[listener])
    return address


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2 * MAX_CONNECTIONS)
    except (OSError, OverflowError) as error:
        detail = error.strerror if isinstance(error, OSError) else error
        raise PortRefused(host=host, port=port, detail=detail) from None
    with contextlib.closing(listener):
        yield listener


@contextlib.contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """uvicorn ends in order and then raises the signal once more, for whoever ran it: we need it not."""
    asked = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: None) for number in asked}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
