"""Who works on a run: the process that holds RUN/worker.lock, for its whole life.

The system gives a lock back when its holder dies, however it dies; process ids are reused
and dead children keep theirs, so an id alone says nothing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tl_core.base.errors import RunBusy
from tl_core.base.files.atomic import output_errors
from tl_core.jobs import processes
from tl_core.runs.run_folder import RunFolder

LIVE = ("queued", "running", "stopping")
WAIT_SECONDS = 3.0
# a passing probe (below) holds the lock for a moment, a predecessor until it has said its last word
START_SECONDS = 15.0
# from being launched to holding the lock; a worker that takes longer counts as dead
SILENT_SECONDS = 30.0
# without a heartbeat, where the lock cannot be asked

_one_probe = threading.Lock()


@contextlib.contextmanager
def run_lock(run: RunFolder) -> Iterator[None]:
    """Holds the run's lock inside the `with`.

    Raises: RunBusy: another process holds it. OutputUnwritable: it cannot be made.
    """
    lock = FileLock(run.lock_path)
    with output_errors(run.lock_path):
        try:
            lock.acquire(timeout=WAIT_SECONDS)
        except Timeout:
            raise RunBusy(path=run.path) from None
    try:
        yield
    finally:
        lock.release()


def try_lock(path: Path) -> FileLock | None:
    """The lock, held, or None when somebody else holds it. Raises: OSError."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


def is_held(path: Path) -> bool:
    """Whether some process holds the lock: takes it for a moment, and gives it back.

    Two probes may meet, so a first "held" is asked again. Raises: OSError: it cannot be asked.
    """
    if not path.exists():
        return False
    for pause in (0.005, 0.01, 0):
        with _one_probe:
            lock = try_lock(path)
            if lock is not None:
                lock.release()
                return False
        time.sleep(pause)
    return True


def is_live(run: RunFolder) -> bool:
    """Whether a process works on the run, waits for its turn, or has just been launched to."""
    status = run.read_status()
    try:
        if is_held(run.lock_path):
            return True
    except OSError:
        # another account's run: its lock cannot be opened
        return 0 <= time.time() - (status.get("heartbeat") or 0) < SILENT_SECONDS
    is_starting = status.get("state") == "queued" and status.get("pid") is None
    # a start that lies in the future is a clock that was put back, and says nothing
    is_young = 0 <= time.time() - (status.get("launched") or 0) < START_SECONDS
    return is_starting and is_young and not processes.has_ended(run.path)
