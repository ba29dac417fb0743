"""A small server that speaks the Hugging Face hub's protocol, and misbehaves on request.

What the installed library asks for: HEAD /{repo}/resolve/{revision}/{file}, answered by a redirect
with X-Repo-Commit, X-Linked-Etag (the sha256) and X-Linked-Size to another host that stores the
content; GET there, with Range when a transfer broke off. Plain files for torchvision are served
from /plain/{file}. `hub` and `storage` are two ports, since the library tells hosts apart by port.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"

BEHAVIOURS = (
    "good", "silent", "trickle", "truncated", "restarting", "flipped", "missing", "broken", "no_hub",
)  # fmt: skip
"""silent: accepts and never answers; trickle: a few bytes a second; truncated: ends early, each
time; restarting: the same, and begins anew when asked to go on; flipped: right length, one byte
wrong; missing: 404; broken: 500; no_hub: some other web server."""


@dataclass
class StandIn:
    content: bytes
    behaviour: str = "good"
    hub: str = ""
    storage: str = ""
    asked: list[str] = field(default_factory=list)
    # "HEAD /path", in order
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@contextmanager
def serve(content: bytes, behaviour: str = "good") -> Iterator[StandIn]:
    assert behaviour in BEHAVIOURS
    state = StandIn(content, behaviour)
    servers = [_Server(state) for _ in range(2)]
    state.hub, state.storage = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, state: StandIn) -> None:
        self.state = state
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request, client_address) -> None:
        """A client that gave up on us is what several tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        state = self.server.state
        state.asked.append(f"{self.command} {self.path}")
        if state.behaviour == "silent":
            state.closing.wait()
            self.close_connection = True
        elif state.behaviour in ("missing", "broken", "no_hub"):
            self.send_response({"missing": 404, "broken": 500, "no_hub": 200}[state.behaviour])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif re.fullmatch(r"/[^/]+/[^/]+/resolve/[^/]+/.+", self.path):
            self._redirect()
        else:
            self._content(with_body)

    def _redirect(self) -> None:
        state = self.server.state
        self.send_response(302)
        self.send_header("Location", f"{state.storage}/{state.sha256}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", '"a-pointer-file"')
        self.send_header("X-Linked-Etag", f'"{state.sha256}"')
        self.send_header("X-Linked-Size", str(len(state.content)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _content(self, with_body: bool) -> None:
        state, content = self.server.state, self.server.state.content
        start = 0
        given = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if state.behaviour == "restarting":
            given = None
        if given:
            start = int(given[1])
        self.send_response(206 if given else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if given:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not with_body:
            return
        if state.behaviour in ("truncated", "restarting"):
            self.wfile.write(content[start : len(content) // 2])
            self.close_connection = True
        elif state.behaviour == "flipped":
            middle = len(content) // 2
            self.wfile.write(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        elif state.behaviour == "trickle":
            for byte in content[start:]:
                if state.closing.wait(0.05):
                    break
                self.wfile.write(bytes([byte]))
        else:
            self.wfile.write(content[start:])

    def log_message(self, format: str, *args) -> None:
        """Quiet."""
