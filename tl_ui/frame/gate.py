"""The pages' door: whom `tl_core.serving.gate` lets in, and the number by which a browser is known again.

The number lies in a cookie that scripts cannot read; without its seal, made with a key of this server, a
number that somebody has seen is worth nothing.

Sources: OWASP Cheat Sheets, "Session Management"; RFC 2104.
"""

from __future__ import annotations

import hmac
import re
import secrets

from starlette.requests import cookie_parser

from tl_core.base.files.atomic import write_whole
from tl_core.base.files.paths import datasets_dir
from tl_core.serving import gate
from tl_core.serving.gate import Message

MARK = "x-headswap-gate"
"""Header by which the pages know that a request came through the gate."""
COOKIE = "headswap_browser"
COOKIE_DAYS = 400
"""The longest that browsers keep one (RFC 6265bis, 5.5)."""
_NUMBER = re.compile(r"[0-9a-f]{32}")
_KEY_BYTES = 32


class Gate(gate.Gate):
    """In front of pages, files, uploads, WebSocket."""

    def passed(self, scope: Message) -> Message:
        return {**scope, "headers": [*scope["headers"], (MARK.encode(), b"1")]}

    def headers(self, scope: Message) -> list[tuple[bytes, bytes]]:
        """With a page goes a number, where the browser has none of ours yet."""
        added = super().headers(scope)
        is_page = b"text/html" in _sent(scope, b"accept")  # asked for from the address bar or by a link
        name = cookie_name()
        known = cookie_parser(_sent(scope, b"cookie").decode("latin-1")).get(name, "")
        if is_page and not browser_of(known) and (cookie := new_cookie()):
            rules = f"Path=/; Max-Age={COOKIE_DAYS * 86_400}; HttpOnly; SameSite=Lax"
            added.append((b"set-cookie", f"{name}={cookie}; {rules}".encode()))
        return added


def _sent(scope: Message, name: bytes) -> bytes:
    return b"; ".join(value for given, value in scope["headers"] if given.lower() == name)


def cookie_name() -> str:
    """One for each server: a browser sends its cookies to every port of a machine."""
    return f"{COOKIE}_{_seal(COOKIE)[:8]}"


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
