"""The training curves of a report as SVG inside the page: sharp on paper, in the person's language."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from tl_core.runs.plots import MUTED, TRAIN, VALIDATION

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 16, 34
# room for the axes, in the units of WIDTH and HEIGHT
COLUMNS = {"accuracy": "acc", "loss": "loss"}


def curve_svg(log: dict[str, Any], metric: str, t: Callable[..., str]) -> str:
    """Both stages of one metric on one epoch axis; accuracy always on 0 to 100 %. "" without an epoch.

    Args: log: as in logs/training_log.json. metric: "accuracy" or "loss".
    """
    stages = [log.get(f"stage{number}") or {} for number in (1, 2)]
    lines = {part: _values(stages, f"{part}_{COLUMNS[metric]}") for part in ("train", "val")}
    num = max(len(values) for values in lines.values())
    if not num:
        return ""
    known = [value for values in lines.values() for value in values if value is not None]
    top = 1.0 if metric == "accuracy" else 1.08 * max([*known, 0.1])
    parts = _grid(top, num, metric, t)
    boundary = len(stages[0].get(f"val_{COLUMNS[metric]}") or [])
    if 0 < boundary < num:
        x = _x(boundary + 0.5, num)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{MUTED}"/>')
        label = escape(t("stage_boundary"))
        parts.append(f'<text x="{x + 3:.1f}" y="{TOP - 4}" class="small">{label}</text>')
    for part, colour, dash in (("train", TRAIN, "5 4"), ("val", VALIDATION, "none")):
        dots = [(_x(i + 1, num), _y(v, top)) for i, v in enumerate(lines[part]) if v is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        look = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{path}" {look}/>')
        if len(dots) == 1:
            parts.append(f'<circle cx="{dots[0][0]:.1f}" cy="{dots[0][1]:.1f}" r="3" fill="{colour}"/>')
    title = escape(t(f"curve_{metric}"), quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{"".join(parts)}</svg>'


def _values(stages: list[dict[str, Any]], column: str) -> list[float | None]:
    return [value for stage in stages for value in stage.get(column) or []]


def _grid(top: float, num: int, metric: str, t: Callable[..., str]) -> list[str]:
    parts = []
    for step in range(5):
        value = top * step / 4
        y = _y(value, top)
        words = f"{value:.0%}" if metric == "accuracy" else f"{value:.2f}"
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end" class="small">{words}</text>')
    for epoch in sorted({1, num, *range(5, num, max(5, num // 6))}):
        x = _x(epoch, num)
        y = HEIGHT - BOTTOM + 14
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle" class="small">{epoch}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    label = escape(t("epoch"))
    parts.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle" class="small">{label}</text>')
    return parts


def _x(epoch: float, num: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (epoch - 0.5) / num


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(value / top, 1.0)
