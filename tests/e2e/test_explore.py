"""Explore in a real browser: a click in the confusion matrix, and a threshold that is then used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Server
from tests.e2e.driving import FIRST_PAGE_MS, RUN_MS, at, button, said
from tests.ui.explorable_run import explorable_run
from tl_core.cli import main
from tl_core.runs import decision_rule

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


def test_a_click_in_the_matrix_shows_pictures_and_a_saved_threshold_is_used(
    server: Server, page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = explorable_run(server.runs / "two", tmp_path / "pictures")

    # a cell of the matrix -> its pictures -> one of them
    page.goto(f"{server.url}/explore?run=two&view=pictures&lang=en")
    card = at(page, "card_matrix")
    expect(card.locator(".hs-look").first).to_be_visible(timeout=FIRST_PAGE_MS)
    expect(at(page, "explore_cell")).not_to_contain_text("good → good")
    mark = card.locator(".scatterlayer path.point").last  # the marks go row by row: good, said good
    mark.click(force=True)
    expect(at(page, "explore_cell").locator("input")).to_have_value(re.compile("good → good"))
    expect(card.locator(".hs-look figcaption").first).to_contain_text("good")
    card.locator("[class*='_open'] button").first.click()
    picture = at(page, "card_picture")
    expect(page.get_by_role("dialog")).to_contain_text(said("explore.picture_title"))
    expect(picture.locator(".hs-gallery img")).to_have_count(3, timeout=RUN_MS)  # torch is loaded now
    page.keyboard.press("Escape")
    expect(picture).to_have_count(0)

    # the slider -> save -> the file
    page.get_by_role("radio", name=said("explore.view_threshold")).click()
    expect(page).to_have_url(re.compile("view=threshold"))
    handle = at(page, "explore_threshold_two").get_by_role("slider")
    expect(handle).to_be_visible()
    before = at(page, "card_threshold").locator(".hs-say").inner_text()
    handle.press("End")
    expect(at(page, "card_threshold").locator(".hs-say")).not_to_have_text(before)
    button(page, "save_threshold").click()
    expect(button(page, "forget_threshold")).to_be_visible()
    saved = decision_rule.read(run)
    assert (saved.positive_class, saved.threshold) == ("good", 0.999)
    page.reload()
    expect(handle).to_have_value("0.999", timeout=FIRST_PAGE_MS)

    # the command line and Classify say what it says
    file = min((tmp_path / "pictures" / "good").iterdir())
    assert main(["predict", str(run.path), str(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["predictions"][0]["label"] == "bad" and answer["decision"]["threshold"] == 0.999
    page.goto(f"{server.url}/classify?run=two&lang=en")
    page.locator("input[type=file]").first.set_input_files([file])
    expect(page.locator("article h4").first).to_be_visible(timeout=FIRST_PAGE_MS)
    words = said("classify.decided_threshold").format(name="good", threshold="99.9 %")
    expect(page.locator("[data-testid='stMain']")).to_contain_text(words)
    expect(page.locator("article .hs-bar.first span")).to_have_text("bad")
