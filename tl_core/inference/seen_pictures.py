"""Which pictures a run has seen: it was trained on them, or chose its best epoch by them."""

from __future__ import annotations

from pathlib import Path

from tl_core.data import folders
from tl_core.runs import predictions
from tl_core.runs.run_folder import RunFolder, read_table

PARTS = ("train", "val")


def pictures_used_for_training(run: RunFolder) -> set[Path]:
    """Where they lie; nothing where the run's data has gone. Raises: RunNotFound, RunDamaged."""
    found = folders.paths_of(run.data())
    used = {row["file"] for row in predictions.read(run) if row["split"] in PARTS}
    return {path.resolve() for name, path in found.items() if name in used}


def pixels(run: RunFolder) -> set[str]:
    """Their `pixels_hash` as squares of the run's size, by which a copy is known too; nothing in a run
    from before metrics/pictures.csv."""
    return {row["pixels"] for row in read_table(run.pictures_path) if row.get("split") in PARTS}
