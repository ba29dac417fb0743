"""What the browser tests share: sentences from the catalogues, small pictures, and the pages' controls."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FIRST_PAGE_MS = 60_000  # a fresh server imports its libraries while the first page waits
RUN_MS = 180_000  # a small run from its start to its end, on a busy machine
SIDE_PX = 64


@cache
def _table(section: str, language: str) -> dict[str, Any]:
    path = ROOT / f"tl_ui/locales/{language}/{section}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))[section]


def said(key: str, language: str = "en") -> str:
    """The sentence under a key like `train.stop`, as the pages say it."""
    section, name = key.split(".")
    return _table(section, language)[name]


def at(page: Any, key: str) -> Any:
    """The element that a page gave this key."""
    return page.locator(f".st-key-{key}")


def button(page: Any, key: str) -> Any:
    return at(page, key).locator("button").first


def set_number(page: Any, name: str, value: int) -> None:
    """Type a setting's number and leave the field, as a person would; waits until it is taken."""
    field = at(page, f"set_{name}").locator("input")
    field.fill(str(value))
    field.press("Tab")
    taken = "([field, value]) => field.value === value"
    page.wait_for_function(taken, arg=[field.element_handle(), str(value)])


def write_pictures(folder: Path, per_class: int = 30, tests: int = 12) -> Path:
    """Two classes a network can tell apart: bright discs and dark squares on noise, with a test part."""
    random = np.random.default_rng(5)
    for split, count in (("train", per_class), ("test", tests)):
        for label in ("disc", "square"):
            target = folder / split / label
            target.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(target / f"{number:03}.png"), draw(label, random))
    return folder


def draw(label: str, random: np.random.Generator) -> np.ndarray:
    """(64, 64, 3) uint8."""
    image = random.integers(0, 255, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    x, y = (int(v) for v in random.integers(22, 42, 2))
    shade = [int(v) for v in random.integers(0, 90, 3)]
    if label == "disc":
        cv2.circle(image, (x, y), 16, [255 - v for v in shade], -1)
    else:
        cv2.rectangle(image, (x - 14, y - 14), (x + 14, y + 14), shade, -1)
    return image


def wait_until(is_true: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    """Ask until it holds; for what no page shows. Raises: AssertionError: it never did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := is_true():
            return found
        time.sleep(0.1)
    raise AssertionError(f"Waited {seconds:.0f} s in vain: {what}")
