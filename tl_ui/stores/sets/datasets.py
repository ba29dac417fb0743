"""The data sets this server can offer: the two practice sets and copies of them, uploads, and folders
somebody typed.

An id in the address bar (`?data=casting`) is looked up here. Uploads and copies live in the cache folder
under an id nobody can guess; a typed folder stays where it is and only its path is written down.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

from filelock import FileLock

from tl_core.base.errors import NoReadableImages, RegisterDamaged, RunDamaged, TlError
from tl_core.base.files.atomic import output_errors
from tl_core.base.files.file_names import composed
from tl_core.base.files.paths import datasets_dir, expanded
from tl_core.base.files.reading import misfit, read_json
from tl_core.runs.run_folder import write_json
from tl_core.synthetic.practice import SAMPLES, sample_folder

KEPT_DAYS = 30
"""How long a deleted upload can be had back."""
_UPLOAD_ID = re.compile("u[0-9a-f]{16}")
MAX_LABEL = 60
"""Characters of a name."""


@dataclass(frozen=True)
class DataChoice:
    id: str
    kind: str
    # sample, copy (of a sample), folder or upload
    label: str
    # what the person called it; of a practice set and its copies the set's id, translated by the page
    path: Path | None
    # None: a practice set; `folder_of` draws it on first use
    origin: Path | None = None
    # whose copy it is; None where it is none


def find(data_id: str) -> DataChoice | None:
    """The data set with this id; None when this server has none such."""
    if data_id in SAMPLES:
        return DataChoice(data_id, "sample", data_id, None)
    return next((choice for choice in own() if choice.id == data_id), None)


def _entries() -> dict[str, Entry]:
    """Those that can be read, in the order they were added."""
    try:
        register = _read_register()
    except RegisterDamaged:
        return {}
    return {data_id: entry for data_id, entry in register.items() if not misfit(entry, Entry)}


def _choice(data_id: str, entry: Entry) -> DataChoice:
    origin = Path(entry["origin"]) if "origin" in entry else None
    if origin is None and entry["kind"] == "copy" and entry["label"] in SAMPLES:
        origin = sample_folder(entry["label"])
    return DataChoice(data_id, entry["kind"], entry["label"], Path(entry["path"]), origin)


def own() -> list[DataChoice]:
    """Uploads, copies and typed folders on this server, the latest first."""
    entries = reversed(_entries().items())
    return [_choice(data_id, entry) for data_id, entry in entries if "deleted" not in entry]


def at(path: Path) -> DataChoice | None:
    """The one whose pictures lie at `path`; None of a practice set and of what nobody added."""
    return next((choice for choice in own() if choice.path == path), None)


def rename(data_id: str, label: str) -> None:
    """Call it otherwise; the folder keeps its name. An empty name changes nothing. Raises: as `_change`."""
    if words := " ".join(label.split())[:MAX_LABEL]:
        _change(data_id, label=words)


def delete(data_id: str) -> None:
    """Forget it. What was uploaded or copied stays for `KEPT_DAYS`, in which `restore` brings it back; a
    typed folder is never touched. Raises: as `_change`."""
    _change(data_id, deleted=time.time())


def remove(data_id: str) -> None:
    """At once and for good: an upload that was refused after all. Raises: as `_change`."""
    shutil.rmtree(datasets_dir() / data_id, ignore_errors=True)
    _change(data_id, drop=True)


def note_sender(data_id: str, sender: str) -> None:
    """By which browser it was brought, as `visitor.sender` says; "" = this machine's own.

    Raises: as `_change`.
    """
    _change(data_id, sender=sender or None)


def sender_of(data_id: str) -> str:
    return _entries().get(data_id, {}).get("sender", "")


def sent_by(sender: str) -> list[str]:
    return [data_id for data_id, entry in _entries().items() if entry.get("sender") == sender]


def note_use(choice: DataChoice) -> None:
    """The time of its folder says when it was chosen last."""
    with contextlib.suppress(OSError):
        if choice.kind != "folder":
            os.utime(datasets_dir() / choice.id)


def last_used(choice: DataChoice) -> float:
    """Seconds since 1970; now, where that cannot be known."""
    try:
        return (datasets_dir() / choice.id).stat().st_mtime
    except OSError:
        return time.time()


def restore(data_id: str) -> None:
    """What `delete` forgot. Raises: as `_change`."""
    _change(data_id, deleted=None)
    if choice := find(data_id):
        note_use(choice)


def deleted() -> list[DataChoice]:
    """What `restore` can still bring back. Pictures that were deleted longer ago go now.

    Raises: as `_change`."""
    oldest = time.time() - KEPT_DAYS * 86_400
    found = []
    for data_id, entry in _entries().items():
        if "deleted" not in entry:
            continue
        if entry["deleted"] >= oldest:
            found.append(_choice(data_id, entry))
            continue
        if _UPLOAD_ID.fullmatch(data_id):
            shutil.rmtree(datasets_dir() / data_id, ignore_errors=True)
        _change(data_id, drop=True)
    return found[::-1]


def enlarge(choice: DataChoice, label: str, files: Iterable[tuple[str, BinaryIO]]) -> int:
    """Add pictures of the class `label`, which may be a new one, to an upload or a copy; in the training part
    where the folders are split already. Returns how many were added; one that is there already is not.

    Raises: DataError: the set cannot be read. NoReadableImages: none of the files is a picture.
    BadArchive: too much. OutputUnwritable.
    """
    from tl_core.data.folders import scan
    from tl_core.data.layouts.archives import save_upload
    from tl_core.data.layouts.file_kinds import is_picture_name

    assert choice.path is not None and choice.kind != "folder"
    dataset = scan(choice.path)
    home = dataset.root / "train" if "train" in dataset.given_splits else dataset.root
    folders = {picture.path.parent for picture in dataset.pictures}
    known_places = sorted(folder for folder in folders if folder.name == label and home in folder.parents)
    waiting = datasets_dir() / f".new-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        named = [(Path(name.replace("\\", "/")).name, stream) for name, stream in files]
        save_upload([(f"{label}/{name}", stream) for name, stream in named], waiting)
        # of what is not read only an empty file with its name is there
        pictures = sorted(
            path for path in waiting.rglob("*") if path.is_file() and is_picture_name(path.name)
        )
        if not pictures:
            example = named[0][0] if named else "–"
            raise NoReadableImages(path=choice.label, count=len(named), example=example)
        # a new class is called as the saved folder is, whose name leads nowhere
        place = known_places[0] if known_places else home / pictures[0].parent.name
        with output_errors(place):
            return _move_new(pictures, place)
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


def _move_new(pictures: Iterable[Path], place: Path) -> int:
    """Move those whose content is not in the folder yet; returns how many."""
    place.mkdir(parents=True, exist_ok=True)
    known = {_content(path) for path in place.iterdir() if path.is_file()}
    added = 0
    for path in pictures:
        if (content := _content(path)) in known:
            continue
        known.add(content)
        target = place / path.name
        path.rename(place / f"{content[:8]}-{path.name}" if target.exists() else target)
        added += 1
    return added


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def folder_of(choice: DataChoice, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """Where its pictures are; a practice set is drawn into the cache first, telling (done, total)."""
    if choice.path is not None:
        return choice.path
    from tl_core.synthetic.practice import sample_cache

    return sample_cache(choice.id, on_progress=on_progress)


def add_folder(path: Path) -> DataChoice:
    """Write down a folder (or zip) the person typed; the same path keeps its id. Raises: as `_change`."""
    path = expanded(path).absolute()
    data_id = "f" + hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return _register(DataChoice(data_id, "folder", path.name or str(path), path))


def add_zip(name: str, file: BinaryIO) -> DataChoice:
    """Unpack an uploaded zip.

    Raises: BadArchive: broken, dangerous or too large. DataError: no pictures to train on, as `scan` says.
    """
    from tl_core.data.layouts.archives import unpack_zip

    data_id, label = "u" + secrets.token_hex(8), Path(name).stem
    path = unpack_zip(file, datasets_dir() / data_id / _folder(label), name)
    return _register_usable(DataChoice(data_id, "upload", label, path), name)


def add_folder_upload(files: Iterable[tuple[str, BinaryIO]]) -> DataChoice:
    """Save a folder chosen in the browser; names are untrusted. Raises: as `add_zip`."""
    from tl_core.data.layouts.archives import save_upload

    files = list(files)
    data_id = "u" + secrets.token_hex(8)
    label = files[0][0].replace("\\", "/").strip("/").split("/")[0] if files else data_id
    path = save_upload(files, datasets_dir() / data_id / _folder(label))
    return _register_usable(DataChoice(data_id, "upload", label, path), label)


def _folder(label: str) -> str:
    """A folder name that says in runs and reports what the upload is called."""
    return re.sub(r"[^\w-]+", "-", composed(label)).strip("-_")[:MAX_LABEL] or "pictures"


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
        shutil.rmtree(datasets_dir() / choice.id, ignore_errors=True)
        values = error.values | ({"path": name} if "path" in error.values else {})
        raise type(error)(**values) from None
    return _register(choice)


def add_copy(origin: Path, label: str, kind: str = "upload") -> DataChoice:
    """A copy for one person of the pictures at `origin`, with whatever was decided about them so far. Names
    and times stay, and where the file system can, each file is the very same one under a second name: nothing
    here ever writes into a picture. kind: "copy" of a practice set. Raises: OutputUnwritable."""
    from tl_core.data.layouts.file_kinds import CORRECTIONS
    from tl_core.data.layouts.folder_names import files_below

    corrections = origin / CORRECTIONS
    data_id = "u" + secrets.token_hex(8)
    path = datasets_dir() / data_id / (label if kind == "copy" else _folder(origin.name))
    with output_errors(path):
        try:
            # corrections are none of a folder's own pictures, and not walked through with them
            for place in (origin, corrections) if corrections.is_dir() else (origin,):
                for file, not_entered in files_below(place):
                    if not not_entered and file.is_file():
                        _link(file, path / file.relative_to(origin))
        except OSError:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
    return _register(DataChoice(data_id, kind, label, path, origin))


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source.resolve())
    except OSError:  # another device, or a file system that knows none
        shutil.copy2(source, target)


def practice_set_at(path: Path) -> str | None:
    """The practice set whose shared pictures lie at `path`; None elsewhere."""
    return next((name for name in SAMPLES if sample_folder(name).resolve() == path.resolve()), None)


def practice_set_of(choice: DataChoice) -> str | None:
    """The practice set that was chosen, itself or a copy; None of a person's own pictures."""
    return choice.label if choice.kind in ("sample", "copy") else None


