"""Who is let in: requests that name this server by one of its own names, from pages of its own.

A site that a person visits can send its browser to this machine too (a form, a frame, a WebSocket), or call
itself by a name that leads here (DNS rebinding). Both carry that site's name in `Host` or `Origin`, and are
refused before Streamlit sees them. Streamlit's own `server.allowedHosts` is asked for WebSockets alone, and
to judge a foreign `Origin` it asks a server outside for this machine's address.

Sources: OWASP Cheat Sheets, "WebSocket Security", "HTTP Headers"; RFC 6455, 10.2.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import psutil

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
    b"content-security-policy": b"frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
    b"referrer-policy": b"same-origin",
}
"""On every answer. Streamlit's pages run scripts and styles of their own making, which stay."""
POLICY_VIOLATION = 1008
"""RFC 6455, 7.4.1."""
ADDRESSES_HOLD_SECONDS = 5


def own_names() -> set[str]:
    """localhost, this machine's name and addresses, and what its owner adds: `HEADSWAP_HOSTS`, by commas."""
    added = os.environ.get("HEADSWAP_HOSTS", "").split(",")
    host = socket.gethostname()
    names = {"localhost", "127.0.0.1", "::1", host, f"{host}.local", *(name.strip() for name in added)}
    names |= _addresses(int(time.monotonic() / ADDRESSES_HOLD_SECONDS))
    return {name.lower() for name in names if name}


@lru_cache(maxsize=1)
def _addresses(_age: int) -> frozenset[str]:
    """This machine's; asked of the system now and then, since a network may come while the server runs."""
    families = (socket.AF_INET, socket.AF_INET6)
    found = (one for addresses in psutil.net_if_addrs().values() for one in addresses)
    return frozenset(one.address.partition("%")[0] for one in found if one.family in families)


class Gate:
    """ASGI middleware in front of everything: pages, files, uploads, WebSocket."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif is_welcome(scope):
            await self.app(self.passed(scope), receive, self._with_headers(send, scope))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": REFUSAL})

    def passed(self, scope: Message) -> Message:
        """The request as the app behind sees it."""
        return scope

    def headers(self, scope: Message) -> list[tuple[bytes, bytes]]:
        """What every answer to this request has, but where the app says otherwise."""
        return list(HEADERS.items())

    def _with_headers(self, send: Send, scope: Message) -> Send:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message.get("headers", [])}
                added = [pair for pair in self.headers(scope) if pair[0] not in given]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        return send_on


REFUSAL = (
    b"This server is not called so. Open it by its address, or let its owner add the name: HEADSWAP_HOSTS.\n"
    + "이 이름으로는 열 수 없습니다. 주소로 열거나, 관리자에게 HEADSWAP_HOSTS를 부탁하세요.\n".encode()
)


def is_welcome(scope: Message) -> bool:
    """Whether the request names us, and the page that it comes from, if any, is ours."""
    hosts = [value for name, value in scope["headers"] if name.lower() == b"host"]
    origins = [value for name, value in scope["headers"] if name.lower() == b"origin"]
    names = own_names()
    if len(hosts) != 1 or _host_of(b"//" + hosts[0]) not in names:
        return False
    return all(_host_of(origin) in names for origin in origins)


def _host_of(address: bytes) -> str:
    """The name in `//name:port` or `http://name:port`; "" where there is none."""
    try:
        parts = urlsplit(address.decode("ascii"))
        _ = parts.port  # no number, or too large: no address
        return "" if parts.username or not parts.hostname else parts.hostname.rstrip(".")
    except ValueError:
        return ""
