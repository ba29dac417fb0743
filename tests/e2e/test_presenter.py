"""The lesson on a projector of 1280 x 720, in a real browser: no screen is scrolled, none hard to read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser import Server
from tests.e2e.driving import FIRST_PAGE_MS, at, button
from tl_ui.lesson.path import PLACES, LessonPlace

pytestmark = pytest.mark.browser

SMALLEST = 0.65
"""Of the letters' usual size."""
SETTLED_MS = 6_000
FITS = """(smallest) => {
    const page = document.querySelector("[data-testid='stMain']");
    const screen = document.querySelector(".st-key-present_screen");
    const foot = document.querySelector(".st-key-present_turn");
    return page.scrollHeight <= page.clientHeight && Number(screen.dataset.fit) >= smallest
        && screen.getBoundingClientRect().bottom <= foot.getBoundingClientRect().top;
}"""
HOW_FAR = """() => {
    const page = document.querySelector("[data-testid='stMain']");
    const fit = document.querySelector(".st-key-present_screen").dataset.fit;
    return `${page.scrollHeight} of ${page.clientHeight} px at ${fit}`;
}"""


def rest(page: Page) -> None:
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()


def cut(page: Page, place: LessonPlace, state: str) -> list[str]:
    """Nothing where the screen fits; else which it is and by how much it does not."""
    try:
        page.wait_for_function(FITS, arg=SMALLEST, timeout=SETTLED_MS)
    except TimeoutError:
        return [f"{place.step}/{place.idea} ({state}): {page.evaluate(HOW_FAR)}"]
    return []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_screen_of_the_lesson_fits_a_projector_without_scrolling(
    server: Server, page: Page, language: str
):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{server.url}/lesson?lang={language}&present=1")
    expect(button(page, "present_next")).to_be_visible(timeout=FIRST_PAGE_MS)
    found: list[str] = []
    for place in PLACES:
        if place != PLACES[0]:
            page.wait_for_url(f"**step={place.step}&idea={place.idea}**")
        rest(page)
        question = at(page, f"predict_{place.step}")
        if question.count():
            found += cut(page, place, "asked")
            question.locator("label").nth(1).click()
            button(page, f"commit_{place.step}").click()
            expect(question).to_have_count(0)
            rest(page)
        found += cut(page, place, "shown")
        if place != PLACES[-1]:
            button(page, "present_next").click()
    assert not found, found
