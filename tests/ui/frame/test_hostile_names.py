"""Names of runs and classes are text on every page, whatever they look like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.ui.explorable_run import explorable_run
from tests.ui.open_page import open_page
from tl_ui.frame.steps import PAGES

RUN = "<u>run[x](y)"
CLASSES = ("<i>bad", "=1+1")


@pytest.fixture
def run(own_runs_folder: Path, tmp_path: Path) -> str:
    try:
        explorable_run(own_runs_folder / RUN, tmp_path / "pictures", CLASSES)
    except OSError:
        pytest.skip("this file system has no such names")
    return RUN


@pytest.mark.parametrize("name", PAGES)
def test_no_name_becomes_markup(run: str, name: str):
    app = open_page(name, run=run)
    html = "\n".join(str(element.proto.body) for element in app.get("html"))
    assert not re.search("<u>run|<i>bad", html)
    for kind in ("markdown", "caption", "error", "warning", "info", "success"):
        for element in getattr(app, kind):
            text = str(element.value)
            assert not re.search(r"(?<!\\)\[x\]\(y\)", text), f"{kind}: {text[:200]}"
            is_html = getattr(element.proto, "allow_html", False)
            assert not (is_html and re.search("<u>run|<i>bad", text)), f"{kind}: {text[:200]}"
