"""The data sets this server can offer: the two practice sets and copies of them, uploads, and folders
somebody typed.

An id in the address bar (`?data=casting`) is looked up here. Uploads and copies live in the cache folder
under an id nobody can guess; a typed folder stays where it is and only its path is written down.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

from filelock import FileLock

from tl_core.base.atomic import output_errors
from tl_core.base.errors import RegisterDamaged, RunDamaged, TlError
from tl_core.base.paths import datasets_dir, expanded
from tl_core.base.reading import misfit, read_json
from tl_core.runs.run_folder import write_json
from tl_core.synthetic.practice import SAMPLES, sample_folder


@dataclass(frozen=True)
class DataChoice:
    id: str
    kind: str
    # sample, copy (of a sample), folder or upload
    label: str
    # what the person called it; of a practice set and its copies the set's id, translated by the page
    path: Path | None
    # None: a practice set; `folder_of` draws it on first use


def find(data_id: str) -> DataChoice | None:
    """The data set with this id; None when this server has none such."""
    if data_id in SAMPLES:
        return DataChoice(data_id, "sample", data_id, None)
    try:
        entry = _read_register().get(data_id)
    except RegisterDamaged:
        return None
    if misfit(entry, Entry):
        return None
    return DataChoice(data_id, entry["kind"], entry["label"], Path(entry["path"]))


def folder_of(choice: DataChoice, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """Where its pictures are; a practice set is drawn into the cache first, telling (done, total)."""
    if choice.path is not None:
        return choice.path
    from tl_core.synthetic.practice import sample_cache

    return sample_cache(choice.id, on_progress=on_progress)


def add_folder(path: Path) -> DataChoice:
    """Write down a folder (or zip) the person typed; the same path keeps its id."""
    path = expanded(path).absolute()
    data_id = "f" + hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return _register(DataChoice(data_id, "folder", path.name or str(path), path))


def add_zip(name: str, file: BinaryIO) -> DataChoice:
    """Unpack an uploaded zip.

    Raises: BadArchive: broken, dangerous or too large. DataError: no pictures to train on, as `scan` says.
    """
    from tl_core.data.archives import unpack_zip

    data_id = "u" + secrets.token_hex(8)
    path = unpack_zip(file, datasets_dir() / data_id, name)
    return _register_usable(DataChoice(data_id, "upload", Path(name).stem, path), name)


def add_folder_upload(files: Iterable[tuple[str, BinaryIO]]) -> DataChoice:
    """Save a folder chosen in the browser; names are untrusted. Raises: as `add_zip`."""
    from tl_core.data.archives import save_upload

    files = list(files)
    data_id = "u" + secrets.token_hex(8)
    path = save_upload(files, datasets_dir() / data_id)
    label = files[0][0].replace("\\", "/").strip("/").split("/")[0] if files else data_id
    return _register_usable(DataChoice(data_id, "upload", label, path), label)


def _register_usable(choice: DataChoice, name: str) -> DataChoice:
    """Write an upload down if it can be trained on; one that cannot leaves nothing behind.

    Args: name: what an error calls it; where it lay on the server helps nobody.
    Raises: DataError.
    """
    from tl_core.data.folders import scan

    assert choice.path is not None
    try:
        scan(choice.path)
    except TlError as error:
        shutil.rmtree(choice.path, ignore_errors=True)
        values = error.values | ({"path": name} if "path" in error.values else {})
        raise type(error)(**values) from None
    return _register(choice)


def add_copy(name: str) -> DataChoice:
    """A copy of a practice set for one person, with whatever was decided about it so far; the files keep
    their times. Raises: OutputUnwritable."""
    data_id = "u" + secrets.token_hex(8)
    path = datasets_dir() / data_id / name
    with output_errors(path):
        try:
            shutil.copytree(sample_folder(name), path)
        except OSError:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
    return _register(DataChoice(data_id, "copy", name, path))


def practice_set_at(path: Path) -> str | None:
    """The practice set whose shared pictures lie at `path`; None elsewhere."""
    return next((name for name in SAMPLES if sample_folder(name).resolve() == path.resolve()), None)


def practice_set_of(choice: DataChoice) -> str | None:
    """The practice set that was chosen, itself or a copy; None of a person's own pictures."""
    return choice.label if choice.kind in ("sample", "copy") else None


def _register_file() -> Path:
    return datasets_dir() / "register.json"


class Entry(TypedDict):
    kind: str
    label: str
    path: Path


def _read_register() -> dict[str, Any]:
    """Raises: RegisterDamaged: kept as it is, for whoever can mend it."""
    file = _register_file()
    try:
        return read_json(file) or {}
    except RunDamaged as error:
        raise RegisterDamaged(file=file, detail=error.values["detail"]) from None


def _register(choice: DataChoice) -> DataChoice:
    """Raises: RegisterDamaged, OutputUnwritable."""
    file = _register_file()
    with output_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):  # two browsers may add one at the same moment
        entries = _read_register()
        entries[choice.id] = {"kind": choice.kind, "label": choice.label, "path": str(choice.path)}
        write_json(file, entries)
    return choice
