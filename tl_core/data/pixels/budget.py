"""Memory for decoding, shared by all threads of the process: large pictures one at a time.

A file of 3 kilobytes may claim 40 megapixels, which take 16 to 24 bytes each while they become RGB; eight
threads at once would need eight times that. Ordinary photographs still go side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PIXELS_AT_ONCE = 40_000_000
"""Of all pictures that are being decoded at one moment."""

_is_free = threading.Condition()
_in_use = 0


@contextmanager
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
        with _is_free:
            _in_use -= asked
            _is_free.notify_all()