def _register_file() -> Path:
    return datasets_dir() / "register.json"


class _Named(TypedDict):
    kind: str
    label: str
    path: Path


class Entry(_Named, total=False):
    origin: Path
    deleted: float
    # seconds since 1970
    sender: str
    # number or address of the browser that brought it; of this machine's own none


def _read_register() -> dict[str, Any]:
    """Raises: RegisterDamaged: kept as it is, for whoever can mend it."""
    file = _register_file()
    try:
        return read_json(file) or {}
    except RunDamaged as error:
        raise RegisterDamaged(file=file, detail=error.values["detail"]) from None


def _register(choice: DataChoice) -> DataChoice:
    """Raises: RegisterDamaged, OutputUnwritable."""
    origin = str(choice.origin) if choice.origin else None
    values = {"kind": choice.kind, "label": choice.label, "path": str(choice.path), "origin": origin}
    _change(choice.id, deleted=None, **values)
    return choice


def _change(data_id: str, drop: bool = False, **values: str | float | None) -> None:
    """Lay `values` over an entry, None taking one away; a new entry goes to the end.

    Raises: RegisterDamaged, OutputUnwritable.
    """
    file = _register_file()
    with output_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):  # two browsers may add one at the same moment
        entries = _read_register()
        merged = {**entries.get(data_id, {}), **values}
        entries[data_id] = {name: value for name, value in merged.items() if value is not None}
        if drop:
            del entries[data_id]
        write_json(file, entries)
