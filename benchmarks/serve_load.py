"""`serve` under load: 32 clients at once, in turns with the bare runtime on the same cores. Stops by itself.

    python -m benchmarks.serve_load RUN PICTURE... [--seconds 120] [--clients 32]

Every client sends one picture's bytes after the other over a connection that it keeps. Seen to: nothing
lost, every answer as `predict` gives it, memory flat. The bare runtime is ONNX Runtime's session called in a
loop with pictures that are decoded and resized already; beside it the same loop with decoding. Exits 1 where
an answer was lost or differs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks.harness import report, spread, table
from tl_core.inference.predictor import Predictor, predict_files
from tl_core.models.onnx.cached import BATCH

SIDES = ("served", "bare", "with decoding")
SLICE_SECONDS = 10
"""Of load, between two goes of the bare runtime."""
BARE_SECONDS = 4


@dataclass
class Load:
    """What the clients saw. answers: what `predict` says of each picture, by its name."""

    port: int
    pictures: dict[str, bytes]
    answers: dict[str, dict[str, Any]]
    sent: int = 0
    answered: int = 0
    differing: int = 0
    largest: float = 0.0
    # difference of a probability
    seconds: list[float] = field(default_factory=list)
    # of each request

    async def run(self, clients: int, seconds: float) -> float:
        """Pictures answered in a second."""
        before, start = self.answered, time.perf_counter()
        await asyncio.gather(*(self._client(number, start + seconds) for number in range(clients)))
        return (self.answered - before) / (time.perf_counter() - start)

    async def _client(self, number: int, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        names = list(self.pictures)
        for name in cycle(names[number % len(names) :] + names[: number % len(names)]):
            if time.perf_counter() >= until:
                break
            start = time.perf_counter()
            self.sent += 1
            writer.write(_request(name, self.pictures[name]))
            await writer.drain()
            self._check(name, await _response(reader))
            self.seconds.append(time.perf_counter() - start)
        writer.close()

    def _check(self, name: str, content: dict[str, Any]) -> None:
        answer, expected = content["predictions"][0], self.answers[name]
        self.answered += 1
        pairs = zip(answer["probabilities"].values(), expected["probabilities"].values(), strict=True)
        self.largest = max(self.largest, *(abs(a - b) for a, b in pairs))
        self.differing += answer["label"] != expected["label"]


def _request(name: str, content: bytes) -> bytes:
    head = f"POST /classify?name={name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def _response(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head, re.I)
    assert head.startswith(b"HTTP/1.1 200") and found, head
    return json.loads(await reader.readexactly(int(found[1])))


def bare(predictor: Predictor, contents: list[bytes], *, decodes: bool) -> tuple[float, float]:
    """(pictures in a second, CPU seconds a picture) of the session alone."""
    fast = predictor._answered["fast"]
    squares = [predictor.read_square(content) for content in contents]
    start, cpu, num = time.perf_counter(), time.process_time(), 0
    for first in cycle(range(0, len(squares) - BATCH + 1, BATCH)):
        if time.perf_counter() - start >= BARE_SECONDS:
            break
        places = range(first, first + BATCH)
        some = [predictor.read_square(contents[i]) if decodes else squares[i] for i in places]
        fast.session.run(None, {"pictures": np.stack(some)})
        num += BATCH
    return num / (time.perf_counter() - start), (time.process_time() - cpu) / num


def started(run: Path) -> tuple[subprocess.Popen[str], int]:
    """The service on a free port, once it answers."""
    command = [sys.executable, "-m", "tl_core", "serve", str(run), "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
            return server, int(found[1])
    raise SystemExit("the service did not start")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=120, help="of load, all slices together")
    parser.add_argument("--clients", type=int, default=32)
    args = parser.parse_args()
    predictor = Predictor.load(args.run)
    if predictor._answered.get("fast") is None:
        raise SystemExit("torch answers for this run: there is no bare ONNX Runtime to hold it against")
    contents = {f"{number:04}": path.read_bytes() for number, path in enumerate(args.pictures)}
    answers = dict(zip(contents, predict_files(predictor, args.pictures), strict=True))
    server, port = started(args.run)
    process = psutil.Process(server.pid)
    load = Load(port, contents, answers)
    rates: dict[str, list[float]] = {name: [] for name in SIDES}
    cpu: dict[str, list[float]] = {name: [] for name in SIDES}
    memory: list[float] = []
    try:
        asyncio.run(load.run(args.clients, 3))  # warm
        for _ in range(max(round(args.seconds / SLICE_SECONDS), 1)):
            before, num = sum(process.cpu_times()[:2]), load.answered
            rate = asyncio.run(load.run(args.clients, SLICE_SECONDS))
            spent = (sum(process.cpu_times()[:2]) - before) / (load.answered - num)
            turns = {"served": (rate, spent)}
            for name, decodes in (("bare", False), ("with decoding", True)):
                turns[name] = bare(predictor, list(contents.values()), decodes=decodes)
            for name, (rate, seconds) in turns.items():
                rates[name].append(rate)
                cpu[name].append(seconds)
            memory.append(process.memory_info().rss / 2**20)
    finally:
        server.terminate()
        status = server.wait(60)
    _report(args, load, rates, cpu, memory, status)
    return int(load.sent != load.answered or load.differing > 0 or status != 0)


def _report(
    args: argparse.Namespace,
    load: Load,
    rates: dict[str, list[float]],
    cpu: dict[str, list[float]],
    memory: list[float],
    status: int,
) -> None:
    def shares(name: str) -> str:
        """Of the session's speed: by the clock, and by CPU time, which other programs disturb little."""
        pairs = zip(rates["served"], rates[name], cpu[name], cpu["served"], strict=True)
        by_clock, by_cpu = zip(
            *((mine / theirs, least / most) for mine, theirs, least, most in pairs), strict=True
        )
        return f"{spread(by_clock, digits=2)}; by CPU time {spread(by_cpu, digits=2)}"

    times = sorted(1e3 * one for one in load.seconds)
    half, slow = median(times), times[int(0.99 * len(times))]
    used = memory[0], median(memory), memory[-1]
    rows = [
        ["requests sent / answered", f"{load.sent} / {load.answered}"],
        ["labels other than predict's", load.differing],
        ["largest difference of a probability", f"{load.largest:.1e}"],
        ["pictures in a second", spread(rates["served"])],
        ["the bare session", spread(rates["bare"])],
        *(["CPU ms a picture, " + name, spread(cpu[name], 1e-3)] for name in SIDES),
        ["served, as a share of the bare session (in turns)", shares("bare")],
        ["served, as a share of the session with decoding", shares("with decoding")],
        ["ms for a request: half / 99 of 100", f"{half:.0f} / {slow:.0f}"],
        ["MiB in use after each slice: first / middle / last", " / ".join(f"{one:.0f}" for one in used)],
        ["exit status after SIGTERM", status],
    ]  # fmt: skip
    title = f"`serve`: {args.clients} clients, {args.seconds:.0f} s of load, {args.run.name}"
    report("serve_load", title, table(["", ""], rows))


if __name__ == "__main__":
    sys.exit(main())
