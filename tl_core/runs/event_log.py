"""The event log of a run: one writer appends lines, any number of readers follow.

A writer may be killed inside a line and a reader may look at any moment, so a line counts
only once it is ended, and a new writer first ends what a dead one left open.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

from tl_core.base.events import Event, from_dict
from tl_core.base.files.atomic import output_errors, to_json
from tl_core.base.files.file_names import readable
from tl_core.base.files.reading import parse

TAIL_BYTES = 64


class EventWriter:
    """Appends events to `path` (`RUN/logs/events.jsonl`), each in one write of one line.

    Raises: OutputUnwritable.
    """

    def __init__(self, path: Path, run: str | None = None) -> None:
        self.path = path
        self.run = run or readable(path.absolute().parent.parent.name)
        self._lock = threading.Lock()
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._fd = os.open(path, flags, 0o644)
        self._is_torn = _ends_inside_a_line(path)

    def write(self, event: Event) -> Event:
        """Returns the event as it is written: with the name of the run."""
        event = dataclasses.replace(event, run=self.run)
        line = to_json(event.to_dict()).encode("utf-8") + b"\n"
        with self._lock, output_errors(self.path):
            rest = b"\n" + line if self._is_torn else line
            self._is_torn = True
            # a full disk may take a part: the next write ends that line before its own
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            self._is_torn = False
        return event

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _ends_inside_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class EventLog:
    """Reads what was added since the last `read`; may be shared by threads.

    An unchanged file costs one look at its size. A file that was cut, or replaced by another,
    is read again from its start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._events: list[Event] = []
        self._offset = 0
        self._tail = b""
        # the last bytes read, to notice a file that was cut and has grown again

    def read(self) -> list[Event]:
        """All events so far, oldest first. Lines that are damaged or unknown are left out."""
        with self._lock:
            try:
                size = self.path.stat().st_size
            except OSError:
                self._forget()
                return []
            if size < self._offset:
                self._forget()
            if size > self._offset:
                self._read_on()
            return list(self._events)

    def _read_on(self) -> None:
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset - len(self._tail))
                if file.read(len(self._tail)) != self._tail:
                    self._forget()
                    file.seek(0)
                fresh = file.read()
        except OSError:
            return
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._events += [event for line in whole.splitlines() if (event := _parse(line))]
        self._offset += len(whole)
        self._tail = (self._tail + whole)[-TAIL_BYTES:]


def _parse(line: bytes) -> Event | None:
    try:
        values = parse(line)
    except ValueError:
        return None
    return from_dict(values) if isinstance(values, dict) else None
