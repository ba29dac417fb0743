"""The axis that both stages share."""

from tl_core.runs.report.epoch_axis import marks


def test_each_stage_counts_its_epochs_from_one():
    assert marks([3, 4]) == ([1, 2, 3, 4, 5, 6, 7], ["1", "2", "3", "1", "2", "3", "4"])


def test_marks_are_few_and_a_short_stage_is_marked_too():
    places, words = marks([2, 30])
    assert places[0] == 2 and words[0] == "2"
    assert len(places) <= 12 and places[1:] == [2 + int(word) for word in words[1:]]


def test_a_run_without_epochs_has_no_marks():
    assert marks([]) == ([], []) and marks([0, 0]) == ([], [])
