"""Tables that are taken along."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from tl_ui.widgets.downloads import to_csv


def read_back(table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(to_csv(table).decode("utf-8-sig"))))


@pytest.mark.parametrize("sign", "=+-@\t")
def test_a_name_never_becomes_a_formula(sign):
    name = f"{sign}cmd|'/c calc'!A0.png"
    rows = [{"file": name, f"{sign}p": 1}]
    assert read_back(rows) == [["file", f"'{sign}p"], [f"'{name}", "1"]]
    assert read_back({"file": [name], f"{sign}p": np.array([1])}) == read_back(rows)


def test_numbers_stay_numbers_also_below_zero_and_as_text():
    rows = [{"a": -1, "b": "-0.25", "c": None}, {"a": 2, "b": "+3"}]
    assert read_back(rows) == [["a", "b", "c"], ["-1", "-0.25", ""], ["2", "+3", ""]]
