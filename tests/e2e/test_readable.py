"""Pages as a browser draws them: in both themes words stand out from what is behind them; on a phone nothing
runs out of the window or lies under a toolbar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Server
from tests.e2e.driving import FIRST_PAGE_MS
from tests.ui.run_folder_builder import finished_run

pytestmark = pytest.mark.browser

PAGES = (
    "/", "/data?data=casting", "/train?data=casting", "/results?run=one", "/explore?run=one",
    "/compare?runs=one&runs=two", "/head_swap", "/lesson?step=freeze&idea=map",
)  # fmt: skip
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

FAINT = """() => {
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const numbers = (colour) => [...colour.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
    const over = (front, back, share) => [0, 1, 2].map((i) => front[i] * share + back[i] * (1 - share));
    const behind = (element) => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) {
            const style = getComputedStyle(e), colour = numbers(style.backgroundColor);
            if (style.backgroundImage !== "none" || e.getAttribute("role") === "slider") return null;
            if (colour[3]) layers.push(colour);
            if (colour[3] === 1) break;
        }
        return layers.reverse().reduce((back, c) => over(c, back, c[3]), [255, 255, 255]);
    };
    const found = [], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
        const text = words.currentNode.textContent.trim(), e = words.currentNode.parentElement;
        if (!text || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        if (e.closest("svg, script, style, [disabled], [aria-disabled=true]")) continue;
        if (e.closest("[data-testid=stIconMaterial]")) continue;
        const style = getComputedStyle(e), box = e.getBoundingClientRect(), ground = behind(e);
        if (!ground || box.width < 2 || box.height < 2) continue;
        let share = numbers(style.color)[3];
        for (let one = e; one; one = one.parentElement) share *= Number(getComputedStyle(one).opacity);
        const seen = [over(numbers(style.color), ground, share), ground].map(light);
        const [dark, bright] = seen.sort((a, b) => a - b);
        const large = parseFloat(style.fontSize) >= 24;
        if ((bright + 0.05) / (dark + 0.05) < (large ? 3 : 4.5))
            found.push(`${text.slice(0, 30)}: ${style.color} on ${ground.map(Math.round)}`);
    }
    return [...new Set(found)];
}"""
"""WCAG 2.2, 1.4.3. What stands on a picture or a gradient is left out, as what is disabled is."""

OUTSIDE = """() => {
    const main = document.querySelector("[data-testid='stMain']"), found = [];
    if (main.scrollWidth > main.clientWidth + 1) found.push(`the page: ${main.scrollWidth} px wide`);
    for (const e of main.querySelectorAll("[data-testid='stButtonGroup'] button")) {
        if (!e.checkVisibility()) continue;
        const box = e.getBoundingClientRect();
        if (box.right > innerWidth) found.push(`${e.innerText}: ends at ${Math.round(box.right)}`);
        e.scrollIntoView({ block: "center" });
        const seen = e.getBoundingClientRect();
        const top = document.elementFromPoint(seen.x + seen.width / 2, seen.y + seen.height / 2);
        if (!e.contains(top)) found.push(`${e.innerText}: under ${top?.dataset?.testid ?? top?.tagName}`);
    }
    return found;
}"""

AT_REST = """() => {
    const before = window.numElements;
    window.numElements = document.querySelectorAll("*").length;
    return window.numElements === before && !document.querySelector("[data-testid='stSpinner']");
}"""


@pytest.fixture(scope="module")
def two_runs(server: Server) -> Server:
    for name in ("one", "two"):
        finished_run(server.runs / name)
    return server


@pytest.fixture
def tab(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(**request.param)
    yield context.new_page()
    context.close()


def opened(page: Page, server: Server, path: str) -> None:
    page.goto(f"{server.url}{path}{'&' if '?' in path else '?'}lang=en")
    expect(page.locator("h1").first).to_be_visible(timeout=FIRST_PAGE_MS)
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
    page.wait_for_function(AT_REST, polling=500)


@pytest.mark.parametrize(
    "tab", [{"color_scheme": theme} for theme in ("light", "dark")], ids=["light", "dark"], indirect=True
)
def test_words_stand_out_from_what_is_behind_them(two_runs: Server, tab: Page):
    found = {}
    for path in PAGES:
        opened(tab, two_runs, path)
        if faint := tab.evaluate(FAINT):
            found[path] = faint
    assert not found


@pytest.mark.parametrize("tab", [PHONE], ids=["phone"], indirect=True)
def test_on_a_phone_nothing_runs_out_of_the_window_and_every_choice_can_be_tapped(
    two_runs: Server, tab: Page
):
    found = {}
    for path in PAGES:
        opened(tab, two_runs, path)
        if outside := tab.evaluate(OUTSIDE):
            found[path] = outside
    assert not found
