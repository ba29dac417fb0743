"""The numbers of `benchmarks.transfer`: kept in a log that a later run goes on from, laid out as tables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from benchmarks.harness import table


@dataclass
class Scores:
    """What was measured, by (set, way, seed); kept in `log`, so that a long run can be gone on with."""

    log: Path | None
    found: dict[tuple[str, str, int], float] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.log and self.log.is_file():
            for line in self.log.read_text().splitlines():
                self._take(**json.loads(line))

    def _take(self, name: str, way: str, seed: int, score: float, cpu: float) -> None:
        self.found[name, way, seed] = score
        self.cpu.setdefault(way, []).append(cpu)

    def add(self, **measured: Any) -> dict[str, Any]:
        self._take(**measured)
        if self.log:
            with self.log.open("a") as file:
                file.write(json.dumps(measured) + "\n")
        return measured

    def of(self, name: str, way: str) -> dict[int, float]:
        return {seed: s for (n, w, seed), s in sorted(self.found.items()) if (n, w) == (name, way)}

    def lead(self, name: str, way: str, other: str) -> list[float]:
        """Points by which `way` is ahead of `other`, seed by seed."""
        ours, theirs = self.of(name, way), self.of(name, other)
        return [ours[seed] - theirs[seed] for seed in ours if seed in theirs]


def lines(sets: dict[str, int], ways: list[str], scores: Scores, px: int) -> list[str]:
    """One row per set, one column per way; then how far the first way is ahead.

    sets: the number of pictures in each.
    """
    rows, leads, middle = [], [], []
    first, *others = ways
    for name, num in sets.items():
        found = [list(scores.of(name, way).values()) for way in ways]
        rows.append([f"{name} ({num})", *map(spread, found)])
        leads.append([name, *(ahead(scores.lead(name, first, way)) for way in others)])
    for way in others:
        means = [mean(lead) for name in sets if (lead := scores.lead(name, first, way))]
        middle.append(f"{median(means):+.1f}" if means else "–")
    cost = [f"{way}: {median(scores.cpu[way]):.0f}" for way in ways if way in scores.cpu]
    return [
        f"{px} px. Balanced accuracy in percent on held-out pictures, mean ± deviation over the seeds.",
        "",
        *table(["set (pictures)", *ways], rows),
        "",
        f"Points by which “{first}” is ahead, mean over the seeds, and in how many of them it is ahead:",
        "",
        *table(["set", *others], [*leads, ["**median**", *middle]]),
        "",
        f"CPU seconds for one number, median: {'; '.join(cost)}.",
    ]


def spread(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.1f}" if values else "–"
    return f"{mean(values):.1f} ± {stdev(values):.1f}"


def ahead(lead: list[float]) -> str:
    return f"{mean(lead):+.1f} ({sum(x > 0 for x in lead)} of {len(lead)})" if lead else "–"
