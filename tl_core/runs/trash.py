"""Runs that were thrown away: moved aside within the runs folder, back again for `KEPT_DAYS`, then deleted.

RUNS/.trash/NAME/ is the whole run; its own `deleted.json` says when: {"deleted": seconds since 1970}.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tl_core.base.errors import RunDamaged, RunExists, RunNotFound
from tl_core.base.files.atomic import output_errors
from tl_core.base.files.reading import read_json
from tl_core.runs.run_folder import RunFolder, write_json

FOLDER = ".trash"
RECORD = "deleted.json"
KEPT_DAYS = 30


def throw_away(run: RunFolder) -> None:
    """Move the run aside. Whether it is at rest is the caller's to know.

    Raises: RunNotFound: gone meanwhile. OutputUnwritable.
    """
    place = run.path.parent / FOLDER
    with output_errors(run.path):
        place.mkdir(exist_ok=True)
        target = place / run.name
        if target.exists():  # an older one of the same name
            shutil.rmtree(target)
        if not run.path.is_dir():
            raise RunNotFound(path=run.path)
        write_json(run.path / RECORD, {"deleted": time.time()})
        run.path.rename(target)


def restore(root: Path, name: str) -> RunFolder:
    """Put it back among the runs in `root`. Raises: RunNotFound. RunExists: the name is taken again."""
    thrown = next((run for run, _ in list_thrown_away(root) if run.name == name), None)
    if thrown is None:
        raise RunNotFound(path=name)
    target = Path(root).absolute() / name
    if target.exists():
        raise RunExists(path=target)
    with output_errors(target):
        thrown.path.rename(target)
        (target / RECORD).unlink(missing_ok=True)
    return RunFolder(target)


def list_thrown_away(root: Path) -> list[tuple[RunFolder, float]]:
    """(run, when it was thrown away in seconds since 1970), the latest first."""
    try:
        entries = [RunFolder(path) for path in (Path(root).absolute() / FOLDER).iterdir() if path.is_dir()]
    except OSError:
        return []
    return sorted(((run, _deleted(run)) for run in entries), key=lambda pair: -pair[1])


def empty(root: Path, now: float | None = None) -> None:
    """Delete for good what was thrown away more than `KEPT_DAYS` ago."""
    oldest = (time.time() if now is None else now) - KEPT_DAYS * 86_400
    for run, deleted in list_thrown_away(root):
        if deleted < oldest:
            shutil.rmtree(run.path, ignore_errors=True)


def _deleted(run: RunFolder) -> float:
    """Without a record that can be read, the folder's own time."""
    try:
        return float((read_json(run.path / RECORD) or {})["deleted"])
    except (KeyError, TypeError, ValueError, RunDamaged):
        return run.path.stat().st_mtime
