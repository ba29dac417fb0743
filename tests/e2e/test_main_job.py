"""The main job in a real browser, and what it must survive: reloads, second tabs, killed processes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser import Server
from tests.e2e.driving import (
    FIRST_PAGE_MS,
    RUN_MS,
    at,
    button,
    draw,
    said,
    set_number,
    wait_until,
    write_pictures,
)
from tl_core.base.config import RunConfig
from tl_core.jobs import local
from tl_core.runs.event_log import EventLog
from tl_core.runs.execution import workflow
from tl_core.runs.run_folder import RunFolder, list_runs

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

# Long enough to be met half-way, small enough to end soon.
SMALL: dict[str, Any] = {
    "weights": "random",
    "precision": "fp32",  # nothing to find out first
    "image_px": 64,
    "views": 1,
    "target_per_class": 30,
    "head": {"epochs": 1},
    "finetune": {"epochs": 400},
    "early_stopping_patience": 0,
}


def open_page(page: Page, server: Server, path: str = "/") -> None:
    page.goto(server.url + path)
    expect(page.locator("h1").first).to_be_visible(timeout=FIRST_PAGE_MS)


def shows_state(page: Page, state: str, timeout: int = RUN_MS) -> None:
    expect(at(page, "controls")).to_contain_text(said(f"train.state_{state}"), timeout=timeout)


def epochs(run: RunFolder) -> list[tuple[str, int]]:
    """(stage, epoch) of every epoch the run has ended, in the order they were written."""
    return [(e.stage, e.epoch) for e in EventLog(run.events_path).read() if e.kind == "epoch_end"]


@pytest.fixture
def launched(fresh_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A small run under way, started as the pages start theirs; it is in its second stage."""
    monkeypatch.setenv("HEADSWAP_CACHE", str(fresh_server.cache))
    run = workflow.create_run(
        write_pictures(tmp_path / "pictures"), fresh_server.runs / "small", RunConfig.from_dict(SMALL)
    )
    local.launch(run)
    wait_until(lambda: ("finetune", 1) in epochs(run), "the first epoch of the second stage")
    return run


def test_a_newcomer_trains_on_the_practice_set_and_gets_an_answer(server: Server, page: Page, tmp_path: Path):
    # Start -> Data: the practice set
    open_page(page, server)
    expect(page.locator("h1").first).to_contain_text(said("start.title"))
    button(page, "own_pictures").click()
    page.get_by_role("radio", name=said("data.source_sample")).click()
    button(page, "use_casting").click()
    button(page, "next_train").click(timeout=RUN_MS)

    # Train: a few epochs, small pictures
    expect(page.locator("h1").first).to_contain_text(said("train.title"))
    expect(at(page, "card_data")).to_contain_text("def_front")
    at(page, "set_weights").locator("input").click()
    page.get_by_role("option", name=said("train.weights_random")).click()
    set_number(page, "head_epochs", 1)
    set_number(page, "finetune_epochs", 6)
    at(page, "advanced").locator("summary").click()
    at(page, "advanced_group").get_by_role("radio", name=said("train.group_pictures")).click()
    set_number(page, "image_px", 64)
    set_number(page, "target_per_class", 60)
    set_number(page, "views", 1)
    button(page, "start").click()

    # live, and the same after a reload and in a second tab
    shows_state(page, "running")
    expect(page).to_have_url(re.compile(r"[?&]run="))
    expect(at(page, "numbers")).to_be_visible(timeout=RUN_MS)
    (run,) = list_runs(server.runs)
    assert (run.read_config()["image_px"], run.read_config()["finetune"]["epochs"]) == (64, 6)
    page.reload()
    expect(at(page, "numbers")).to_be_visible(timeout=FIRST_PAGE_MS)
    expect(page).to_have_url(re.compile(f"run={run.name}"))
    second = page.context.new_page()
    second.goto(page.url)
    expect(at(second, "numbers")).to_be_visible(timeout=FIRST_PAGE_MS)

    # stopped in one tab, both say so; resumed in the other, both go on
    button(second, "stop").click()
    shows_state(second, "stopped")
    shows_state(page, "stopped")
    done = epochs(run)
    assert 0 < len(done) < 7, "stopped in mid-run"
    button(page, "resume").click()
    shows_state(second, "running")
    second.close()
    button(page, "to_results").click(timeout=RUN_MS)
    assert epochs(run) == [("head", 1), *(("finetune", n) for n in range(1, 7))], (
        "no epoch lost or done twice"
    )

    # Results, then an answer for a picture of one's own
    expect(page.locator("h1").first).to_contain_text(said("results.title"))
    expect(page.locator("[data-testid='stMain']")).to_contain_text("def_front")
    at(page, "step_classify_open").locator("a").click()
    expect(page.locator("h1").first).to_contain_text(said("classify.title"))
    picture = tmp_path / "내 사진 1.png"
    cv2.imencode(".png", draw("disc", np.random.default_rng(1)))[1].tofile(picture)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff not a picture")
    page.locator("input[type=file]").first.set_input_files([picture, broken])
    answers = page.locator("[data-testid='stMain']")
    expect(answers).to_contain_text("내 사진 1.png", timeout=FIRST_PAGE_MS)
    expect(answers).to_contain_text("broken.jpg")
    expect(answers).to_contain_text(re.compile(r"\d+(\.\d+)?\s?%"))


