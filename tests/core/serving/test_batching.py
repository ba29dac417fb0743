"""What waits is answered together, each gets its own, and nothing is lost when it ends."""

from __future__ import annotations

import threading

import pytest

from tl_core.serving.batching import Batcher


def doubled(pictures):
    return [{"double": 2 * picture} for picture in pictures]


def test_what_came_meanwhile_is_answered_together_and_in_order():
    may_go, batches = threading.Event(), []

    def answer(pictures):
        may_go.wait(60)
        batches.append(list(pictures))
        return doubled(pictures)

    sizes: list[int] = []
    batcher = Batcher(answer, most=4, on_batch=sizes.append)
    first = batcher.ask(0)
    while batcher.num_waiting:
        pass
    rest = [batcher.ask(number) for number in range(1, 8)]
    may_go.set()
    assert first.result(60) == {"double": 0}
    assert [future.result(60)["double"] for future in rest] == [2, 4, 6, 8, 10, 12, 14]
    batcher.close()
    assert batches == [[0], [1, 2, 3, 4], [5, 6, 7]] and sizes == [1, 4, 3]


def test_a_failure_reaches_whoever_asked_and_stops_nobody_else():
    def answer(pictures):
        if "bad" in pictures:
            raise ValueError("bad")
        return [{"ok": True} for _ in pictures]

    batcher = Batcher(answer, most=1)
    bad, good = batcher.ask("bad"), batcher.ask("good")
    with pytest.raises(ValueError, match="bad"):
        bad.result(60)
    assert good.result(60) == {"ok": True}
    batcher.close()


def test_what_waits_at_the_end_is_still_answered():
    may_go = threading.Event()

    def answer(pictures):
        may_go.wait(60)
        return doubled(pictures)

    batcher = Batcher(answer, most=2)
    asked = [batcher.ask(number) for number in range(5)]
    threading.Timer(0.05, may_go.set).start()
    batcher.close()
    assert [future.result(0)["double"] for future in asked] == [0, 2, 4, 6, 8]


def test_who_went_away_is_not_answered():
    may_go, seen = threading.Event(), []

    def answer(pictures):
        may_go.wait(60)
        seen.extend(pictures)
        return doubled(pictures)

    batcher = Batcher(answer, most=1)
    batcher.ask(0)
    while batcher.num_waiting:
        pass
    gone = batcher.ask(1)
    assert gone.cancel()
    may_go.set()
    batcher.close()
    assert seen == [0]
