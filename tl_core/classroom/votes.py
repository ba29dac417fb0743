"""What the class predicted: one vote per learner, counted per option.

Votes older than a lesson are forgotten, so that the next class starts at nought and a file stays small.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import filelock

from tl_core.base.errors import OutputUnwritable, RunDamaged
from tl_core.base.files.atomic import output_errors, write_json
from tl_core.base.files.paths import class_dir
from tl_core.base.files.reading import read_json

WINDOW_HOURS = 3.0
"""A double lesson with its break; what is older belongs to another class."""
MAX_VOTES = 2000
LOCK_SECONDS = 10.0


def vote(step: str, voter: str, option: str, now: float | None = None) -> dict[str, int]:
    """Count `option` for `voter`, whose first vote stays; returns the counts per option.

    Args: voter: any id that is the same for the same learner. now: seconds since 1970.
    Raises: OutputUnwritable: read-only folder, full disk, or another writer that never lets go.
    """
    path, moment = _path(step), time.time() if now is None else now
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
                votes = _recent(path, moment)
                if voter not in votes and len(votes) < MAX_VOTES:
                    votes[voter] = (option, moment)
                    write_json(path, {"votes": votes})
                return _count(votes.values())
        except filelock.Timeout as error:
            raise OutputUnwritable(path=path, reason="os_error", detail="locked") from error


def counts(step: str, now: float | None = None) -> dict[str, int]:
    """Votes per option of the last hours; {} when nobody voted. Raises: ValueError: no such step."""
    return _count(_recent(_path(step), time.time() if now is None else now).values())


def _path(step: str) -> Path:
    """Raises: ValueError: no step is called so; its name becomes a file's."""
    if not re.fullmatch(r"[a-z_]{1,40}", step):
        raise ValueError(f"no step: {step}")
    return class_dir() / "tally" / f"{step}.json"


def _count(votes: Iterable[tuple[str, float]]) -> dict[str, int]:
    return dict(Counter(option for option, _ in votes))


def _recent(path: Path, now: float) -> dict[str, tuple[str, float]]:
    try:
        votes = (read_json(path) or {})["votes"].items()
        return {
            str(voter): (str(option), float(moment))
            for voter, (option, moment) in votes
            if now - float(moment) < 3600 * WINDOW_HOURS
        }
    except (RunDamaged, ValueError, TypeError, KeyError, AttributeError):
        return {}
