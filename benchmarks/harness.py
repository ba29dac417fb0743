"""What the benchmarks share: turns, clocks, medians, the machine, and the page of results.

Times are CPU time of the side's process (all its threads) unless a column says "wall": other programs on
the machine disturb CPU time little. Sides take turns, so that what disturbs meets them all alike.
"""

from __future__ import annotations

import multiprocessing
import platform
import re
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tl_core.compute.cpu_probe import cpu_name
from tl_core.compute.device import usable_cores, versions

RESULTS = Path(__file__).with_name("RESULTS.md")
INTRODUCTION = """# Measured

Written by the benchmarks themselves (`python -m benchmarks.<name>`), each its own section. Times are CPU
seconds of the process unless a column says wall; ratios are between sides that took turns.
"""
EARLIER = RESULTS.with_name("EARLIER.md")
EARLIER_INTRODUCTION = """# Measured before

Sections of [RESULTS.md](RESULTS.md) as they stood when another day's measurement took their place.
"""

Side = Generator[float, None, Any]
"""Work in pieces: yields the share that is done, returns its result."""


@dataclass
class Clock:
    """CPU and wall seconds of one side; `pieces` holds the CPU seconds of each of its turns."""

    cpu: float = 0.0
    wall: float = 0.0
    pieces: list[float] = field(default_factory=list)
    result: Any = None

    def run(self, step: Callable[[], Any]) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            return step()
        finally:
            self.add(time.process_time() - cpu, time.perf_counter() - wall)

    def add(self, cpu: float, wall: float) -> None:
        self.pieces.append(cpu)
        self.cpu += cpu
        self.wall += wall


class Apart:
    """A side in a process of its own that works only when it is its turn. Each side can so have the
    memory settings that it is run with, and leaves the caches of the others alone.

    make: `make(*given)` -> Side, in the new process. threads: torch's. keep_memory: as our worker does.
    """

    def __init__(
        self, make: Callable[..., Side], *given: Any, threads: int = 1, keep_memory: bool = False
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        task = (theirs, make, given, threads, keep_memory)
        self._process = context.Process(target=_work, args=task, daemon=True)
        self._process.start()
        theirs.close()

    def turn(self, clock: Clock) -> float | None:
        """The share that is done, None at the end; the clock takes the turn's time and the result."""
        self._ours.send(None)
        share, clock.result, cpu, wall = self._ours.recv()
        clock.add(cpu, wall)
        if share is None:
            self._process.join()
        return share


def _work(pipe: Any, make: Callable[..., Side], given: tuple, threads: int, is_kept: bool) -> None:
    import torch

    from tl_core.compute import malloc_tuning

    torch.set_num_threads(threads)
    if is_kept:
        malloc_tuning.keep_memory()
    share: float | None = 0.0
    side: Side | None = None
    while share is not None:
        pipe.recv()
        cpu, wall, result = time.process_time(), time.perf_counter(), None
        try:
            side = side or make(*given)
            share = next(side)
        except StopIteration as end:
            share, result = None, end.value
        pipe.send((share, result, time.process_time() - cpu, time.perf_counter() - wall))


def take_turns(sides: dict[str, Apart]) -> dict[str, Clock]:
    """Whoever is furthest behind in its own work goes on next, until all have ended."""
    clocks = {name: Clock() for name in sides}
    done = dict.fromkeys(sides, 0.0)
    while done:
        name = min(done, key=lambda side: done[side])
        share = sides[name].turn(clocks[name])
        if share is None:
            del done[name]
        else:
            done[name] = share
    return clocks


def repeat(sides: dict[str, Callable[[], Any]], rounds: int, warm_up: int = 1) -> dict[str, Clock]:
    """Each side once per round, `rounds` times, after rounds that do not count."""
    clocks = {name: Clock() for name in sides}
    for attempt in range(warm_up + rounds):
        for name, step in sides.items():
            (clocks[name] if attempt >= warm_up else Clock()).run(step)
    return clocks


def spread(values: Sequence[float], unit: float = 1.0, digits: int = 1) -> str:
    """ "median (lowest–highest)", each divided by `unit`."""
    low, middle, high = (value / unit for value in (min(values), median(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def machine() -> str:
    """Where, when and with what a section was measured."""
    import torch

    found = versions()
    libraries = ", ".join(f"{name} {found[name]}" for name in ("torch", "timm", "numpy") if found.get(name))
    load = Path("/proc/loadavg")
    busy = f", load {load.read_text().split()[0]}" if load.is_file() else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {cpu_name()}, {usable_cores()} cores{busy} · "
        f"{torch.get_num_threads()} thread(s) · Python {platform.python_version()}, {libraries} · {_commit()}"
    )


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=RESULTS.parent, capture_output=True, text=True
        )
    except OSError:
        return "commit unknown"
    return f"commit {done.stdout.strip() or 'unknown'}"


def report(name: str, title: str, lines: Sequence[str]) -> None:
    """Print a section, and lay it over the one of the same name in RESULTS.md; what lies there from
    another day goes to EARLIER.md."""
    section = "\n".join([f"## {title}", "", f"`python -m benchmarks.{name}` · {machine()}", "", *lines])
    print(section, flush=True)
    slug = re.sub(r"\W+", "-", title.lower()).strip("-")
    key = f"{name} {slug}"
    before = _lay(RESULTS, INTRODUCTION, key, section)
    if before and _day(before) != _day(section):
        _lay(EARLIER, EARLIER_INTRODUCTION, key, before)


def _lay(path: Path, introduction: str, key: str, section: str) -> str:
    """Put a section into a page, where its key stood or at the end; returns what stood there."""
    begin, end = f"<!-- {key} -->\n", f"\n<!-- end of {key} -->"
    text = path.read_text(encoding="utf-8") if path.is_file() else introduction
    if begin not in text:
        path.write_text(f"{text.rstrip()}\n\n{begin}{section}{end}\n", encoding="utf-8")
        return ""
    head, rest = text.split(begin, 1)
    before, tail = rest.split(end, 1)
    path.write_text(head + begin + section + end + tail, encoding="utf-8")
    return before


def _day(section: str) -> str:
    found = re.search(r" · (\d{4}-\d\d-\d\d) ", section)
    return found[1] if found else ""
