"""Pictures that wait are answered together: one thread has the network, and takes what has come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

Answer = dict[str, Any]


class Batcher:
    """Nothing is held back to fill a batch: whoever comes alone is answered alone, and at once."""

    def __init__(
        self,
        answer: Callable[[Sequence[Any]], Sequence[Answer]],
        most: int,
        on_batch: Callable[[int], None] = lambda num: None,
    ) -> None:
        """answer: pictures -> one answer each, called from this one thread only. most: pictures at a time.
        on_batch: told how many were answered together."""
        self._answer, self._most, self._on_batch = answer, most, on_batch
        self._waiting: queue.SimpleQueue[tuple[Any, Future[Answer]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    @property
    def num_waiting(self) -> int:
        return self._waiting.qsize()

    def ask(self, picture: Any) -> Future[Answer]:
        """Its answer, or what answering its batch raised."""
        future: Future[Answer] = Future()
        self._waiting.put((picture, future))
        return future

    def close(self) -> None:
        """What waits is answered first."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        is_open = True
        while is_open:
            some = [self._waiting.get()]
            while len(some) < self._most and not self._waiting.empty():
                some.append(self._waiting.get())
            asked = [one for one in some if one is not None]
            is_open = len(asked) == len(some)
            if asked:
                self._answer_all(asked)

    def _answer_all(self, asked: Sequence[tuple[Any, Future[Answer]]]) -> None:
        # whoever went away while waiting needs no answer
        asked = [(picture, future) for picture, future in asked if future.set_running_or_notify_cancel()]
        if not asked:
            return
        try:
            answers = self._answer([picture for picture, _ in asked])
            self._on_batch(len(asked))
        except Exception as error:  # the request fails, the thread must not
            for _, future in asked:
                future.set_exception(error)
            return
        for (_, future), answer in zip(asked, answers, strict=True):
            future.set_result(answer)
