"""What the service counts, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
PICTURES = (1, 2, 4, 8, 16, 32)


class Meters:
    """One service's own, apart from whatever else counts in this process."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        own: dict[str, Any] = {"registry": self._registry, "namespace": "headswap"}
        self._requests = Counter("requests", "Requests, by their HTTP status.", ["status"], **own)
        self._pictures = Counter("pictures", "Pictures, by whether they could be read.", ["outcome"], **own)
        self._seconds = Histogram(
            "request_seconds", "From a request's first byte to its answer.", buckets=SECONDS, **own
        )
        self.batch = Histogram("batch_pictures", "Pictures answered together.", buckets=PICTURES, **own)
        self._waiting = Gauge("waiting_pictures", "Decoded pictures that wait for the network.", **own)

    def watch(self, num_waiting: Callable[[], int]) -> None:
        self._waiting.set_function(num_waiting)

    def answered(self, num_read: int, num_unread: int, seconds: float) -> None:
        self._requests.labels("200" if num_read else "422").inc()
        self._pictures.labels("classified").inc(num_read)
        self._pictures.labels("unreadable").inc(num_unread)
        self._seconds.observe(seconds)

    def refused(self, status: int) -> None:
        self._requests.labels(str(status)).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)
