"""Results of slow work shared by all browsers."""

from __future__ import annotations

import threading
import time

import pytest

from tl_ui.stores.memo import Memo


def test_work_is_done_once_however_many_ask_at_the_same_moment():
    memo, times = Memo(4), []

    def work():
        times.append(1)
        time.sleep(0.05)
        return "done"

    answers = []
    threads = [threading.Thread(target=lambda: answers.append(memo.get("key", work))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["done"] * 8
    assert len(times) == 1


def test_the_oldest_result_makes_room():
    memo = Memo(2)
    for key in "abc":
        memo.get(key, lambda key=key: key)
    assert memo.get("a", lambda: "worked out again") == "worked out again"
    assert memo.get("c", lambda: "not asked") == "c"


def test_a_failure_is_not_kept():
    memo = Memo(2)

    def fail():
        raise OSError("gone")

    with pytest.raises(OSError):
        memo.get("key", fail)
    assert memo.get("key", lambda: "now there") == "now there"


def test_a_look_works_nothing_out_and_finds_what_is_there():
    memo = Memo(1)
    memo.get("old", lambda: 1)
    assert memo.peek("old") == 1
    memo.get("new", lambda: 2)
    assert memo.peek("old") is None
