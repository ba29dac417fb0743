"""A run's folder: create it, find it, read it. It is complete in itself and readable without us.

RUN/config.json  status.json  STOP (a request)  worker.lock
    logs/  models/  metrics/  plots/
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import re
import threading
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from tl_core.base.config import RunConfig
from tl_core.base.errors import ConfigError, RunDamaged, RunExists, RunNotFound
from tl_core.base.files.atomic import output_errors, sweep, to_json, write_atomic, write_json
from tl_core.base.files.file_names import readable
from tl_core.base.files.paths import expanded, is_file, runs_dir
from tl_core.base.files.reading import read_json
from tl_core.runs import record_shapes
from tl_core.runs.event_log import EventLog, EventWriter

__all__ = [
    "EventLog",
    "EventWriter",
    "RunFolder",
    "create",
    "find",
    "list_runs",
    "new_path",
    "open_run",
    "read_table",
    "to_json",
    "write_atomic",
    "write_json",
]

FOLDERS = ("logs", "models", "metrics", "plots")
MAX_NAME = 40
"""Characters of a run's own name; Windows' limit of 260 for a whole path is near otherwise."""
YEARS = range(1971, 9999)
"""In which a run can have been made; nearer to the calendar's ends no local time can be told."""
_status_lock = threading.Lock()
# heartbeat thread and training thread of one process write the same status


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @property
    def name(self) -> str:
        """As people read it, and as it is looked up: a folder may be called by bytes that are no text."""
        return readable(self.path.name)

    @property
    def config_path(self) -> Path:
        return self.path / "config.json"

    @property
    def status_path(self) -> Path:
        return self.path / "status.json"

    @property
    def stop_path(self) -> Path:
        return self.path / "STOP"

    @property
    def lock_path(self) -> Path:
        return self.path / "worker.lock"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def events_path(self) -> Path:
        return self.logs / "events.jsonl"

    @property
    def worker_log_path(self) -> Path:
        return self.logs / "worker.log"

    @property
    def training_log_path(self) -> Path:
        return self.logs / "training_log.json"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def last_checkpoint(self) -> Path:
        return self.models / "last.pt"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics"

    @property
    def summary_path(self) -> Path:
        return self.metrics / "summary.json"

    @property
    def predictions_path(self) -> Path:
        return self.metrics / "predictions.csv"

    @property
    def pictures_path(self) -> Path:
        return self.metrics / "pictures.csv"

    @property
    def plots(self) -> Path:
        return self.path / "plots"

    def read_config(self) -> dict[str, Any]:
        """config.json; a setting that it lacks, an older run's, has its default. Raises: RunNotFound,
        RunDamaged."""
        config = read_json(self.config_path, record_shapes.Config)
        if config is None:
            raise RunNotFound(path=self.path)
        numbers = list(config.get("class_to_idx", {}).values())
        if numbers != list(range(len(numbers))):
            raise RunDamaged(file=self.config_path, detail=f"class_to_idx: {numbers}")
        return {**config, **self._settings(config).to_dict()}

    def settings(self) -> RunConfig:
        """The settings out of config.json, which holds more. Raises: RunNotFound, RunDamaged."""
        return self._settings(self.read_config())

    def data(self) -> Path:
        """Where the pictures lie that it learns from, as it was told. Raises: RunNotFound, RunDamaged."""
        return Path(str(self.read_config().get("data")))

    def _settings(self, config: dict[str, Any]) -> RunConfig:
        known = {f.name for f in dataclasses.fields(RunConfig)}
        try:
            return RunConfig.from_dict({k: v for k, v in config.items() if k in known})
        except ConfigError as error:
            raise RunDamaged(file=self.config_path, detail=error) from None

    def read_status(self) -> dict[str, Any]:
        """{} when there is none (yet), or none that can be read: whether the run is alive is
        asked of its lock (`tl_core.jobs.local.state`), not of this file."""
        try:
            return read_json(self.status_path, record_shapes.Status) or {}
        except RunDamaged:
            return {}

    def write_status(self, **values: Any) -> None:
        """Lays `values` over what the status says. Raises: OutputUnwritable."""
        with _status_lock:
            write_json(self.status_path, {**self.read_status(), **values})

    def read_summary(self) -> dict[str, Any] | None:
        """None before the run has finished. Raises: RunDamaged."""
        summary = read_json(self.summary_path, record_shapes.Summary)
        if summary is not None and (detail := record_shapes.contradiction(summary)):
            raise RunDamaged(file=self.summary_path, detail=detail)
        return summary

    def read_training_log(self) -> dict[str, Any]:
        """{"stage1": {"train_loss": [...], ...}, "stage2": ...}; {} when it is gone or damaged."""
        try:
            return read_json(self.training_log_path, record_shapes.TrainingLog) or {}
        except RunDamaged:
            return {}

    def make_ready(self) -> None:
        """Before work: folders that a person has deleted are made, so that a run whose models are gone can be
        begun anew, and what a killed process left half-written is deleted.

        Raises: OutputUnwritable.
        """
        with output_errors(self.path):
            for name in FOLDERS:
                (self.path / name).mkdir(exist_ok=True)
        sweep(self.path)

    def created(self) -> float:
        """Seconds since 1970; 0 when the configuration cannot be read."""
        try:
            return _created(self.config_path, self.config_path.stat().st_mtime_ns)
        except OSError:
            return 0.0


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of predictions.csv or pictures.csv; [] when it is gone or no table."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def create(path: Path, config: dict[str, Any], files: Mapping[str, bytes] | None = None) -> RunFolder:
    """A new run, not yet started. `created` (ISO 8601, UTC) is added to its configuration.

    files: what else it is to hold from the beginning, by name.
    Raises: RunExists: `path` holds something, or another process makes a run there. OutputUnwritable.
    """
    folder = RunFolder(expanded(path).absolute())
    with output_errors(folder.path):
        if folder.path.is_file() or (folder.path.is_dir() and any(folder.path.iterdir())):
            raise RunExists(path=folder.path)
        try:
            for name in FOLDERS:
                (folder.path / name).mkdir(parents=True)
        except FileExistsError:
            raise RunExists(path=folder.path) from None
    created = datetime.now(UTC).isoformat(timespec="milliseconds")
    # the configuration last: whoever lists runs by it finds a whole one
    folder.write_status(state="queued", pid=None, created=None, launched=None, error=None)
    for name, content in (files or {}).items():
        write_atomic(folder.path / name, content)
    write_json(folder.config_path, {"created": created, **config})
    return folder


