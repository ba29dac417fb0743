"""What each beginning is worth on a person's pictures, measured and said."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tl_core.base.config import DEFAULT_PRESET, preset
from tl_core.base.messages import FALLBACK, say
from tl_core.base.percent import percent
from tl_core.cli.progress import bar
from tl_core.cli.text_table import table
from tl_core.models.families.registry import architecture

CLEAR = 0.05
"""A lead that comes by chance more often than this is said to be one that may."""


def measure(data: Path, seed: int | None, language: str, *, names_sources: bool = True) -> dict[str, Any]:
    """{"rows": [{"source", "backbone", "is_baseline", "balanced_accuracy", "interval"}, …] best first,
    "recommended", "points", "second", "chance", "baseline", "points_over_baseline", "beats_baseline",
    "unusable", "num_pictures", "num_groups", "num_kept_back", "folds", "seconds"}.

    seed: of the run that is to follow, whose test part is kept back; None = the usual one.
    names_sources: say on standard error whose turn it is; what is done first is said in any case.
    Raises: DataError.
    """
    from tl_core.data import folders

    folders.refuse_too_few(folders.scan(data))
    _tell(say("probe.begins", language))  # before what takes seconds to load
    from tl_core.data.prepare import prepare
    from tl_core.evaluation import linear_probe

    started = time.perf_counter()
    config = preset(DEFAULT_PRESET, **({} if seed is None else {"seed": seed}))
    with bar(language, "reading") as on_progress:
        prepared = prepare(
            data,
            image_px=config.image_px,
            seed=config.seed,
            val_fraction=config.val_fraction,
            test_fraction=config.test_fraction,
            on_progress=on_progress,
        )
    with bar(language, "looking") as on_progress:
        named: list[str] = []

        def on_step(source: str, done: int, total: int) -> None:
            on_progress(done, total)
            if names_sources and source not in named:
                named.append(source)
                _tell(f"  {source} …")

        found = linear_probe.probe(prepared, seed=config.seed, on_step=on_step)
    best, second = found.recommended, found.second
    return {
        "rows": [
            {
                "source": row.source,
                "backbone": row.backbone,
                "is_baseline": row.is_baseline,
                "balanced_accuracy": row.balanced_accuracy,
                "interval": row.interval,
            }
            for row in found.rows
        ],
        "recommended": best.source if best else None,
        "points": found.points_over(second),
        "second": second.source if second else None,
        "chance": found.chance_over(second) if best and second else None,
        "baseline": found.baseline.source,
        "points_over_baseline": found.points_over(found.baseline),
        "beats_baseline": found.beats_baseline,
        "unusable": [
            {"source": source, "message": error.message(language)} for source, error in found.unusable.items()
        ],
        "num_pictures": len(found.truth),
        "num_groups": found.num_groups,
        "num_kept_back": found.num_kept_back,
        "folds": found.num_folds,
        "seconds": time.perf_counter() - started,
    }


def _tell(line: str) -> None:
    tqdm.write(line, file=sys.stderr)
    sys.stderr.flush()


def text(found: dict[str, Any], language: str = FALLBACK) -> str:
    """The same for a person: the table, what is recommended, and what to doubt."""

    def word(key: str, **values: Any) -> str:
        return say(f"probe.{key}", language, **values)

    counts = {"num": found["num_pictures"], "groups": found["num_groups"], "folds": found["folds"]}
    rows = [["", "", word("columns")]]
    for row in found["rows"]:
        name = word(row["source"]) if row["is_baseline"] else architecture(row["backbone"]).label
        low, high = (percent(bound) for bound in row["interval"])
        rows.append([row["source"], name, f"{percent(row['balanced_accuracy'])} ({low} – {high})"])
    lines = [word("title", **counts), "", *table(rows), "", *_advice(found, word)]
    if found["num_kept_back"]:
        lines.append(word("kept_back", count=found["num_kept_back"]))
    if found["unusable"]:
        told = [f"  {one['message']}" for one in found["unusable"]]
        lines += ["", word("unusable"), *told]
    return "\n".join(lines)


def _advice(found: dict[str, Any], word: Any) -> list[str]:
    source, points = found["recommended"], found["points"]
    if source is None:
        return [word("none")]
    if points < 0:
        lines = [word("behind", source=source, points=f"{-points:.1f}")]
    else:
        lines = [word("recommended", source=source, points=f"{points:.1f}", second=found["second"])]
        if found["chance"] > CLEAR:
            lines.append(word("chance", p=f"{found['chance']:.2f}"))
    name = word(found["baseline"])
    if found["beats_baseline"]:
        return [*lines, word("beaten", name=name, points=f"{found['points_over_baseline']:.1f}")]
    score = {row["source"]: percent(row["balanced_accuracy"]) for row in found["rows"]}
    return [*lines, word("warning", name=name, theirs=score[found["baseline"]], ours=score[source])]
