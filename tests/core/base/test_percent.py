"""Shares as they are written."""

import re
from pathlib import Path

import pytest

from tl_core.base.percent import percent

ROOT = Path(__file__).resolve().parents[3]


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


def test_no_page_report_or_hover_rounds_in_a_way_of_its_own():
    """Python's and Plotly's formats write 28.75 % as 28.7, since the nearest fraction lies below it. Marks on
    axes, which are round already, are Plotly's own."""
    own_way = re.compile(r":\.\d%")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("tl_core", "tl_ui", "pages")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if own_way.search(line) and "handout" not in path.parts  # runs without this package
    ]
    assert not found