def test_every_page_speaks_the_language_chosen_on_another(server: Server, page: Page):
    open_page(page, server)
    switch = at(page, "language_switch")
    switch.get_by_role("radio", name="한국어").click()
    title = page.locator("h1").first
    expect(title).to_contain_text(said("start.title", "ko"))
    for name in ("data", "start", "head_swap"):  # those that nothing locks, whatever ran here before
        page.locator(f"[class*='st-key-step_{name}_'] a").click()
        expect(title).to_contain_text(said(f"{name}.title", "ko"))
    switch.get_by_role("radio", name="English").click()
    expect(title).to_contain_text(said("head_swap.title"))
    page.reload()
    expect(title).to_contain_text(said("head_swap.title"))


def test_a_run_survives_its_server_and_a_link_finds_it_on_the_next_one(
    fresh_server: Server, launched: RunFolder, page: Page
):
    # the first page that this server ever shows is a deep link
    open_page(page, fresh_server, f"/train?run={launched.name}&lang=en")
    shows_state(page, "running")
    # a control whose code cannot be fetched any more stays broken until a reload
    expect(button(page, "stop")).to_be_visible()
    fresh_server.kill()
    before = len(epochs(launched))
    wait_until(lambda: len(epochs(launched)) > before, "an epoch that ends without a server")
    fresh_server.start()
    # the tab finds its server again by itself
    shows_state(page, "running", FIRST_PAGE_MS)
    button(page, "stop").click()
    shows_state(page, "stopped")


def test_a_killed_worker_is_shown_as_interrupted_and_goes_on_when_resumed(
    fresh_server: Server, launched: RunFolder, page: Page
):
    open_page(page, fresh_server, f"/train?run={launched.name}&lang=en")
    shows_state(page, "running")
    psutil.Process(launched.read_status()["pid"]).kill()
    shows_state(page, "interrupted")
    expect(page.locator("[data-testid='stMain']")).to_contain_text(said("train.interrupted_says"))
    done = epochs(launched)
    button(page, "resume").click()
    shows_state(page, "running")
    wait_until(lambda: len(epochs(launched)) > len(done), "an epoch after the resume")
    assert epochs(launched)[: len(done)] == done
    numbers = [n for stage, n in epochs(launched) if stage == "finetune"]
    assert numbers == sorted(set(numbers)), "no epoch lost or done twice"
    button(page, "stop").click()
    shows_state(page, "stopped")
