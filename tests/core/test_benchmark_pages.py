"""The pages that the benchmarks write: each section once, and what another day measured is kept."""

import pytest

from benchmarks import harness


@pytest.fixture
def pages(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(harness, "EARLIER", tmp_path / "EARLIER.md")

    def report(day: str, name: str, words: str) -> None:
        monkeypatch.setattr(harness, "machine", lambda: f"{day} 10:00 UTC · a machine")
        harness.report(name, f"What {name} measures, 1 thread(s)", [words])

    return report


def test_a_section_takes_the_place_of_the_one_before_and_leaves_the_others(pages):
    pages("2026-01-01", "race", "3 times")
    pages("2026-01-01", "growth", "linear")
    pages("2026-01-01", "race", "4 times")
    text = harness.RESULTS.read_text(encoding="utf-8")
    assert "3 times" not in text and text.index("4 times") < text.index("linear")
    assert text.count("## What race") == 1 and text.startswith("# Measured\n")
    assert not harness.EARLIER.exists()


def test_what_another_day_measured_is_kept_beside(pages):
    pages("2026-01-01", "race", "3 times")
    pages("2026-01-02", "race", "4 times")
    pages("2026-01-02", "race", "5 times")
    assert "5 times" in harness.RESULTS.read_text(encoding="utf-8")
    earlier = harness.EARLIER.read_text(encoding="utf-8")
    assert "3 times" in earlier and "4 times" not in earlier
    pages("2026-01-03", "race", "6 times")
    earlier = harness.EARLIER.read_text(encoding="utf-8")
    assert "5 times" in earlier and "3 times" not in earlier
