"""Colours that mean something, for HTML, pictures and charts: one palette per theme.

Blue is what is kept (the backbone), orange what is new (the head), grey what is taken away; validation is
green. The series colours come from `.streamlit/config.toml`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from tl_ui import state

ASSETS = Path(__file__).with_name("assets")
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
        chosen = st.get_option(f"theme.{theme}.chartCategoricalColors")
        # started from another folder, Streamlit does not find the project's settings
        return list(chosen or [self.backbone, self.head, self.good, self.bad, self.removed])


LIGHT = Palette(
    ink="#1B2434", muted="#667082", line="#E2DFD6", page="#FBFAF7", card="#FFFFFF",
    backbone="#2456C8", backbone_soft="#E3EBFB", head="#C75A0A", head_soft="#FCE9D7",
    removed="#8A90A0", removed_soft="#ECEBE7", good="#0B7F66", bad="#C03434",
)  # fmt: skip
DARK = Palette(
    ink="#E9EDF5", muted="#9AA5B9", line="#313B50", page="#131926", card="#1A2232",
    backbone="#7FA6FF", backbone_soft="#22325A", head="#FFA45C", head_soft="#47311F",
    removed="#7E889B", removed_soft="#262E3D", good="#4FD1B0", bad="#FF8A80",
)  # fmt: skip


def palette() -> Palette:
    """The colours of the theme this browser shows now."""
    return DARK if state.is_dark() else LIGHT


def style() -> str:
    """The `<style>` block every page starts with: the palette as CSS variables, then the few rules
    that the theme options of Streamlit do not reach."""
    variables = "".join(
        f"--hs-{name.replace('_', '-')}:{value};" for name, value in asdict(palette()).items()
    )
    return f"<style>:root{{{variables}}}{_rules()}</style>"


@cache
def _rules() -> str:
    return ASSETS.joinpath("style.css").read_text(encoding="utf-8")
