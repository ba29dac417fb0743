"""Files that are whole or not there, and a cache that keeps to its size."""

from __future__ import annotations

import os

import pytest

from tl_core.base.files import cache_folder
from tl_core.base.files.atomic import write_whole


def test_what_is_kept_comes_back_and_what_was_damaged_does_not(tmp_path):
    path = tmp_path / "new folder" / "a"
    cache_folder.write_checked(path, b"content")
    assert cache_folder.read_checked(path) == b"content"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="damaged"):
        cache_folder.read_checked(path)
    assert cache_folder.read_checked(tmp_path / "none") is None


def test_what_was_unused_for_longest_leaves_the_cache_first(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}").write_bytes(bytes(100))
        os.utime(tmp_path / f"{number}", (number, number))
    os.utime(tmp_path / "0", (9, 9))
    cache_folder.prune(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "3"]


def test_a_file_that_could_not_be_written_whole_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        write_whole(tmp_path / "a", b"half", None)
    assert list(tmp_path.iterdir()) == []
