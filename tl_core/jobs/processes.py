"""Processes of our own: start one that outlives us, tell it from a stranger, end it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

from tl_core.base.files.atomic import output_errors

SAME_SECONDS = 0.05
# creation times of one process, read by two others, differ by less

_children: dict[Path, subprocess.Popen[bytes]] = {}
# launched by this process, by run folder


def spawn_detached(command: Sequence[str], *, key: Path, log: Path, env: dict[str, str]) -> None:
    """Starts `command` so that neither closing the terminal nor ending this process reaches it.

    Its output goes to `log`. Raises: OutputUnwritable: the log, or the process, cannot be made.
    """
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        flags = 0
    with output_errors(log), log.open("ab") as output:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            creationflags=flags,
            start_new_session=os.name == "posix",
        )
    _children[key] = child
    # waits for the end, so that it does not stay behind as a zombie of the server
    threading.Thread(target=child.wait, daemon=True, name=f"reap-{child.pid}").start()


def has_ended(key: Path) -> bool:
    """Whether the child last launched for `key` is known to be gone; False when not ours."""
    child = _children.get(key)
    return child is not None and child.returncode is not None


def identity() -> dict[str, float | int]:
    """This process, so that it can be told from a later one with the same id."""
    return {"pid": os.getpid(), "created": psutil.Process().create_time()}


def find(pid: int | None, created: float | None) -> psutil.Process | None:
    """The process, if it is still the one that was written down."""
    if pid is None or created is None:
        return None
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - created) < SAME_SECONDS
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def end(process: psutil.Process, patience_seconds: float) -> None:
    """Asks it to end, and ends it if it does not in time."""
    try:
        process.terminate()
        process.wait(patience_seconds)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(patience_seconds)
    except psutil.NoSuchProcess:
        pass
