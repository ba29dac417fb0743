"""Runs on this machine, each in a process of its own that outlives the page and its server."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence

from tl_core.base.errors import NothingToResume, RunBusy
from tl_core.base.files.atomic import output_errors
from tl_core.base.files.paths import cache_dir, child_environment
from tl_core.compute.device import guess_device, usable_cores
from tl_core.jobs import device_queue, locks, processes
from tl_core.jobs.worker import setting
from tl_core.runs.run_folder import RunFolder

LIVE = locks.LIVE
RESUMABLE = ("stopped", "failed", "interrupted")
ENDED = ("finished", *RESUMABLE)
FRESH_SECONDS = 10.0
# a run just created, whose launch is the next thing to happen

_one_launch = threading.Lock()


def launch(run: RunFolder, *, command: Sequence[str] | None = None) -> None:
    """Starts the run, or goes on with it, in a detached process; returns at once.

    command: the worker's, if not our own. Raises: RunBusy: it is under way already.
    NothingToResume: it has finished. OutputUnwritable.
    """
    worker = command or (sys.executable, "-m", "tl_core.jobs.worker", str(run.path))
    device = guess_device(str(setting(run, "device", "auto")))
    with _one_launch:
        before = run.read_status()
        if before.get("state") == "finished":
            raise NothingToResume(path=run.path)
        # one that has said its last word may hold the lock a moment longer: the new one waits for it
        if before.get("state") not in ENDED and locks.is_live(run):
            raise RunBusy(path=run.path)
        with output_errors(run.path):
            run.stop_path.unlink(missing_ok=True)
            run.logs.mkdir(exist_ok=True)
        now = time.time()
        run.write_status(state="queued", pid=None, created=None, launched=now, heartbeat=now, error=None)
        # queued by us, not by the worker, so that runs start in the order of the clicks
        ticket = device_queue.enqueue(run, device, keep_place=False)
        try:
            processes.spawn_detached(worker, key=run.path, log=run.worker_log_path, env=_environment(run))
        except BaseException:
            device_queue.withdraw(ticket)
            run.write_status(launched=None, state=before.get("state", "interrupted"))
            raise


def request_stop(run: RunFolder) -> None:
    """Asks the worker to end after its current step; does nothing when there is none.

    Raises: OutputUnwritable.
    """
    if state(run) in LIVE:
        with output_errors(run.stop_path):
            run.stop_path.touch()


def terminate(run: RunFolder, patience_seconds: float = 10.0) -> bool:
    """Ends a worker that does not listen; True if there was one. The run is then interrupted
    or stopped, and can be resumed. Only the very process that the status names is touched."""
    status = run.read_status()
    process = processes.find(status.get("pid"), status.get("created"))
    if process is None or process.pid == os.getpid() or not locks.is_live(run):
        return False
    processes.end(process, patience_seconds)
    return True


def state(run: RunFolder) -> str:
    """queued, running, stopping, stopped, finished, failed or interrupted.

    Interrupted: the status says it goes on, but no process holds the run's lock.
    """
    said = run.read_status().get("state")
    if said in ENDED:
        return said
    if not locks.is_live(run):
        # it may have said its last word between the two looks
        status = run.read_status()
        if status.get("state") in ENDED:
            return status["state"]
        is_fresh = status.get("launched") is None and 0 <= time.time() - run.created() < FRESH_SECONDS
        return "queued" if is_fresh and status.get("pid") is None else "interrupted"
    if run.stop_path.exists():
        return "stopping"
    return said if said in LIVE else "running"


def queue_position(run: RunFolder) -> int:
    """Place among the runs that wait for the same device, 1 = next; 0 when it waits for none."""
    device = guess_device(str(setting(run, "device", "auto")))
    places = [ticket.run for ticket in device_queue.waiting(device)]
    if run.path not in places or (places[0] == run.path and not device_queue.is_taken(device)):
        return 0
    return places.index(run.path) + 1


def _environment(run: RunFolder) -> dict[str, str]:
    threads = int(setting(run, "threads", 0))
    env = child_environment(PYTHONUNBUFFERED="1", PYTHONUTF8="1", HEADSWAP_CACHE=str(cache_dir()))
    if threads or "OMP_NUM_THREADS" not in env:
        env["OMP_NUM_THREADS"] = str(threads or usable_cores())
    return env
