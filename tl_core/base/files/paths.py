"""Where things that outlive a run are kept, and whether a file is there.

Every place can be moved by an environment variable.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[3]
"""The folder that holds `tl_core` and `tl_ui`: a checkout, or where pip installs."""


def child_environment(**more: str) -> dict[str, str]:
    """This process's variables and `more`, for a Python that finds our packages wherever it is started."""
    path = os.pathsep.join(filter(None, (str(PACKAGES), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, **more}


def app_dir() -> Path:
    """The folder of `streamlit_app.py`, its pages and static files: a checkout's own, or the wheel's."""
    return PACKAGES if (PACKAGES / "streamlit_app.py").is_file() else PACKAGES / "tl_ui" / "app"


def cache_dir() -> Path:
    """Weights, practice pictures, probe results: all of it can be made again.

    `HEADSWAP_CACHE`, or `headswap` in the place where the system keeps such things.
    """
    return _place("HEADSWAP_CACHE", "headswap", mac="Caches", elsewhere=("XDG_CACHE_HOME", ".cache"))


def state_dir() -> Path:
    """Locks and tickets of what works just now: a few bytes that must stay when the cache is deleted.

    `HEADSWAP_STATE`, or the place where the system keeps such things.
    """
    elsewhere = ("XDG_STATE_HOME", ".local/state")
    return _place("HEADSWAP_STATE", "headswap-state", mac="Application Support", elsewhere=elsewhere)


def _place(variable: str, name: str, *, mac: str, elsewhere: tuple[str, str]) -> Path:
    if chosen := os.environ.get(variable):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / mac
    else:
        base = Path(os.environ.get(elsewhere[0]) or Path.home() / elsewhere[1])
    return base / name


def runs_dir() -> Path:
    """Run folders that pages make and list: `HEADSWAP_RUNS`, or `runs` in the current folder."""
    return Path(os.environ.get("HEADSWAP_RUNS") or "runs").expanduser().absolute()


def datasets_dir() -> Path:
    """Uploaded and unpacked pictures."""
    return cache_dir() / "datasets"


def data_roots() -> list[Path]:
    """Folders of pictures that the owner of a server offers to every browser: `HEADSWAP_DATA_ROOTS`, several
    divided as in PATH. Links are followed."""
    named = os.environ.get("HEADSWAP_DATA_ROOTS", "").split(os.pathsep)
    return [Path(root).expanduser().resolve() for root in named if root.strip()]


def class_dir() -> Path:
    """What a class leaves behind: answers by nickname, predictions. Beside the runs, since it cannot be
    made again; the leading dot keeps it out of the list of runs."""
    return runs_dir() / ".class"


def expanded(path: str | Path) -> Path:
    """With `~` filled in where there is such a home; `~nobody` stays as it was typed."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_file(path: Path) -> bool:
    """As `Path.is_file`, but where the system refuses to answer (a name too long, a place that may not
    be looked into) there is no file for us."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_dir(path: Path) -> bool:
    """The same of a folder."""
    try:
        return path.is_dir()
    except OSError:
        return False
