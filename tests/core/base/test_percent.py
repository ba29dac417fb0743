"""Shares as they are written."""

import pytest

from tl_core.base.percent import percent


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [
        (69 / 240, 1, "28.8 %"),
        (171 / 240, 1, "71.3 %"),
        (0.125, 0, "13 %"),
        (0.005, 0, "1 %"),
        (1.0, 1, "100.0 %"),
        (0, 1, "0.0 %"),
        (1 - 0.7125, 1, "28.8 %"),
        (None, 1, "–"),
    ],
)
def test_halves_are_rounded_up(share, digits, words):
    assert percent(share, digits) == words


def test_every_tenth_of_a_percent_of_small_sets_is_rounded_as_by_hand():
    for total in range(1, 401):
        for right in range(total + 1):
            tenths = (2000 * right + total) // (2 * total)
            assert percent(right / total) == f"{tenths // 10}.{tenths % 10} %"
