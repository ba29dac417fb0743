"""The door: who is let in, and the sealed number by which a browser is known again.

Let in are requests that name this server by one of its own names, from pages of its own.

A site that a person visits can send its browser to this machine too (a form, a frame, a WebSocket), or call
itself by a name that leads here (DNS rebinding). Both carry that site's name in `Host` or `Origin`, and are
refused before Streamlit sees them. Streamlit's own `server.allowedHosts` is asked for WebSockets alone, and
to judge a foreign `Origin` it asks a server outside for this machine's address.

The number lies in a cookie that scripts cannot read; without its seal, made with a key of this server, a
number that somebody has seen is worth nothing.

Sources: OWASP Cheat Sheets, "WebSocket Security", "HTTP Headers", "Session Management"; RFC 6455, 10.2;
RFC 2104.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import psutil
from starlette.requests import cookie_parser

from tl_core.base.files.atomic import write_whole
from tl_core.base.files.paths import datasets_dir

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
MARK = "x-headswap-gate"
"""Header by which the pages know that a request came through the gate."""
COOKIE = "headswap_browser"
COOKIE_DAYS = 400
"""The longest that browsers keep one (RFC 6265bis, 5.5)."""
_NUMBER = re.compile(r"[0-9a-f]{32}")
_KEY_BYTES = 32


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
            passed = {**scope, "headers": [*scope["headers"], (MARK.encode(), b"1")]}
            await self.app(passed, receive, _with_headers(send, scope))
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


def _with_headers(send: Send, scope: Message) -> Send:
    """With a page goes a number, where the browser has none of ours yet."""

    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", [])}
            added = [pair for pair in HEADERS.items() if pair[0] not in given]
            is_page = b"text/html" in _sent(scope, b"accept")  # asked for from the address bar or by a link
            known = cookie_parser(_sent(scope, b"cookie").decode("latin-1")).get(COOKIE, "")
            if is_page and not browser_of(known) and (cookie := new_cookie()):
                rules = f"Path=/; Max-Age={COOKIE_DAYS * 86_400}; HttpOnly; SameSite=Lax"
                added.append((b"set-cookie", f"{COOKIE}={cookie}; {rules}".encode()))
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return send_on


def _sent(scope: Message, name: bytes) -> bytes:
    return b"; ".join(value for given, value in scope["headers"] if given.lower() == name)


def new_cookie() -> str:
    """A new browser's number and its seal; "" where no key can be kept."""
    number = secrets.token_hex(16)
    seal = _seal(number)
    return f"{number}.{seal}" if seal else ""


def browser_of(cookie: str) -> str:
    """The number in a cookie that this server has sealed; "" of any other."""
    number, _, seal = cookie.partition(".")
    if not _NUMBER.fullmatch(number) or not seal.isascii():
        return ""
    right = _seal(number)
    return number if right and hmac.compare_digest(seal, right) else ""


def _seal(number: str) -> str:
    """HMAC-SHA-256 with a key that lies beside the uploads, whose owners it tells apart."""
    file = datasets_dir() / "browsers.key"
    try:
        key = file.read_bytes() if file.exists() else b""
        if len(key) != _KEY_BYTES:
            key = secrets.token_bytes(_KEY_BYTES)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, key)
            file.chmod(0o600)
        return hmac.new(key, number.encode(), "sha256").hexdigest()
    except OSError:
        return ""
