"""The exported page in Chromium: the files' bytes go in as a visitor gives them, its answers come out.

Driven by playwright, which only who works on this project has; without it, or without Chromium, nothing is
checked here, and the export says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tl_core.export.pictures import CheckPictures

FLAGS: tuple[str, ...] = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
)
FLAGS += ("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage")
USUAL_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
USUAL_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
)
OWN = "/headswap-check/"
PATIENCE_MS = 600_000
WAIT = """async () => {
  while (!globalThis.headswap && !globalThis.headswapError) await new Promise(done => setTimeout(done, 50));
  return globalThis.headswapError;
}"""
ASK = """async number => {
  const reply = await fetch(`/headswap-check/file/${number}`);
  let pixels, isRead = true;
  try { pixels = await headswap.square(await reply.blob()); }
  catch {
    isRead = false;  // a kind of file that browsers do not show: the network gets the square itself
    pixels = new Uint8Array(await (await fetch(`/headswap-check/square/${number}`)).arrayBuffer());
  }
  if (isRead) await fetch(`/headswap-check/seen/${number}`, {method: "POST", body: pixels});
  const same = new Uint8Array(await (await fetch(`/headswap-check/square/${number}`)).arrayBuffer());
  const probabilities = await headswap.ask(pixels);
  const isSame = pixels.every((value, i) => value === same[i]);
  return {isRead, probabilities, ofSquare: isSame ? probabilities : await headswap.ask(same)};
}"""


def find_chromium() -> str | None:
    """HEADSWAP_CHROMIUM, or where it usually is."""
    if named := os.environ.get("HEADSWAP_CHROMIUM"):
        return named
    for name in USUAL_NAMES:
        if found := shutil.which(name):
            return found
    return next((place for place in USUAL_PLACES if Path(place).exists()), None)


def is_here() -> bool:
    return find_spec("playwright") is not None and find_chromium() is not None


def version() -> str:
    """As it says itself: "Chromium 150.0.1"."""
    done = subprocess.run([str(find_chromium()), "--version"], capture_output=True, text=True)
    found = re.match(r"\D*[\d.]+", done.stdout)
    return found[0].strip() if found else "Chromium"


@dataclass
class Asked:
    """What came back, N pictures."""

    probabilities: np.ndarray
    # (N, C) float32, from the files' bytes
    of_squares: np.ndarray
    # (N, C) of the reference's squares: the network alone
    squares: np.ndarray
    # uint8 (N, px, px, 3), as the page made them; the reference's where a browser cannot read the file
    unread: list[int] = field(default_factory=list)
    # places of those


def ask(folder: Path, pictures: CheckPictures, entry: str = "") -> Asked:
    """Open the page in `folder` and give it every picture. Raises: whatever playwright raises."""
    # a thread of its own: playwright refuses where an event loop runs
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_ask, folder, pictures, entry).result()


def _ask(folder: Path, pictures: CheckPictures, entry: str) -> Asked:
    from playwright.sync_api import sync_playwright

    squares = pictures.squares.copy()
    with _serving(folder, pictures, squares) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        try:
            page = browser.new_page(service_workers="block")
            page.set_default_timeout(PATIENCE_MS)
            page.goto(address + entry)
            if error := page.evaluate(WAIT):
                raise RuntimeError(error)
            answers = [page.evaluate(ASK, number) for number in range(len(pictures))]
        finally:
            browser.close()
    own, same = (np.array([one[key] for one in answers], np.float32) for key in ("probabilities", "ofSquare"))
    return Asked(own, same, squares, [place for place, answer in enumerate(answers) if not answer["isRead"]])


@contextmanager
def _serving(folder: Path, pictures: CheckPictures, squares: np.ndarray) -> Iterator[str]:
    """The folder as any static web server shows it, and the pictures beside it; squares are filled in."""
    handler = partial(_Handler, pictures, squares, directory=str(folder))
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A browser that is closed breaks off what it was reading."""


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def __init__(self, pictures: CheckPictures, squares: np.ndarray, *given: Any, **named: Any) -> None:
        self.pictures, self.squares = pictures, squares
        super().__init__(*given, **named)

    def do_GET(self) -> None:
        if not self.path.startswith(OWN):
            super().do_GET()
            return
        kind, number = self.path.removeprefix(OWN).split("/")
        place = int(number)
        is_file = kind == "file"
        content = (
            self.pictures.files[place].read_bytes() if is_file else self.pictures.squares[place].tobytes()
        )
        self._send(content)

    def do_POST(self) -> None:
        place = int(self.path.rpartition("/")[2])
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.squares[place] = np.frombuffer(content, np.uint8).reshape(self.squares.shape[1:])
        self._send(b"")

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
