"""What the class predicted: every vote counted once, also when thirty come at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tl_core.base.files.paths import class_dir
from tl_core.classroom import votes


def test_thirty_votes_at_the_same_moment_are_all_counted():
    def vote(number: int) -> None:
        votes.vote("freeze", f"learner {number}", "none" if number % 3 else "much")

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(vote, range(30)))
    assert votes.counts("freeze") == {"none": 20, "much": 10}


def test_a_second_vote_of_the_same_learner_counts_for_nothing():
    votes.vote("freeze", "a", "none")
    assert votes.vote("freeze", "a", "much") == {"none": 1}


def test_steps_are_counted_apart():
    votes.vote("freeze", "a", "none")
    assert votes.counts("head_swap") == {}


def test_the_next_class_starts_at_nought():
    votes.vote("freeze", "a", "none", now=1000.0)
    later = 1000.0 + 3600 * votes.WINDOW_HOURS
    assert votes.counts("freeze", now=later - 1) == {"none": 1}
    assert votes.counts("freeze", now=later) == {}
    assert votes.vote("freeze", "a", "much", now=later) == {"much": 1}


def test_a_damaged_file_counts_for_nothing_and_is_written_again():
    votes.vote("freeze", "a", "none")
    (class_dir() / "tally" / "freeze.json").write_text("[]", encoding="utf-8")
    assert votes.counts("freeze") == {}
    assert votes.vote("freeze", "b", "much") == {"much": 1}


@pytest.mark.parametrize("step", ["../freeze", "", "a/b", "Freeze"])
def test_only_the_name_of_a_step_becomes_a_file(step):
    with pytest.raises(ValueError):
        votes.vote(step, "a", "none")
