"""Results of slow work shared by all browsers."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tl_core.runs.run_folder import RunFolder
from tl_ui.stores.memo import Memo, cached_data


def test_an_answer_about_a_file_or_a_run_is_asked_anew_once_it_was_written_anew(tmp_path):
    (tmp_path / "models").mkdir()
    files = [tmp_path / "a.csv", tmp_path / "models" / "final.safetensors", tmp_path / "other.txt"]
    asked = []

    @cached_data(max_entries=8)
    def read(path, run):
        return asked.append(1)

    for file in files:
        file.write_text("")
    for changed, times in ((None, 1), (None, 1), (files[0], 2), (files[1], 3), (files[2], 3)):
        if changed:
            os.utime(changed, (2e9, 2e9))
        read(files[0], RunFolder(tmp_path))
        assert len(asked) == times
    files[0].unlink()
    read(files[0], RunFolder(tmp_path))
    assert len(asked) == 4


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
