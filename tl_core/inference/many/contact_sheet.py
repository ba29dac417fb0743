"""The pictures that the model is unsure of, small and side by side, to be looked through by a person."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from tl_core.base.files.atomic import write_atomic
from tl_core.base.messages import FALLBACK, say
from tl_core.base.percent import percent
from tl_core.data.pixels.thumbnail import thumbnail

SHEET = "contact-sheet.html"
MOST = 500
"""Pictures on the sheet, the least sure first: about 4 MB."""
THUMB_PX = 160
STYLE = (
    "body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;color-scheme:light dark}"
    "main{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:1rem}"
    "figure{margin:0;break-inside:avoid}img{width:100%;height:10rem;object-fit:contain}"
    "figcaption{overflow-wrap:anywhere}small{opacity:.75}"
)


@dataclass
class ContactSheet:
    """Keeps names and answers alone until it is written, of the least sure ones only."""

    num: int = 0
    _least: list[tuple[float, int, Path, dict[str, Any]]] = field(default_factory=list)

    def add(self, file: Path, answer: dict[str, Any], confidence: float) -> None:
        self.num += 1
        entry = (-confidence, -self.num, file, answer)  # the surest is the smallest, and goes first
        push = heapq.heappush if len(self._least) < MOST else heapq.heappushpop
        push(self._least, entry)

    def write(self, path: Path, sure_from: float, language: str = FALLBACK) -> None:
        """One page, complete in itself. Raises: OutputUnwritable."""
        write_atomic(path, "".join(self._pieces(sure_from, language)))

    def _pieces(self, sure_from: float, language: str) -> Iterator[str]:
        shown = sorted(self._least, reverse=True)
        values = {"count": self.num, "limit": percent(sure_from, 0), "shown": len(shown)}
        title, lead = (say(f"sheet.{key}", language, **values) for key in ("title", "lead"))
        yield f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{escape(title)}</title>'
        yield f"<style>{STYLE}</style><h1>{escape(title)}</h1><p>{escape(lead)}</p>"
        if len(shown) < self.num:
            yield f"<p>{escape(say('sheet.more', language, **values))}</p>"
        yield "<main>"
        for _, _, file, answer in shown:
            best = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])[:2]
            words = " · ".join(f"{name} {percent(p, 0)}" for name, p in best)
            yield f'<figure><img alt="" src="{thumbnail(file, THUMB_PX)}"><figcaption>{escape(words)}<br>'
            yield f"<small>{escape(answer['file'])}</small></figcaption></figure>"
        yield "</main></html>\n"