def new_path(name: str) -> Path:
    """A new, empty folder among the runs, sorted by time: `20260131-142501-casting`. Of `name` only
    letters, digits, "-" and "_" are kept, so nothing a person types leads out of the folder.

    It is made here, so that of thirty who start in the same second each has one.
    Raises: RunExists, OutputUnwritable.
    """
    words = re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", name))[:MAX_NAME].strip("-_")
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{words or 'run'}"
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        path = runs_dir() / f"{stem}{suffix}"
        with output_errors(path), contextlib.suppress(FileExistsError):
            path.mkdir(parents=True)
            return path
    raise RunExists(path=runs_dir() / stem)


def open_run(path: Path) -> RunFolder:
    """Raises: RunNotFound. RunDamaged: there may be one, but it may not be looked into."""
    folder = RunFolder(expanded(path).absolute())
    try:
        folder.config_path.stat()
    except PermissionError as error:
        raise RunDamaged(file=folder.config_path, detail=error.strerror or error) from None
    except (OSError, ValueError):
        raise RunNotFound(path=path) from None
    return folder


def list_runs(root: Path) -> list[RunFolder]:
    """The runs directly inside `root`, newest first; [] when there is no such folder."""
    try:
        entries = [RunFolder(path) for path in Path(root).absolute().iterdir()]
    except OSError:
        return []
    runs = [run for run in entries if not run.name.startswith(".") and is_file(run.config_path)]
    return sorted(runs, key=lambda run: (run.created(), run.name), reverse=True)


def find(root: Path, name: str) -> RunFolder:
    """The run called `name`, looked up in the listing: a name from an address bar never becomes
    a path. Raises: RunNotFound."""
    for run in list_runs(root):
        if run.name == name:
            return run
    raise RunNotFound(path=name)


@lru_cache(maxsize=4096)
def _created(config_path: Path, _changed_ns: int) -> float:
    try:
        written = (read_json(config_path) or {}).get("created", "")
        moment = datetime.fromisoformat(written)
        if moment.year in YEARS:
            return moment.timestamp()
    except (RunDamaged, TypeError, ValueError):
        pass
    return config_path.stat().st_mtime
