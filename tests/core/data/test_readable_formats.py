"""README's table of readable files, from one file of each kind that is read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.core.data_drawing import encoded, scene
from tl_core.data.layouts.file_kinds import EXTENSIONS, PLUGINS
from tl_core.data.pixels.decode import read_image

README = Path(__file__).parents[3] / "README.md"


def endings_in_the_table() -> list[str]:
    section = README.read_text(encoding="utf-8").partition("## Your pictures")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `.")]
    return [own for row in rows for own in re.findall(r"`\.(\w+)`", row.split("|")[1])]


def test_the_table_names_every_ending_that_is_read_and_no_other():
    assert sorted(endings_in_the_table()) == sorted([*EXTENSIONS, *PLUGINS])
    text = README.read_text(encoding="utf-8")
    assert all(f"`{package}`" in text for _, package, _ in PLUGINS.values())


@pytest.mark.parametrize("ending", EXTENSIONS)
def test_one_of_each_is_read(tmp_path: Path, ending: str):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(encoded(scene(1), ending))
    image = read_image(path)
    assert image.shape == (96, 96, 3)
    assert np.abs(image.astype(int) - scene(1)).mean() < 12
