"""Pages run without a browser, and small data sets drawn on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui import open_page as page_opener
from tl_core.base.files.paths import datasets_dir
from tl_ui.screens.train import before_start

LOCALES = {"en": "en-US", "ko": "ko-KR"}

OpenPage = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def empty_caches():
    """Nothing that one test's pages looked up is still known in the next."""
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def cookies(monkeypatch) -> dict[str, str]:
    """What the browser sends along; AppTest has no browser and hands out a mock."""
    sent: dict[str, str] = {}
    monkeypatch.setattr(type(st.context), "cookies", property(lambda context: sent))
    return sent


@pytest.fixture(autouse=True)
def no_sets_of_other_tests() -> None:
    """The cache is shared between tests, the list of uploaded and typed sets is not."""
    (datasets_dir() / "register.json").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def this_machine(monkeypatch) -> None:
    """The browser is on the machine itself, for which Streamlit gives no address; AppTest gives a mock."""
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda context: None))


@pytest.fixture(autouse=True)
def no_measuring(monkeypatch) -> None:
    """The Train page would measure the processor in a process of its own."""
    monkeypatch.setattr(before_start, "_measure_once", lambda config: False)


@pytest.fixture
def open_page() -> OpenPage:
    """open_page("data", "ko", data="casting"): the page after its first run, as a browser of that
    language asks for it with these query parameters."""

    def open_(name: str, language: str = "en", **params: str) -> AppTest:
        return page_opener.open_page(name, locale=LOCALES[language], **params)

    return open_


def draw_pictures(root: Path, counts: dict[str, int], *, px: int = 48, seed: int = 0) -> Path:
    """Class folders of pictures that are all different: {"cats": 16} -> root/cats/cats_00.png …"""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            image = rng.integers(0, 256, (6, 6, 3), np.uint8)
            image = cv2.resize(image, (px, px), interpolation=cv2.INTER_CUBIC)
            data = cv2.imencode(".png", image)[1].tobytes()
            (root / name / f"{name.rpartition('/')[2]}_{number:02}.png").write_bytes(data)
    return root


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    return draw_pictures(tmp_path / "pets", {"cats": 20, "dogs": 12})
