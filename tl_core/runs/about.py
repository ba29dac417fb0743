"""What people say about a run, beside what it is: RUN/about.json, written when somebody says something.

    {"title": "Ants, more dropout", "note": "try 30 epochs next", "is_helper": true}

Every entry may be missing. The folder keeps its name, so links, reports and other programs find it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tl_core.base.errors import RunDamaged
from tl_core.base.files.reading import read_json
from tl_core.runs.run_folder import RunFolder, write_json

FILE = "about.json"
MAX_TITLE = 80
MAX_NOTE = 2000
"""Characters kept of each."""


@dataclass(frozen=True)
class About:
    title: str = ""
    # what pages call the run; "" = its folder's name
    note: str = ""
    is_helper: bool = False
    # made to measure something for another run; nobody's own result


def read(run: RunFolder) -> About:
    """An empty one without the file, or when it cannot be read: a name is not worth a refusal."""
    path = run.path / FILE
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, RunDamaged):
        return About()


@lru_cache(maxsize=1024)
def _read(path: Path, _changed_ns: int) -> About:
    values = read_json(path) or {}
    return About(
        title=str(values.get("title") or "")[:MAX_TITLE],
        note=str(values.get("note") or "")[:MAX_NOTE],
        is_helper=values.get("is_helper") is True,
    )


def write(run: RunFolder, **changes: str | bool) -> About:
    """Lay `changes` over what is said. Raises: OutputUnwritable."""
    cut = {"title": MAX_TITLE, "note": MAX_NOTE}
    cleaned = {
        name: " ".join(value.split())[: cut[name]] if name == "title" and isinstance(value, str) else value
        for name, value in changes.items()
    }
    about = dataclasses.replace(read(run), **cleaned)  # type: ignore[arg-type]
    said = {name: value for name, value in dataclasses.asdict(about).items() if value}
    write_json(run.path / FILE, said)
    return about


def name_of(run: RunFolder) -> str:
    """What a person called it, else the folder's name."""
    return read(run).title or run.name
