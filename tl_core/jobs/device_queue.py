"""One training run per device at a time; the others wait in the order they came.

Runs in different folders share a device when they share a cache folder. Their places are below the state
folder, named after the cache, which may be deleted at any time: <device>.lock is held by the one that
trains, <device>.queue/ has a ticket for each that waits. A ticket whose run is dead counts for nothing and
is swept away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tl_core.base.errors import RunDamaged
from tl_core.base.files.atomic import output_errors, write_json
from tl_core.base.files.paths import cache_dir, state_dir
from tl_core.base.files.reading import read_json
from tl_core.jobs import locks
from tl_core.runs.run_folder import RunFolder

POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Ticket:
    path: Path
    run: Path
    enqueued: float
    # seconds since 1970


class _TicketFile(TypedDict):
    run: Path
    enqueued: float


def enqueue(run: RunFolder, device: str, *, keep_place: bool) -> Ticket:
    """Puts the run at the end of the queue, or with `keep_place` where it already stands.

    Raises: OutputUnwritable.
    """
    folder = _slots_dir() / f"{_file_name(device)}.queue"
    path = folder / f"{hashlib.sha256(os.fsencode(run.path)).hexdigest()[:24]}.json"
    known = _read(path) if keep_place else None
    if known is not None:
        return known
    ticket = Ticket(path, run.path, time.time())
    _hand_in(ticket)
    return ticket


def withdraw(ticket: Ticket) -> None:
    with contextlib.suppress(OSError):
        ticket.path.unlink()


def waiting(device: str) -> list[Ticket]:
    """Tickets of runs that are alive, first come first."""
    folder = _slots_dir() / f"{_file_name(device)}.queue"
    tickets = [ticket for path in folder.glob("*.json") if (ticket := _read(path))]
    tickets.sort(key=lambda ticket: (ticket.enqueued, ticket.path.name))
    return [ticket for ticket in tickets if locks.is_live(RunFolder(ticket.run))]


def is_taken(device: str) -> bool:
    """Whether a run trains on the device now."""
    try:
        return locks.is_held(_lock_path(device))
    except OSError:  # another account's
        return True


@contextlib.contextmanager
def slot(
    run: RunFolder,
    device: str,
    *,
    keep_place: bool,
    should_stop: Callable[[], bool],
    on_wait: Callable[[int], None],
) -> Iterator[bool]:
    """Inside the `with`, the device is this run's (True), or the wait was given up (False).

    The caller holds the run's lock, which keeps its ticket alive. on_wait: called with the
    place in the queue (1 = next) whenever it changes, unless the device was free at once.
    Raises: OutputUnwritable.
    """
    ticket = enqueue(run, device, keep_place=keep_place)
    lock = None
    try:
        lock = _wait(ticket, device, should_stop, on_wait)
        withdraw(ticket)
        yield lock is not None
    finally:
        withdraw(ticket)
        if lock is not None:
            lock.release()


def _wait(
    ticket: Ticket, device: str, should_stop: Callable[[], bool], on_wait: Callable[[int], None]
) -> locks.FileLock | None:
    path = _lock_path(device)
    said = 0
    while not should_stop():
        ahead = [other for other in waiting(device) if _comes_before(other, ticket)]
        if not ahead:
            with output_errors(path):
                lock = locks.try_lock(path)
            if lock is not None:
                return lock
        if said != len(ahead) + 1:
            said = len(ahead) + 1
            on_wait(said)
        if not ticket.path.exists():
            _hand_in(ticket)
        _sweep(ticket.path.parent)
        time.sleep(POLL_SECONDS)
    return None


def _comes_before(other: Ticket, ticket: Ticket) -> bool:
    order = (other.enqueued, other.path.name) < (ticket.enqueued, ticket.path.name)
    return order and other.path != ticket.path


def _sweep(folder: Path) -> None:
    for path in folder.glob("*.json"):
        ticket = _read(path)
        if ticket is None or not locks.is_live(RunFolder(ticket.run)):
            with contextlib.suppress(OSError):
                path.unlink()


def _hand_in(ticket: Ticket) -> None:
    with output_errors(ticket.path):
        ticket.path.parent.mkdir(parents=True, exist_ok=True)
    write_json(ticket.path, {"run": str(ticket.run), "enqueued": ticket.enqueued})


def _read(path: Path) -> Ticket | None:
    try:
        content = read_json(path, _TicketFile)
    except RunDamaged:
        return None
    return Ticket(path, Path(content["run"]), content["enqueued"]) if content else None


def _file_name(device: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", device.lower())


def _lock_path(device: str) -> Path:
    return _slots_dir() / f"{_file_name(device)}.lock"


def _slots_dir() -> Path:
    """Below the state folder, or below the temporary one where that cannot be written."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(cache_dir()))).hexdigest()[:16]
    place = state_dir() / "slots" / name
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        place = Path(tempfile.gettempdir()) / "headswap-slots" / name
    return place
