"""Practice data, drawn by this project with a seed: the app does its main job with nothing downloaded.

`casting` are pump impellers under a camera, sound or with a defect, in `train|test/def_front|ok_front`.
`expression` are drawn faces of many people, `teasing` or `non_teasing`, without a split.
The same seed gives the same files.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from tl_core.base.errors import ConfigError
from tl_core.base.files.atomic import output_errors

__all__ = ["SAMPLES", "sample_cache", "sample_folder", "write_samples"]

SAMPLES = ("casting", "expression")

DRAWING_VERSION = 1
# raised whenever a seed draws something else than before: names the cached copy


def write_samples(
    name: str, out: Path, *, seed: int = 0, on_progress: Callable[[int, int], None] | None = None
) -> Path:
    """Draw the practice set `name` into the folder `out`, all of it or nothing.

    Args: seed: >= 0. on_progress: called with (pictures written, pictures in all).
    Raises: ConfigError: no such set, or a negative seed. RunExists: `out` holds something.
        OutputUnwritable: read-only folder or full disk.
    """
    _check_name(name)
    if seed < 0:
        raise ConfigError(name="seed", value=seed, need=">= 0")
    # Imported late: `tl_core` and `--help` stay light without OpenCV.
    module = importlib.import_module(f"tl_core.synthetic.practice.{name}")
    writing = importlib.import_module("tl_core.synthetic.practice.writing")
    about = (
        f"Practice data set '{name}', drawn by Headswap (no photographs), seed {seed}, "
        f"drawing version {DRAWING_VERSION}.\n{module.ABOUT}"
    )
    return writing.write_set(module.shots(seed), Path(out), about=about, on_progress=on_progress)


def sample_folder(name: str) -> Path:
    """Where the copy of the set that everybody on this machine shares lies, or will.

    Raises: ConfigError: no such set.
    """
    from tl_core.base.files.paths import cache_dir

    _check_name(name)
    return cache_dir() / "samples" / f"{name}-v{DRAWING_VERSION}"


def sample_cache(name: str, *, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """The set with seed 0 in the cache folder; drawn on the first call, found on every later one. Who asks
    while another draws waits for that drawing.

    Raises: as `write_samples`.
    """
    folder = sample_folder(name)
    if _is_drawn(folder):
        return folder
    from filelock import FileLock

    with output_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not _is_drawn(folder):
                write_samples(name, folder, on_progress=on_progress)
    return folder


def _is_drawn(folder: Path) -> bool:
    return (folder / "README.txt").is_file()


def _check_name(name: str) -> None:
    if name not in SAMPLES:
        raise ConfigError(name="sample-data", value=name, need="|".join(SAMPLES))
