"""Faults by the hundred on this machine alone: killed runs, mutated files, many browsers beside a training.

    python -m benchmarks.soak [--kills 100] [--pictures 3000] [--run-files 1000] [--archives 300]
                              [--clients 30] [--client-minutes 10] [--minutes 60]

`make soak` runs it with these counts. Only processes that it starts itself are ended, each by its own id, and
only this machine's addresses are asked. A part that has used its share of the minutes stops and says how far
it came. Exit status 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import io
import json
import math
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.core.data_drawing import encoded, scene
from tests.core.drawn import write_classes

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = """weights = "formula"
image_px = 32
precision = "fp32"
device = "cpu"
threads = 1
target_per_class = 0
views = 2
batch_size = 16
[head]
epochs = 2
[finetune]
epochs = 1
"""
WAYS = ("command line", "worker", "cross-validation")
FORMATS = ("png", "jpg", "webp", "bmp", "gif", "tiff")
COUNTS = {
    "mutated pictures": "pictures",
    "mutated archives": "archives",
    "mutated run files": "run_files",
    "browsers beside a training": "clients",
    "killed runs": "kills",
}
"""{part: its option}; 0 leaves a part out."""
Found = dict[str, Any]


def until(count: int, seconds: float) -> Iterator[int]:
    """0 … count - 1, ended early when the seconds are over."""
    end = time.monotonic() + seconds
    for number in range(count):
        if number and time.monotonic() > end:
            return
        yield number


# ------------------------------------------------------------------ kills


def command_of(way: str, run: Path) -> list[str]:
    module = ["tl_core.jobs.worker", str(run)] if way == "worker" else ["tl_core", "resume", str(run)]
    return [sys.executable, "-m", *module]


def made(folder: Path, way: str, name: str) -> Path:
    """A new run, on few pictures where it is to cross-validate; not begun yet."""
    from tl_core.base.config import preset, read_toml
    from tl_core.runs.execution.workflow import create_run

    config = preset("expression", **read_toml(folder / "settings.toml"))
    data = folder / ("few" if way == "cross-validation" else "pictures")
    return create_run(data, folder / "runs" / name, config).path


def log_bytes(run: Path) -> int:
    log = run / "logs" / "events.jsonl"
    return log.stat().st_size if log.exists() else 0


def finish(way: str, run: Path, kill_at_bytes: float = math.inf, pause: float = 0) -> None:
    """Carry the run out, or kill it a pause after its log of events has grown so long: a time alone says
    little on a machine that others use."""
    with (run / "logs" / "soak.log").open("ab") as log:
        child = subprocess.Popen(command_of(way, run), cwd=ROOT, stdout=log, stderr=log)
        while child.poll() is None and log_bytes(run) < kill_at_bytes:
            time.sleep(0.005)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=pause)
        child.kill()
        child.wait()


def state_of(run: Path) -> str:
    from tl_core.jobs import local
    from tl_core.runs.run_folder import RunFolder

    return local.state(RunFolder(run))


def weights_of(run: Path) -> str:
    return hashlib.sha256((run / "models" / "final.safetensors").read_bytes()).hexdigest()


def kills(folder: Path, count: int, seconds: float) -> Found:
    """Processes killed at any moment; each run then ends with the weights of the undisturbed one."""
    rng, end = random.Random(0), time.monotonic() + seconds
    wanted, lengths = {}, {}
    for way in WAYS:
        run = made(folder, way, f"undisturbed-{way}")
        finish(way, run)
        lengths[way] = log_bytes(run)
        wanted[way] = weights_of(run)
    found: Found = {"kills": 0, "runs": 0, "same weights": 0, "left behind": 0, "by way": Counter()}
    while found["kills"] < count and (time.monotonic() < end or not found["runs"]):
        way = WAYS[found["runs"] % len(WAYS)]
        run = made(folder, way, f"killed-{found['runs']}")
        for _ in range(rng.randint(1, 3)):
            finish(way, run, rng.uniform(0, 0.95) * lengths[way], pause=rng.choice((0, 0.03, 0.1, 0.3)))
            if state_of(run) == "finished":
                break
            found["kills"] += 1
            found["by way"][way] += 1
        if state_of(run) != "finished":
            finish(way, run)
        found["runs"] += 1
        is_same = state_of(run) == "finished" and weights_of(run) == wanted[way]
        found["same weights"] += is_same
        found["left behind"] += sum(path.suffix == ".tmp" for path in run.rglob("*"))
        if is_same:
            shutil.rmtree(run)
    found["holds"] = found["same weights"] == found["runs"] and not found["left behind"]
    return found


# ------------------------------------------------------------------ files


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Cut, flipped, doubled, emptied in places: what accidents do to any file."""
    data = bytearray(content)
    match rng.randrange(5):
        case 0:
            return content[: rng.randrange(len(content))]
        case 1:
            for _ in range(rng.randint(1, 20)):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 2:
            at, size = rng.randrange(len(data)), rng.randint(1, 64)
            data[at : at + size] = rng.randbytes(size)
        case 3:  # a header that claims another size
            at = rng.randrange(min(len(data), 64))
            data[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff"))
        case _:
            at = rng.randrange(len(data))
            data = data[:at] + data[at // 2 : at] + data[at:]
    return bytes(data)


def tried(count: int, seconds: float, one: Callable[[random.Random], str]) -> Found:
    """`one` says what became of one file; whatever it raises did not hold."""
    found: Found = {"files": 0, "became": Counter(), "tracebacks": []}
    for seed in until(count, seconds):
        found["files"] += 1
        try:
            found["became"][one(random.Random(seed))] += 1
        except Exception as error:
            found["tracebacks"].append(f"{seed}: {type(error).__name__}: {error}"[:160])
    found["holds"] = not found["tracebacks"]
    return found


def pictures(folder: Path, count: int, seconds: float) -> Found:
    from tl_core.base.errors import UnreadableImage
    from tl_core.data.pixels.decode import read_image

    sound = [encoded(scene(seed, 64), ending) for seed, ending in enumerate(FORMATS)]

    def one(rng: random.Random) -> str:
        try:
            read_image(damaged(rng.choice(sound), rng), "picture", max_px=224)
            return "read"
        except UnreadableImage as error:
            error.message("ko").encode()
            return "refused with a reason"

    print("Decoders complain on standard error below; that is theirs.", file=sys.stderr)
    return tried(count, seconds, one)


def archives(folder: Path, count: int, seconds: float) -> Found:
    from tl_core.base.errors import TlError
    from tl_core.data.layouts.archives import unpack_zip

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for seed, name in enumerate(("a/1.png", "b/2.png", "../out.png", "/root.png", "c/../../3.png")):
            archive.writestr(name, encoded(scene(seed, 48), "png"))
    place = folder / "archives"

    def one(rng: random.Random) -> str:
        shutil.rmtree(place, ignore_errors=True)
        inside = place / "inside"
        try:
            unpack_zip(io.BytesIO(damaged(buffer.getvalue(), rng)), inside, "set.zip")
            became = "unpacked"
        except TlError as error:
            error.message("ko").encode()
            became = "refused with a reason"
        outside = [path for path in place.rglob("*") if path != inside and not path.is_relative_to(inside)]
        assert not outside, f"written outside: {outside}"
        return became

    return tried(count, seconds, one)


def run_files(folder: Path, count: int, seconds: float) -> Found:
    """The suite's own corpus, larger: readers over all files, pages over a part of them."""
    num_pages = max(count // 25, 1)
    env = {**os.environ, "HEADSWAP_SOAK_FILES": str(count), "HEADSWAP_SOAK_PAGES": str(num_pages)}
    tests = ["tests/core/runs/test_damaged_files.py", "tests/ui/frame/test_damaged_runs.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "3600", *tests]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    return {
        "files read": count,
        "files shown on four pages each": num_pages,
        "holds": done.returncode == 0,
        "said": done.stdout[-300:],
    }


# ------------------------------------------------------------------ browsers


async def visits(port: int, seconds: float, took: list[float], wrong: list[str]) -> None:
    """One browser: loads the page again and again, a second's thought in between."""
    import websockets
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    address, end = f"ws://127.0.0.1:{port}/_stcore/stream", time.monotonic() + seconds
    try:
        async with websockets.connect(
            address, subprotocols=["streamlit"], max_size=None, open_timeout=60
        ) as line:  # fmt: skip
            while time.monotonic() < end:
                message = BackMsg()
                message.rerun_script.query_string = ""
                start = time.monotonic()
                await line.send(message.SerializeToString())
                is_done = False
                while not is_done:
                    told = ForwardMsg()
                    told.ParseFromString(await asyncio.wait_for(line.recv(), 120))
                    is_done = told.WhichOneof("type") == "script_finished"
                    if told.delta.new_element.WhichOneof("type") == "exception":
                        wrong.append(told.delta.new_element.exception.message[:160])
                took.append(time.monotonic() - start)
                await asyncio.sleep(1)
    except Exception as error:
        wrong.append(f"{type(error).__name__}: {error}"[:160])


def clients(folder: Path, count: int, minutes: float) -> Found:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "server.py", "--server.headless", "true"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    training = None
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        run = made(folder, "worker", "beside")
        with (run / "logs" / "soak.log").open("ab") as log:
            training = subprocess.Popen(command_of("worker", run), cwd=ROOT, stdout=log, stderr=log)
        took: list[float] = []
        wrong: list[str] = []

        async def everybody() -> None:
            await asyncio.gather(*(visits(port, 60 * minutes, took, wrong) for _ in range(count)))

        asyncio.run(everybody())
        is_up = server.poll() is None
        training.wait(timeout=600)
        is_trained = state_of(run) == "finished"
    finally:
        for process in (server, training):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()
    took.sort()
    return {
        "browsers": count,
        "minutes": minutes,
        "pages": len(took),
        "median seconds": round(statistics.median(took), 2) if took else None,
        "slowest of twenty, seconds": round(took[int(len(took) * 0.95)], 2) if took else None,
        "went wrong": wrong[:10],
        "holds": bool(took) and not wrong and is_up and is_trained,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("kills", 100), ("pictures", 3000), ("run-files", 1000), ("archives", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--client-minutes", type=float, default=10)
    parser.add_argument("--minutes", type=float, default=60, help="of the parts that count, together")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headswap-soak-") as name:
        folder = Path(name)
        os.environ |= {"HEADSWAP_CACHE": str(folder / "cache"), "HEADSWAP_RUNS": str(folder / "runs")}
        (folder / "settings.toml").write_text(SETTINGS, encoding="utf-8")
        write_classes(folder / "pictures", {"dots": 110, "stripes": 110}, px=32)
        write_classes(folder / "few", {"dots": 12, "stripes": 12}, px=32, seed=1)
        share = 60 * args.minutes
        parts: dict[str, Callable[[], Found]] = {
            "mutated pictures": lambda: pictures(folder, args.pictures, share / 10),
            "mutated archives": lambda: archives(folder, args.archives, share / 10),
            "mutated run files": lambda: run_files(folder, args.run_files, share / 4),
            "browsers beside a training": lambda: clients(folder, args.clients, args.client_minutes),
            "killed runs": lambda: kills(folder, args.kills, share / 2),
        }
        found = {}
        for part, work in parts.items():
            if getattr(args, COUNTS[part]) == 0:
                continue
            start = time.monotonic()
            found[part] = work() | {"seconds": round(time.monotonic() - start)}
            print(json.dumps({part: found[part]}, ensure_ascii=False), flush=True)
    return 0 if all(one["holds"] for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
