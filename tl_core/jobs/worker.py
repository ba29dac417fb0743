"""The process that carries out a run: `python -m tl_core.jobs.worker RUN`, or the command line's own.

It takes the run's lock, waits for the device, and only then loads torch: a waiting worker is
small. What it does meanwhile stands in status.json; what happened, in the event log.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from tl_core.base.errors import NothingToResume, OutputUnwritable, TlError
from tl_core.base.events import EpochEnd, Event, RunFailed, RunStopped, StageStarted
from tl_core.base.files.atomic import output_errors
from tl_core.compute.device import guess_device
from tl_core.compute.malloc_tuning import keep_memory
from tl_core.jobs import device_queue, locks, processes
from tl_core.runs.run_folder import EventWriter, RunFolder, open_run

HEARTBEAT_SECONDS = 3.0
STOP_LOOK_SECONDS = 0.2
# between two looks for a STOP file: training asks after every batch

EXIT_CODES = {"finished": 0, "stopped": 130, "interrupted": 130}


class Execute(Protocol):
    """`tl_core.runs.execution.workflow.execute`: does the work, returns "finished" or "stopped"."""

    def __call__(
        self, folder: RunFolder, *, should_stop: Callable[[], bool], on_event: Callable[[Event], None]
    ) -> str: ...


def foreground(
    run: RunFolder,
    on_event: Callable[[Event], None] = lambda event: None,
    *,
    on_wait: Callable[[int], None] = lambda place: None,
    is_launched: bool = False,
    execute: Execute | None = None,
) -> str:
    """Carries out the run in this process; returns its final state, "finished" or "stopped".

    Goes on from the last completed epoch if there is one. SIGINT and SIGTERM stop it after the
    current step; a second SIGINT ends it at once. on_wait: place in the queue, 1 = next.
    is_launched: the launcher has queued the run and a STOP since then is meant for it.
    Raises: RunBusy, NothingToResume, OutputUnwritable, and whatever the work raises: the run
    is then marked failed and its error kept.
    """
    with locks.run_lock(run):
        if run.read_status().get("state") == "finished":
            raise NothingToResume(path=run.path)
        if not is_launched:
            with output_errors(run.stop_path):
                run.stop_path.unlink(missing_ok=True)
        run.write_status(state="queued", **processes.identity(), heartbeat=time.time(), error=None)
        attempt = _Attempt(run, on_event)
        with _stop_signals(attempt), _heartbeat(run):
            return attempt.carry_out(execute, on_wait, keep_place=is_launched)


class _Attempt:
    """One try at a run, from taking the lock to the last word in its status."""

    def __init__(self, run: RunFolder, on_event: Callable[[Event], None]) -> None:
        self.run = run
        self.is_stop_asked = False
        self._tell = on_event
        self._looked = 0.0
        self._last_kind = ""

    def should_stop(self) -> bool:
        if not self.is_stop_asked and time.monotonic() - self._looked >= STOP_LOOK_SECONDS:
            self._looked = time.monotonic()
            self.is_stop_asked = self.run.stop_path.exists()
        return self.is_stop_asked

    def on_event(self, event: Event) -> None:
        self._last_kind = event.kind
        if isinstance(event, StageStarted):
            self.run.write_status(stage=event.stage, epoch=0, epochs=event.epochs)
        elif isinstance(event, EpochEnd):
            self.run.write_status(stage=event.stage, epoch=event.epoch, epochs=event.epochs)
        self._tell(event)

    def carry_out(self, execute: Execute | None, on_wait: Callable[[int], None], *, keep_place: bool) -> str:
        device = guess_device(str(setting(self.run, "device", "auto")))
        try:
            with device_queue.slot(
                self.run, device, keep_place=keep_place, should_stop=self.should_stop, on_wait=on_wait
            ) as is_ours:
                state = self._work(execute) if is_ours else self._stop_in_the_queue()
        except KeyboardInterrupt:
            with contextlib.suppress(OutputUnwritable):
                self._end("interrupted")
            raise
        except BaseException as error:
            self._fail(error)
            raise
        self._end(state)
        return state

    def _work(self, execute: Execute | None) -> str:
        self.run.write_status(state="running", heartbeat=time.time())
        keep_memory()
        if execute is None:
            from tl_core.runs.execution.workflow import execute as of_the_product

            execute = of_the_product
        return execute(self.run, should_stop=self.should_stop, on_event=self.on_event)

    def _stop_in_the_queue(self) -> str:
        self._log(RunStopped(epoch=int(self.run.read_status().get("epoch") or 0)))
        return "stopped"

    def _fail(self, error: BaseException) -> None:
        """A full disk may refuse these words too; the state is then read off the free lock."""
        if isinstance(error, TlError):
            said = {"code": error.code, "values": error.values, "message": error.message()}
        else:
            text = f"{type(error).__name__}: {error}"
            said = {"code": "unknown", "values": {}, "message": text}
        with contextlib.suppress(OutputUnwritable):
            if self._last_kind != RunFailed.kind:
                self._log(RunFailed(**said))  # type: ignore[arg-type]
        with contextlib.suppress(OutputUnwritable):
            self._end("failed", error=said)

    def _log(self, event: Event) -> None:
        with EventWriter(self.run.events_path) as writer:
            self._tell(writer.write(event))

    def _end(self, state: str, **values: Any) -> None:
        """A request to stop stays: taken away before this, readers would see the run going on; the
        next start takes it away."""
        self.run.write_status(state=state, heartbeat=time.time(), **values)


def setting(run: RunFolder, name: str, default: Any) -> Any:
    """A setting out of the run's configuration, read without building it."""
    return run.read_config().get(name, default)


@contextlib.contextmanager
def _stop_signals(attempt: _Attempt) -> Iterator[None]:
    """Inside, SIGINT, SIGTERM and Windows' Ctrl-Break ask for a stop. Only a main thread can listen."""

    def ask(number: int, _frame: object) -> None:
        if attempt.is_stop_asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        attempt.is_stop_asked = True

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        names = ("SIGINT", "SIGTERM", "SIGBREAK")
        before = {n: signal.signal(n, ask) for name in names if (n := getattr(signal, name, None))}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _heartbeat(run: RunFolder) -> Iterator[None]:
    """Writes the time into the status every few seconds, for whoever cannot ask the lock."""
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(HEARTBEAT_SECONDS):
            # a full disk is reported by the work itself
            with contextlib.suppress(OutputUnwritable, OSError):
                run.write_status(heartbeat=time.time())

    thread = threading.Thread(target=beat, daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def main(arguments: list[str] | None = None, *, execute: Execute | None = None) -> int:
    """Exit status: 0 finished, 130 stopped, 1 failed. What went wrong is printed to the log."""
    path = (sys.argv[1:] if arguments is None else arguments)[0]
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} worker {os.getpid()}: {path}", flush=True)
    try:
        state = foreground(open_run(Path(path)), is_launched=True, execute=execute)
    except TlError as error:
        print(error.message(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        return 1
    return EXIT_CODES[state]


if __name__ == "__main__":
    sys.exit(main())
