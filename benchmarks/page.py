"""What the page costs: starting the server, the first useful paint, a poll, a browser, the command line.

    python -m benchmarks.page [--browsers 5] [--rounds 5]

Needs Chromium and Playwright for the paint and the memory; says so where they are missing.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.harness import Clock, report, spread, table
from tl_core.base import events as ev
from tl_core.runs.event_log import EventLog, EventWriter
from tl_ui.stores.runs.run_view import fold

ROOT = Path(__file__).parents[1]
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def start_up(rounds: int) -> list[str]:
    """New processes by turns; CPU time of the child."""
    commands = {
        "python -c pass": ["-c", "pass"],
        "import tl_core": ["-c", "import tl_core"],
        "python -m tl_core --help": ["-m", "tl_core", "--help"],
        "everything the server imports at its start": [
            "-c",
            "import streamlit, tl_ui.frame.shell, tl_ui.screens.train.watch",
        ],
    }
    clocks = {name: Clock() for name in commands}
    walls: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, arguments in commands.items():
            before, start = os.times(), time.perf_counter()
            subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=True)
            after = os.times()
            walls[name].append(time.perf_counter() - start)
            user, system = after.children_user - before.children_user, after.children_system
            clocks[name].pieces.append(user + system - before.children_system)
    rows = [
        [name, spread(clock.pieces, digits=2), spread(walls[name], digits=2)]
        for name, clock in clocks.items()
    ]
    return table(["start", "CPU s", "wall s"], rows)


def poll(rounds: int) -> list[str]:
    """What one browser's poll of a run of 35 epochs computes in the server, Streamlit itself left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        with EventWriter(path) as writer:
            for epoch in range(1, 36):
                writer.write(
                    ev.EpochEnd(
                        stage="head", epoch=epoch, epochs=35, train_loss=0.5, train_accuracy=0.7,
                        val_loss=0.5, val_accuracy=0.7,
                        learning_rate=1e-3, epoch_seconds=1.0, images_per_second=100.0,
                    )
                )  # fmt: skip
        log = EventLog(path)
        log.read()
        unchanged, whole = Clock(), Clock()
        for _ in range(50 * rounds):
            unchanged.run(log.read)
            whole.run(lambda: fold(EventLog(path).read()))
    rows = [
        ["reading an unchanged log", spread(unchanged.pieces, 1e-6, 0)],
        ["reading and adding up a log of 35 epochs", spread(whole.pieces, 1e-6, 0)],
    ]
    return table(["poll", "CPU µs"], rows)


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
    with tempfile.TemporaryDirectory() as runs:
        child = subprocess.Popen(
            [*command, "--server.port", str(port)], cwd=ROOT, env={**os.environ, "HEADSWAP_RUNS": runs},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
                    break
                except OSError:
                    time.sleep(0.05)
            yield address, psutil.Process(child.pid)
        finally:
            child.terminate()
            child.wait()


def painted(num_browsers: int) -> list[str]:
    from playwright.sync_api import sync_playwright

    chromium = next((path for path in CHROMIUM if Path(path).is_file()), None)
    start = time.perf_counter()
    with server() as (address, process), sync_playwright() as playwright:
        ready = time.perf_counter() - start
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        paints, memory, pages = [], [process.memory_info().rss], []
        for _ in range(num_browsers):
            page = browser.new_page()
            begun = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("[data-testid='stMain'] h1", timeout=60_000)
            paints.append(time.perf_counter() - begun)
            page.wait_for_timeout(1500)
            pages.append(page)
            memory.append(process.memory_info().rss)
        browser.close()
    per_session = [(after - before) / 2**20 for before, after in zip(memory[1:-1], memory[2:], strict=True)]
    rows = [
        ["server answers after", f"{ready:.1f} s wall"],
        ["first browser: the page's heading stands after", f"{paints[0]:.1f} s wall"],
        ["later browsers", f"{spread(paints[1:])} s wall"],
        ["memory of the server with one browser", f"{memory[1] / 2**20:.0f} MiB"],
        ["each further browser", f"{spread(per_session)} MiB"],
    ]
    return table(["page", ""], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browsers", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    try:
        paint = painted(args.browsers)
    except Exception as error:
        paint = [f"No browser here: {' '.join(str(error).split())[:200]}"]
    report("page", "The page", [*start_up(args.rounds), "", *poll(args.rounds), "", *paint])


if __name__ == "__main__":
    main()
