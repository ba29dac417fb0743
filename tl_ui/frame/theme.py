"""Colours that mean something, for HTML, pictures and charts: one palette per theme.

Blue is what is kept (the backbone), orange what is new (the head), grey what is taken away; validation is
green. The series colours come from `.streamlit/config.toml`, and from here where the app was started in
another folder and has not read it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from tl_ui.frame import state
from tl_ui.frame.text import t

ASSETS = Path(__file__).parents[1] / "assets"
FONT = (
    "Pretendard, 'Pretendard Variable', Inter, 'Segoe UI', -apple-system, 'Apple SD Gothic Neo', "
    "'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', NanumGothic, 'Helvetica Neue', sans-serif"
)


@dataclass(frozen=True)
class Palette:
    ink: str
    muted: str
    line: str
    page: str
    card: str
    backbone: str
    backbone_soft: str
    head: str
    head_soft: str
    removed: str
    removed_soft: str
    good: str
    bad: str

    @property
    def series(self) -> list[str]:
        theme = "dark" if self is DARK else "light"
        return list(st.get_option(f"theme.{theme}.chartCategoricalColors") or SERIES[theme])


LIGHT = Palette(
    ink="#1B2434", muted="#5E687A", line="#E2DFD6", page="#FBFAF7", card="#FFFFFF",
    backbone="#2456C8", backbone_soft="#E3EBFB", head="#AD4D08", head_soft="#FCE9D7",
    removed="#8A90A0", removed_soft="#ECEBE7", good="#0B7F66", bad="#C03434",
)  # fmt: skip
DARK = Palette(
    ink="#E9EDF5", muted="#9AA5B9", line="#313B50", page="#131926", card="#1A2232",
    backbone="#7FA6FF", backbone_soft="#22325A", head="#FFA45C", head_soft="#47311F",
    removed="#7E889B", removed_soft="#262E3D", good="#4FD1B0", bad="#FF8A80",
)  # fmt: skip

SERIES = {
    "light": (
        "#2456C8", "#D06C18", "#0B7F66", "#B8488F", "#A07D00",
        "#2E94CB", "#6B5BD2", "#8A3B12", "#5C6B80", "#C0283F",
    ),
    "dark": (
        "#7FA6FF", "#FFB26B", "#4FD1B0", "#F29AD0", "#E9D04F",
        "#6FCBF5", "#B7A6FF", "#D99A74", "#A9B6CC", "#FF8CA0",
    ),
}  # fmt: skip


def palette() -> Palette:
    """The colours of the theme this browser shows now."""
    return DARK if state.is_dark() else LIGHT


def style() -> str:
    """The `<style>` block every page starts with: the palette as CSS variables, then the few rules
    that the theme options of Streamlit do not reach."""
    variables = "".join(
        f"--hs-{name.replace('_', '-')}:{value};" for name, value in asdict(palette()).items()
    )
    # Streamlit's own words know one language; the rules put these in their place
    variables += "".join(f'--hs-{name}:"{t(f"shell.{name}")}";' for name in ("choose", "shoot"))
    return f"<style>:root{{{variables}}}{_rules()}</style>"


@cache
def _rules() -> str:
    return ASSETS.joinpath("style.css").read_text(encoding="utf-8")
