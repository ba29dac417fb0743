"""Results of slow work with a progress bar, shared by all browsers: st.cache_data cannot hold those, since
it would replay the bar. Bounded; each key is worked out once, however many ask at the same moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Memo:
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
