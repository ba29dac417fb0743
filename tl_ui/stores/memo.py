"""What is worked out once for all browsers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from tl_core.runs.run_folder import RunFolder


def _written_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _stamp(path: Path) -> tuple[str, int]:
    return str(path), _written_ns(path)


def _run_stamp(run: RunFolder) -> tuple[str, int]:
    results = [run.summary_path, *run.models.glob("*.safetensors")]
    return str(run.path), max(map(_written_ns, results))


_CHANGES = {type(Path()): _stamp, RunFolder: _run_stamp}
cached_data = partial(st.cache_data, show_spinner=False, hash_funcs=_CHANGES)
"""`st.cache_data` for functions of files and runs: a file that was written anew, or a run with new results or
networks, is another argument."""
cached_resource = partial(st.cache_resource, show_spinner=False, hash_funcs=_CHANGES)


class Memo:
    """Results of slow work with a progress bar, which st.cache_data would replay. Bounded; each key is worked
    out once, however many ask at the same moment."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._working: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, work: Callable[[], Any]) -> Any:
        """The value under `key`, worked out if need be. What `work` raises is not kept."""
        with self._lock:
            working = self._working.setdefault(key, threading.Lock())
        with working:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
            value = work()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._max_entries:
                    self._values.popitem(last=False)
                self._working.pop(key, None)
            return value

    def peek(self, key: Hashable) -> Any | None:
        """The value under `key` if it is here now; None if it is not, or was and has made room."""
        with self._lock:
            return self._values.get(key)

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values
