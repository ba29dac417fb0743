"""A tiny run's service on a free port."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import pytest
import uvicorn

from tl_core.inference.predictor import Predictor
from tl_core.serving.app import Terms, make_app


@dataclass
class Served:
    """A service that answers in this process."""

    port: int

    def ask(
        self, method: str, way: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body). Names of headers with _ for -."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, way, body or None, named)
            reply = connection.getresponse()
            told = {name.lower(): value for name, value in reply.getheaders()}
            return reply.status, told, reply.read()

    def classify(self, body: bytes, way: str = "/classify", **headers: str) -> tuple[int, dict[str, Any]]:
        status, _, content = self.ask("POST", way, body, **headers)
        return status, json.loads(content)


def form(*files: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of a form as browsers send it."""
    edge = b"--edge"
    parts = [
        b'%b\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n%b\r\n'
        % (edge, name.encode(), content)
        for name, content in files
    ]
    return b"".join(parts) + edge + b"--\r\n", {"Content_Type": "multipart/form-data; boundary=edge"}


@contextlib.contextmanager
def serving(app: Any) -> Iterator[Served]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while thread.is_alive() and not server.started:
            time.sleep(0.01)
        yield Served(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(60)


@pytest.fixture
def serve(predictor: Predictor) -> Iterator[Callable[..., Served]]:
    """`serve(token=…)`: a service on these terms, until the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda **terms: stack.enter_context(serving(make_app(predictor, Terms(**terms))))
