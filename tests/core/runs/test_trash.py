"""A run that is thrown away can be had back, and is gone for good after the stated time."""

import time

import pytest

from tl_core.base.errors import RunExists, RunNotFound
from tl_core.runs import run_folder, trash
from tl_core.runs.run_folder import list_runs


def test_what_is_thrown_away_is_in_no_listing_and_comes_back_whole(tmp_path):
    run = run_folder.create(tmp_path / "ants", {"seed": 42})
    before = sorted(path.name for path in run.path.iterdir())
    trash.throw_away(run)
    assert list_runs(tmp_path) == []
    assert [thrown.name for thrown, _ in trash.list_thrown_away(tmp_path)] == ["ants"]
    back = trash.restore(tmp_path, "ants")
    assert list_runs(tmp_path) == [back] and back.read_config()["seed"] == 42
    assert sorted(path.name for path in back.path.iterdir()) == before


def test_it_is_deleted_for_good_only_after_the_stated_days(tmp_path):
    trash.throw_away(run_folder.create(tmp_path / "ants", {}))
    trash.empty(tmp_path, now=time.time() + (trash.KEPT_DAYS - 1) * 86_400)
    assert trash.list_thrown_away(tmp_path)
    trash.empty(tmp_path, now=time.time() + (trash.KEPT_DAYS + 1) * 86_400)
    assert not trash.list_thrown_away(tmp_path)


def test_a_name_that_is_taken_or_unknown_is_refused(tmp_path):
    trash.throw_away(run_folder.create(tmp_path / "ants", {}))
    run_folder.create(tmp_path / "ants", {})
    with pytest.raises(RunExists):
        trash.restore(tmp_path, "ants")
    with pytest.raises(RunNotFound):
        trash.restore(tmp_path, "../ants")
