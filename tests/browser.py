"""Chromium and a real server, as fixtures: `server` (one per test file) and `page` (one per test).

Without Chromium these tests are skipped, saying how to get it; with HEADSWAP_REQUIRE_BROWSER=1
they fail instead. A failed test leaves a picture of its page in artifacts/.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tl_core.export.web.browser import find_chromium

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "artifacts"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PATIENCE_MS = 60_000
"""For whatever a page is to show: a machine may be busy with other tests."""
HOW_TO_GET_ONE = (
    "No Chromium found. Install Chrome or Chromium (Debian: apt install chromium fonts-noto-cjk), "
    "or name one: HEADSWAP_CHROMIUM=/path/to/chromium"
)


class Server:
    """A `streamlit run` of the app on a free port, with a cache and a runs folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.runs = folder / "runs"
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the server answers. Raises: AssertionError with its log when it does not."""
        own = {"HEADSWAP_CACHE": str(self.cache), "HEADSWAP_RUNS": str(self.runs)}
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "server.py")]
        command += ["--server.headless", "true", "--server.port", str(self.port)]
        command += ["--server.address", "127.0.0.1", "--browser.serverAddress", "127.0.0.1"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).read()
                return
            time.sleep(0.1)
        raise AssertionError(f"The server did not start:\n{self.read_log()}")

    def kill(self) -> None:
        """As a crash would: no chance to clean up. Its workers live on."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=20)

    def close(self) -> None:
        """Ends the server and every worker that it started, each by its own id."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()
        for worker in self.workers():
            with contextlib.suppress(psutil.Error):
                worker.kill()

    def workers(self) -> list[psutil.Process]:
        """Processes that work on a run of this server, whoever their parent is by now."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if process.pid != os.getpid() and any(str(self.runs) in part for part in command):
                found.append(process)
        return found

    def read_log(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server of this test alone, to be killed and started again."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of one file."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A running browser. One per file: its event loop must not outlive the browser tests."""
    path = find_chromium()
    if path is None:
        if os.environ.get("HEADSWAP_REQUIRE_BROWSER") == "1":
            pytest.fail(HOW_TO_GET_ONE)
        pytest.skip(HOW_TO_GET_ONE)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A tab 1280 wide, in English; photographed into artifacts/ when its test fails."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    yield page
    report = getattr(request.node, "report_of_call", None)
    if report is not None and report.failed:
        ARTIFACTS.mkdir(exist_ok=True)
        for number, tab in enumerate(context.pages):
            with contextlib.suppress(Exception):  # a picture of a failure must not hide the failure
                tab.screenshot(path=ARTIFACTS / f"{request.node.name}-{number}.png", full_page=True)
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.report_of_call = report  # type: ignore[attr-defined]
    return report
