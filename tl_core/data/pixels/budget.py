"""Memory for decoding, shared by all threads of the process: large pictures one at a time.

A file of 3 kilobytes may claim 40 megapixels, which take 16 to 24 bytes each while they become RGB; eight
threads at once would need eight times that. Ordinary photographs still go side by side.

What was freed goes back to the system with a large picture. glibc would keep it, up to 64 MiB in an arena of
each thread's own, and `malloc_trim` leaves what lies at an arena's end: so the threads share two arenas.
Source: glibc's malloc.h and mallopt(3).
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator

MAX_PIXELS_AT_ONCE = 40_000_000
"""Of all pictures that are being decoded at one moment."""
LARGE_PIXELS = 5_000_000
"""From here on the memory is given back, which takes about a millisecond."""

_M_ARENA_MAX, _NUM_ARENAS = -8, 2
_is_free = threading.Condition()
_in_use = 0


@contextlib.contextmanager
def room_for(pixels: int) -> Iterator[None]:
    """Wait until so many pixels may be decoded; more than all there is waits to be alone."""
    global _in_use
    asked = min(pixels, MAX_PIXELS_AT_ONCE)
    with _is_free:
        _is_free.wait_for(lambda: _in_use + asked <= MAX_PIXELS_AT_ONCE)
        _in_use += asked
    try:
        yield
    finally:
        if pixels >= LARGE_PIXELS:
            _glibc("malloc_trim", 0)
        with _is_free:
            _in_use -= asked
            _is_free.notify_all()


def _glibc(name: str, *numbers: int) -> None:
    """Nothing, where another C library is in use."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        getattr(ctypes.CDLL(None), name)(*numbers)


_glibc("mallopt", _M_ARENA_MAX, _NUM_ARENAS)
