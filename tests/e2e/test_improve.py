"""Relabel, retrain, measure: in a real browser, on drawn pictures with wrong labels among them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Server
from tests.core.drawn import write_classes
from tests.e2e.driving import FIRST_PAGE_MS, RUN_MS, at, button, said, wait_until
from tl_core.base.config import RunConfig
from tl_core.data import curation
from tl_core.runs.execution import workflow
from tl_core.runs.report import comparison
from tl_core.runs.run_folder import RunFolder, list_runs
from tl_ui.screens.compare import paired as paired_view

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

TINY = {
    "weights": "formula",
    "precision": "fp32",
    "image_px": 48,
    "augment": False,
    "head": {"epochs": 3},
    "finetune": {"epochs": 0},
}
NUM_WRONG = 8


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Dots and stripes; in each folder some of the other."""
    root = write_classes(tmp_path / "drawn", {"dots": 60, "stripes": 60})
    for number in range(NUM_WRONG):
        first, second = root / f"dots/{number:03}.png", root / f"stripes/{number:03}.png"
        one, other = first.read_bytes(), second.read_bytes()
        first.write_bytes(other)
        second.write_bytes(one)
    return root


@pytest.fixture
def run(server: Server, pictures: Path) -> RunFolder:
    made = workflow.create_run(pictures, server.runs / "first", RunConfig.from_dict(TINY))
    workflow.execute(made)
    made.write_status(state="finished")
    return made


def contents(root: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*.png")}


def test_labels_are_mended_the_head_is_retrained_and_the_difference_is_measured(
    server: Server, run: RunFolder, pictures: Path, page: Page
):
    before = contents(pictures)
    page.goto(f"{server.url}/improve?run={run.name}&lang=en")
    expect(page.locator("h1").first).to_be_visible(timeout=FIRST_PAGE_MS)
    button(page, "check").click()
    cards = page.locator("[class*='st-key-decide_labels_']")
    expect(cards.first).to_be_visible(timeout=RUN_MS)

    # the first three that the judge doubts take the other class, by one click each
    for index in range(3):
        other = cards.nth(index).locator("button").nth(1)
        other.click()
        expect(other).to_have_attribute("aria-checked", "true")
        wait_until(lambda want=index + 1: len(curation.decided(pictures)) == want, "the decision on disk")
    assert {row.decision for row in curation.decided(pictures)} == {"relabel"}

    # a second click takes one back
    cards.nth(2).locator("button").nth(1).click()
    expect(cards.nth(2).locator("button").nth(1)).to_have_attribute("aria-checked", "false")
    wait_until(lambda: len(curation.decided(pictures)) == 2, "the decision taken back")

    # the person knows the other wrong ones too
    for number in range(NUM_WRONG):
        for name, other in (("dots", "stripes"), ("stripes", "dots")):
            curation.decide(pictures, f"{name}/{number:03}.png", "relabel", other)
    at(page, "improve_panel").get_by_role("radio", name=said("improve.panel_retrain")).click()
    button(page, "retrain").click()
    expect(at(page, "card_difference")).to_be_visible(timeout=RUN_MS)

    by_name = {found.name: found for found in list_runs(server.runs)}
    [old] = [found for name, found in by_name.items() if name.endswith("head-before")]
    [new] = [found for name, found in by_name.items() if name.endswith("head-mended")]
    paired = comparison.pair(old, new)
    card = at(page, "card_difference")
    for scores in (paired.first, paired.second):
        expect(card).to_contain_text(f"{100 * scores['accuracy']:.1f} %")
    assert paired.num_mended > 0
    expect(card).to_contain_text(said("compare.mended").format(count=paired.num_mended))
    assert new.read_summary()["decisions"]["relabelled"] == len(curation.decided(pictures))
    assert contents(pictures) == before, "no picture was touched"

    # the same pair on Compare, by its link
    page.get_by_role("link", name=said("improve.to_compare")).click()
    expect(page.locator("h1").first).to_contain_text(said("compare.title"))
    expect(at(page, "card_paired")).to_contain_text(new.name)
    expect(at(page, "card_paired")).to_contain_text(paired_view.p_words(paired.p_value))
