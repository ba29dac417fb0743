"""`python -m tl_core serve` as a person starts and ends it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.serving.conftest import Served
from tl_core.cli import main
from tl_core.serving.run_server import is_loopback

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to end in order by")


@contextlib.contextmanager
def started(run: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Served]]:
    command = [sys.executable, "-m", "tl_core", "serve", str(run), "--port", "0", *options]
    env = {**os.environ, "HEADSWAP_LANG": "en"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert server.stderr
    try:
        lines = []
        for line in server.stderr:
            lines.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                yield server, Served(int(found[1]))
                break
        else:
            pytest.fail("".join(lines))
    finally:
        server.kill()
        server.communicate()


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(predictor, drawn, number):
    with started(predictor.run.path, "--json") as (server, service):
        assert service.classify(next(drawn.rglob("*.png")).read_bytes())[0] == 200
        server.send_signal(number)
        out, err = server.communicate(timeout=60)
        assert server.returncode == 0, err
        assert json.loads(out)["address"].endswith(f":{service.port}/")
        assert "Traceback" not in err


@POSIX
def test_a_request_that_came_before_the_signal_is_answered(predictor, drawn):
    content = next(drawn.rglob("*.png")).read_bytes()
    with (
        started(predictor.run.path) as (server, service),
        socket.create_connection(("127.0.0.1", service.port)) as connection,
    ):
        head = f"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content[:100])
        # the service has the request's beginning once it answers another one
        assert service.ask("GET", "/health")[0] == 200
        server.send_signal(signal.SIGTERM)
        connection.sendall(content[100:])
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
        server.communicate(timeout=60)
        assert reply.startswith(b"HTTP/1.1 200"), reply
        assert server.returncode == 0


def test_a_port_in_use_is_one_sentence(predictor, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(predictor.run.path), "--port", str(port)]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert str(port) in told[-1] and "--port" in told[-1]


@pytest.mark.parametrize("options", [["--port", "70000"], ["--host", "no.such.host.invalid"]])
def test_an_address_that_cannot_be_is_one_sentence(predictor, capsys, options):
    assert main(["serve", str(predictor.run.path), *options]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_one_sentence(tmp_path, capsys):
    assert main(["serve", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_who_can_reach_an_address():
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.3.2.1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.4", "lab.example")))
