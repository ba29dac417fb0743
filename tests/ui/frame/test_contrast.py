"""Every colour that carries words or marks can be told from what is behind it, in both themes.

WCAG 2.2: 4.5 to 1 for text (1.4.3 AA), 3 to 1 for the outline of a control and for marks (1.4.11).
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tl_ui.frame.theme import DARK, LIGHT

ROOT = Path(__file__).resolve().parents[3]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
PALETTES = {"light": LIGHT, "dark": DARK}
TEXT, MARK = 4.5, 3.0


def channels(colour: str) -> list[float]:
    return [int(colour.lstrip("#")[i : i + 2], 16) / 255 for i in (0, 2, 4)]


def luminance(colour: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(front: str, back: str, opacity: float = 1.0) -> float:
    behind = channels(back)
    seen = [opacity * f + (1 - opacity) * b for f, b in zip(channels(front), behind, strict=True)]
    light, dark = sorted((luminance(seen), luminance(behind)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_21_to_1():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_our_own_words_stand_out_from_page_card_and_their_soft_ground(theme):
    colours = PALETTES[theme]
    pairs = [(name, ground) for name in ("ink", "muted", "backbone", "head", "good", "bad")
             for ground in ("page", "card")]  # fmt: skip
    pairs += [("backbone", "backbone_soft"), ("head", "head_soft"), ("ink", "head_soft")]
    pairs += [("ink", "backbone_soft"), ("muted", "removed_soft"), ("card", "backbone"), ("card", "good")]
    pairs += [("card", "head"), ("card", "muted")]  # counts in bars
    weak = {
        f"{front} on {back}": round(found, 2)
        for front, back in pairs
        if (found := contrast(getattr(colours, front), getattr(colours, back))) < TEXT
    }
    assert not weak


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_streamlits_words_stand_out_in_the_page_and_in_the_sidebar(theme):
    page = THEME[theme]
    weak = {}
    for name, place in (("page", page), ("sidebar", page["sidebar"])):
        grounds = [place["backgroundColor"], place["secondaryBackgroundColor"]]
        grounds += [PALETTES[theme].card] if name == "page" else []
        for ground in grounds:
            found = {
                "text": contrast(place["textColor"], ground),
                "link": contrast(place["linkColor"], ground),
            }
            weak |= {f"{name} {what} on {ground}": v for what, v in found.items() if v < TEXT}
    primary, colours = page["primaryColor"], PALETTES[theme]
    weak |= {
        f"primary on {ground}": contrast(primary, ground)
        for ground in (colours.page, colours.card)
        if contrast(primary, ground) < TEXT
    }
    if contrast(colours.card, primary) < TEXT:
        weak["the words of a primary button"] = contrast(colours.card, primary)
    assert not weak


def test_the_words_of_a_primary_button_have_the_colour_that_is_measured():
    rules = (ROOT / "tl_ui" / "assets" / "style.css").read_text(encoding="utf-8")
    (rule,) = [line for line in rules.splitlines() if line.startswith('[data-testid="stBaseButton-primary"]')]
    assert "color: var(--hs-card)" in rule


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_badges_and_marks_stand_out(theme):
    page, colours = THEME[theme], PALETTES[theme]
    marks = {name: page[f"{name}Color"] for name in ("blue", "orange", "green", "red", "gray")}
    marks |= {"the outline of a control": colours.muted, "removed": colours.removed}
    marks |= {f"series {number}": colour for number, colour in enumerate(page["chartCategoricalColors"])}
    grounds = (colours.page, colours.card)
    weak = {
        f"{name} on {ground}": round(contrast(colour, ground), 2)
        for name, colour in marks.items()
        for ground in grounds
        if contrast(colour, ground) < MARK
    }
    assert not weak


def test_a_choice_that_is_not_made_has_an_outline_that_is_seen():
    rules = (ROOT / "tl_ui" / "assets" / "style.css").read_text(encoding="utf-8")
    (rule,) = [line for line in rules.splitlines() if "stRadioOption" in line]
    assert "var(--hs-muted)" in rule


def test_captions_have_the_colour_of_our_own_small_words():
    rules = (ROOT / "tl_ui" / "assets" / "style.css").read_text(encoding="utf-8")
    start = '[data-testid="stMain"] [data-testid="stCaptionContainer"]'
    (rule,) = [line for line in rules.splitlines() if line.startswith(start)]
    assert "color: var(--hs-muted); opacity: 1" in rule
