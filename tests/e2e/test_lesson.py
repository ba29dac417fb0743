"""The lesson in a real browser: the whole path with a run made on the way, to a printed explanation, and
the presenter's keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Server
from tests.e2e.driving import FIRST_PAGE_MS, RUN_MS, at, button, said, wait_until, write_pictures
from tl_core.base.config import RunConfig
from tl_core.jobs import local
from tl_core.runs.execution import workflow
from tl_core.runs.run_folder import RunFolder
from tl_ui.lesson.path import PLACES, QUIZ, STEPS, LessonPlace
from tl_ui.lesson.quiz import learner

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)

SMALL: dict[str, Any] = {
    "weights": "formula",
    "precision": "fp32",
    "image_px": 32,
    "views": 1,
    "target_per_class": 20,
    "head": {"epochs": 2},
    "finetune": {"epochs": 2},
    "threads": 1,
}


@pytest.fixture
def run(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A small run that trains while the first steps are read."""
    monkeypatch.setenv("HEADSWAP_CACHE", str(server.cache))
    data = write_pictures(tmp_path / "pictures", per_class=20, tests=8)
    made = workflow.create_run(data, server.runs / "lesson-run", RunConfig.from_dict(SMALL))
    local.launch(made)
    return made


def shown(page: Page, place: LessonPlace) -> None:
    """Wait until the page has this idea on it and has come to rest."""
    page.wait_for_url(f"**step={place.step}&idea={place.idea}**")
    title = said("lesson.quiz_title") if place.idea == QUIZ else None
    heading = page.locator("[data-testid='stMain'] h3").first
    expect(heading).to_be_visible()
    if title:
        expect(heading).to_have_text(title)
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()


def predict(page: Page, step: str) -> None:
    """Commit to the first answer, when the step asks for one and it has not been given."""
    if not at(page, f"predict_{step}").count():
        return
    at(page, f"predict_{step}").locator("label").nth(1).click()
    expect(button(page, f"commit_{step}")).to_be_enabled()
    button(page, f"commit_{step}").click()
    expect(at(page, f"predict_{step}")).to_have_count(0)


def test_the_whole_path_from_the_first_step_to_a_printed_explanation(
    server: Server, run: RunFolder, page: Page, tmp_path: Path
):
    page.goto(f"{server.url}/lesson?lang=en&run={run.name}")
    expect(page.locator("h1").first).to_have_text(said("lesson.title"), timeout=FIRST_PAGE_MS)
    for index, place in enumerate(PLACES):
        if index:
            shown(page, place)
        if place == LessonPlace("freeze", "change"):
            # from here on the lesson speaks of a finished run
            wait_until(lambda: local.state(run) == "finished", "the end of the run", RUN_MS / 1000)
            page.reload()
            shown(page, place)
        if place.idea != QUIZ:
            predict(page, place.step)
            expect(at(page, "lesson_live")).to_be_visible()
        expect(page.locator("[data-testid='stException']")).to_have_count(0)
        if place != PLACES[-1]:
            button(page, "lesson_next").click()
    done = [page.locator(f"[class*='st-key-stepper_done_{step}']") for step in list(STEPS)[:-1]]
    for step in done:
        expect(step).to_have_count(1)

    # the last idea: the answer filled in from the run that was trained meanwhile, to be printed
    answer = page.locator("textarea").first
    expect(answer).to_be_visible()
    assert "disc" in answer.input_value()
    with page.expect_download() as caught:
        button(page, "explain_html").click()
    caught.value.save_as(tmp_path / "explained.html")
    printed = (tmp_path / "explained.html").read_text(encoding="utf-8")
    assert "disc" in printed and "<html" in printed
    button(page, "lesson_next").click()
    expect(page.locator("[data-testid='stMain']")).to_contain_text(said("lesson.finished"))


def test_the_presenter_is_turned_with_arrows_and_with_a_clicker(server: Server, page: Page):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{server.url}/lesson?lang=en&present=1&step=labels")
    expect(button(page, "present_next")).to_be_visible(timeout=FIRST_PAGE_MS)
    expect(page.locator("[data-testid='stSidebar']")).to_be_hidden()
    turns = {"ArrowRight": "numbers", "PageDown": "quiz", "PageUp": "numbers", "ArrowLeft": "folders"}
    for key, idea in turns.items():
        page.keyboard.press(key)
        page.wait_for_url(f"**idea={idea}**")
        page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
    page.keyboard.press("Escape")
    expect(at(page, "stepper")).to_be_visible()
    assert "present" not in page.url


def test_a_reload_keeps_the_nickname_until_someone_else_sits_down(server: Server, page: Page):
    name = '민지 "7";'
    page.goto(f"{server.url}/lesson?lang=en&step=labels&idea={QUIZ}")
    panel = at(page, "learner_labels")
    panel.get_by_text(said("quiz.keep"), exact=True).click(timeout=FIRST_PAGE_MS)
    field = at(page, "nickname_labels").locator("input")
    field.fill(name)
    field.press("Enter")
    expect(panel.get_by_text(name, exact=True)).to_be_visible()
    wait_until(lambda: any(cookie["name"] == learner.COOKIE for cookie in page.context.cookies()), "a cookie")
    page.reload()
    panel.get_by_text(name, exact=True).click(timeout=FIRST_PAGE_MS)
    button(page, "leave_labels").click()
    expect(panel.get_by_text(said("quiz.keep"), exact=True)).to_be_visible()
    wait_until(lambda: not any(c["name"] == learner.COOKIE for c in page.context.cookies()), "no cookie")
    page.reload()
    expect(panel.get_by_text(said("quiz.keep"), exact=True)).to_be_visible(timeout=FIRST_PAGE_MS)
