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
from collections.abc import Awaitable, Callable, MutableMapping
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


def own_names() -> set[str]:
    """localhost, this machine's name and addresses, and what its owner adds: `HEADSWAP_HOSTS`, by commas."""
    added = os.environ.get("HEADSWAP_HOSTS", "").split(",")
    host = socket.gethostname()
    names = {"localhost", "127.0.0.1", "::1", host, f"{host}.local", *(name.strip() for name in added)}
    for addresses in psutil.net_if_addrs().values():
        families = (socket.AF_INET, socket.AF_INET6)
        names |= {one.address.partition("%")[0] for one in addresses if one.family in families}
    return {name.lower() for name in names if name}


class Gate:
    """ASGI middleware in front of everything: pages, files, uploads, WebSocket."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif is_welcome(scope):
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": REFUSAL})


REFUSAL = (
    b"This server is not called so. Open it by its address, or let its owner add the name: HEADSWAP_HOSTS.\n"
    + "이 이름으로는 열 수 없습니다. 주소로 열거나, 관리자에게 HEADSWAP_HOSTS를 부탁하세요.\n".encode()
)


def is_welcome(scope: Message) -> bool:
    """Whether the request names us, and the page that it comes from, if any, is ours."""
    given: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        given.setdefault(name.lower(), []).append(value)
    hosts, origins = given.get(b"host", []), given.get(b"origin", [])
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


def _with_headers(send: Send) -> Send:
    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", [])}
            added = [pair for pair in HEADERS.items() if pair[0] not in given]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return send_on
