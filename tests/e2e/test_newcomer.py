"""A newcomer's first minutes in a real browser, in Korean: own photographs, all defaults, an answer while the
run goes on, a stop that leaves a model."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser import Server
from tests.e2e.driving import FIRST_PAGE_MS, RUN_MS, at, button, said
from tl_core.jobs import local
from tl_core.runs.run_folder import list_runs

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)

WIDTH, HEIGHT = 900, 600
NUM_PER_CLASS = 12
ENGLISH_KEPT = {"icon", "EfficientNet-Lite0", "EfficientNet", "ImageNet", "Lite0", "CSV", "F1", "ROC", "AUC"}
"""Names that Korean keeps; "icon" is Streamlit's own name of a drawing, for screen readers."""


def photographs(folder: Path) -> Path:
    """Leaves and twigs, each picture with colours, places and a ground of its own."""
    random = np.random.default_rng(11)
    for label in ("나뭇잎", "나뭇가지"):
        (folder / label).mkdir(parents=True)
        for number in range(NUM_PER_CLASS):
            encoded = cv2.imencode(".jpg", _photograph(label, random))[1]
            (folder / label / f"{number:02}.jpg").write_bytes(encoded.tobytes())
    return folder


def _photograph(label: str, random: np.random.Generator) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8."""
    coarse = random.integers(60, 200, (HEIGHT // 40, WIDTH // 40, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    colour = [int(v) for v in random.integers(0, 255, 3)]
    for _ in range(int(random.integers(15, 30))):
        x, y, size, turn = (int(random.integers(0, end)) for end in (WIDTH, HEIGHT, 60, 180))
        if label == "나뭇잎":
            cv2.ellipse(image, (x, y), (50 + size, 20 + size // 3), turn, 0, 360, colour, -1)
        else:
            step = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))]) * (80 + size)
            cv2.line(image, (x, y), (int(x + step[0]), int(y + step[1])), colour, 6)
    return image


def reads_well(page: Page, own: set[str]) -> None:
    """No Markdown left over, no traceback, and no English word but names."""
    main = page.locator("[data-testid='stMain']")
    expect(page.locator("[data-testid='stException']")).to_have_count(0)
    icons = """(e) => [...e.querySelectorAll('*')].map((i) => [getComputedStyle(i).fontFamily, i.textContent])
        .filter(([font]) => font.includes('Material')).map(([, name]) => name)"""
    text: str = main.inner_text()
    assert "**" not in text and "Traceback" not in text and "](" not in text, text
    drawn: set[str] = set(main.evaluate(icons))
    english = set(re.findall(r"(?<![\w./-])[A-Za-z][A-Za-z-]{3,}[0-9]?(?![\w./-])", text))
    assert english <= ENGLISH_KEPT | drawn | own, english - ENGLISH_KEPT - drawn - own


def plain(key: str) -> str:
    """The Korean sentence as a page shows it."""
    return said(key, "ko").replace("**", "")


def classify(page: Page, picture: Path) -> None:
    """Give a new picture; its card has an answer in per cent."""
    arrived(page, "classify")
    image = _photograph("나뭇잎", np.random.default_rng(99))
    picture.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    page.locator("input[type=file]").first.set_input_files(picture)
    card = page.locator(".hs-answers article", has_text=picture.name)
    expect(card).to_contain_text(re.compile(r"나뭇(잎|가지).*\d+\s?%", re.DOTALL), timeout=RUN_MS)


def arrived(page: Page, name: str) -> None:
    expect(page.locator("h1").first).to_contain_text(said(f"{name}.title", "ko"), timeout=FIRST_PAGE_MS)


def test_own_photographs_are_answered_while_the_run_goes_on_and_a_stop_leaves_a_model(
    server: Server, page: Page, tmp_path: Path
):
    pictures = photographs(tmp_path / "autumn")

    # Start -> Data: a folder of one's own
    page.goto(f"{server.url}/?lang=ko")
    expect(page.locator("h1").first).to_contain_text(said("start.title", "ko"), timeout=FIRST_PAGE_MS)
    button(page, "own_pictures").click()
    arrived(page, "data")
    page.locator("input[type=file]").first.set_input_files(pictures)
    expect(button(page, "next_train")).to_be_visible(timeout=RUN_MS)
    expect(page.locator("[data-testid='stMain']")).to_contain_text("나뭇가지")
    reads_well(page, {"autumn"})
    button(page, "next_train").click()

    # Train: what will happen, and how long it takes
    arrived(page, "train")
    plan = at(page, "card_plan")
    first = re.escape(plain("train.plan_first")).replace(r"\{time\}", r".*\d.*")
    expect(plan).to_contain_text(re.compile(first), timeout=RUN_MS)
    expect(plan.locator("dt").first).to_contain_text(re.compile(r"\d+[초분]"))
    reads_well(page, {"autumn"})
    button(page, "start").click()

    # the first answer opens Classify while the run goes on; held here, so that it cannot end meanwhile
    answer = at(page, "card_answer")
    expect(answer).to_contain_text(plain("train.first_answer"), timeout=RUN_MS)
    (run,) = list_runs(server.runs)
    worker = psutil.Process(run.read_status()["pid"])
    worker.suspend()
    try:
        assert "autumn" in run.name and local.state(run) == "running"
        expect(page.locator("[class*='st-key-step_classify_open'] a")).to_be_visible()
        expect(at(page, "curve_accuracy").locator(".main-svg").first).to_be_visible()
        reads_well(page, {run.name})
        answer.get_by_role("link", name=said("train.try_it", "ko")).click()
        classify(page, tmp_path / "first.jpg")
        reads_well(page, {run.name, "JPEG", "TIFF", "WebP"})
        page.locator("[class*='st-key-step_train_'] a").click()
        arrived(page, "train")
        button(page, "stop").click()
        expect(at(page, "controls")).to_contain_text(said("train.state_stopping", "ko"))
    finally:
        worker.resume()

    # stopped: the best model so far stands, and answers
    expect(at(page, "controls")).to_contain_text(said("train.state_stopped", "ko"), timeout=RUN_MS)
    expect(answer).to_contain_text(plain("train.best_so_far_stands"))
    reads_well(page, {run.name})
    answer.get_by_role("link", name=said("train.try_it", "ko")).click()
    classify(page, tmp_path / "later.jpg")
    assert "Traceback" not in server.read_log(), server.read_log()
