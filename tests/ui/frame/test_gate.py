"""Another site cannot drive the local app: a request that names another host, or comes from another's page,
is refused on every way in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
import websockets

from tl_core.serving import gate

ROOT = Path(__file__).resolve().parents[3]
WAYS = (
    "/",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/upload_file/a/b",
    "/media/x.png",
    "/app/static/x",
)


def scope(host: str | None = "localhost:8501", origin: str | None = None, kind: str = "http") -> dict:
    headers = [
        (name, value.encode()) for name, value in ((b"host", host), (b"origin", origin)) if value is not None
    ]
    return {"type": kind, "headers": headers}


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST.", "teacher.school"]
)
def test_own_names_are_let_in(host, monkeypatch):
    monkeypatch.setenv("HEADSWAP_HOSTS", "teacher.school, other.school")
    assert gate.is_welcome(scope(host))
    assert gate.is_welcome(scope(host, f"http://{host}"))


def test_this_machines_addresses_are_its_names():
    found = [a.address for one in psutil.net_if_addrs().values() for a in one if a.family == socket.AF_INET]
    assert found
    assert all(gate.is_welcome(scope(f"{address}:8501")) for address in found)


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "localhost.evil.example", "localhost@evil.example", "a:b@localhost",
     "localhost:x", "localhost:99999", "[::1", "192.0.2.1", "127.0.0.1.nip.example", "\x00"],
)  # fmt: skip
def test_other_names_are_refused(host):
    assert not gate.is_welcome(scope(host))


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "https://localhost.evil.example", "file://"]
)
def test_pages_of_others_are_refused(origin):
    assert not gate.is_welcome(scope(origin=origin))
    assert not gate.is_welcome(scope(origin=origin, kind="websocket"))


def test_two_hosts_are_one_too_many():
    twice = {"type": "http", "headers": [(b"host", b"localhost"), (b"host", b"evil.example")]}
    assert not gate.is_welcome(twice)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The app as `make app` serves it."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "server.py", "--server.headless", "true"]
    env = {**os.environ, "HEADSWAP_CACHE": str(folder / "cache"), "HEADSWAP_RUNS": str(folder / "runs")}
    server = subprocess.Popen(
        [*command, "--server.port", str(port)], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError):
                asked(port, "/_stcore/health")
                break
            time.sleep(0.2)
        yield port
    finally:
        server.terminate()
        server.wait()


def asked(port: int, way: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, way, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def opened(port: int, **headers: str) -> bool:
    """Whether the app's WebSocket opens."""

    async def try_it() -> bool:
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        try:
            async with websockets.connect(
                address, origin=headers.get("Origin"), subprotocols=["streamlit"], open_timeout=60
            ):  # fmt: skip
                return True
        except websockets.InvalidStatus:
            return False

    return asyncio.run(try_it())


def test_the_served_app_refuses_on_every_way_in(port):
    assert asked(port, "/")[0] == 200
    for way in WAYS:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            assert asked(port, way, method, Host="evil.example")[0] == 403, (way, method)
            assert asked(port, way, method, Origin="http://evil.example")[0] == 403, (way, method)


def test_the_served_apps_websocket_opens_for_its_own_pages_alone(port):
    assert opened(port, Origin=f"http://localhost:{port}")
    assert opened(port, Origin=f"http://127.0.0.1:{port}")
    assert not opened(port, Origin="http://evil.example")


def test_every_answer_says_who_may_frame_it_and_what_it_is(port):
    _, headers = asked(port, "/")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
