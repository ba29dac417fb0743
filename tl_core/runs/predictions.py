"""Reading metrics/predictions.csv: what each stage of a run said of each picture.

One row a picture, stage and split, with `p_<class>` for every class; the stage `before` is the network with
its new head before training. Under cross-validation the reported rows carry the stage `final`: each fold's
own best.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tl_core.base import stages
from tl_core.runs.run_folder import RunFolder, read_table

EVALUATED = (stages.BEFORE, *stages.STAGES)
FINAL = "final"
CROSS_VALIDATION = "cross_validation"
COLUMNS = {"file", "truth", "predicted", "split", "stage"}

Row = dict[str, str]


def read(run: RunFolder) -> list[Row]:
    """Every row that is whole; [] when the file is gone or no such table."""
    rows = [row for row in read_table(run.predictions_path) if None not in row.values()]
    return rows if rows and rows[0].keys() >= COLUMNS else []


def stage_in_table(stage: str, split: str) -> str:
    """The name under which the answers of `stage`, a run's final one, to `split` stand in the table."""
    return FINAL if split == CROSS_VALIDATION else stage


def select(rows: Iterable[Row], stage: str, split: str) -> list[Row]:
    return [row for row in rows if (row["stage"], row["split"]) == (stage, split)]


def reported(rows: Iterable[Row], summary: dict[str, Any]) -> list[Row]:
    """Those behind the score that the run stands for."""
    stage, split = summary["reported"]["stage"], summary["reported"]["split"]
    return select(rows, stage_in_table(stage, split), split)


def confidence(row: Row) -> float:
    """Probability of the answer."""
    return float(row[f"p_{row['predicted']}"])
