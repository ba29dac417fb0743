"""A tiny run, and its service on a free port."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.inference.predictor import Predictor
from tl_core.runs.execution import workflow
from tl_core.serving.app import Terms, make_app

SETTINGS = {
    "weights": "formula",
    "image_px": 32,
    "augment": False,
    "target_per_class": 0,
    "device": "cpu",
    "head": {"epochs": 3, "learning_rate": 0.05},
    "finetune": {"epochs": 0},
}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("drawn"), {"dots": 24, "stripes": 24})


@pytest.fixture(scope="session")
def predictor(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    config = preset("casting", **SETTINGS)
    folder = workflow.create_run(drawn, tmp_path_factory.mktemp("out") / "run", config)
    assert workflow.execute(folder) == "finished"
    return Predictor.load(folder)


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
