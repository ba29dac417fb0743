"""What a person decided about single pictures: keep, another class, leave out; and corrected pictures added.

The decisions lie beside the pictures in one small table that a person can read, change or delete:

    DATA/headswap-decisions.csv           file, decision, class, why, when: one row per picture
    DATA/headswap-corrections/<class>/…   pictures added to training, never to validation or test

No picture is ever changed, moved or deleted. Without the table everything is as the folders say.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from filelock import FileLock

from tl_core.base.errors import BadDecisions
from tl_core.base.files.atomic import output_errors, write_atomic
from tl_core.base.files.file_names import composed, folder_name, name_in
from tl_core.base.files.paths import cache_dir
from tl_core.data import folders
from tl_core.data.folders import Dataset, Picture
from tl_core.data.layouts import file_kinds
from tl_core.data.layouts.file_kinds import CORRECTIONS

FILE = "headswap-decisions.csv"
KINDS = ("keep", "relabel", "exclude", "add")
COLUMNS = ("file", "decision", "class", "why", "when")
MAX_ADDED_PX = 1024
"""Long side of a correction that is kept; more than any network here looks at."""


@dataclass(frozen=True)
class CurationEdit:
    """One row. `add` is a picture in the corrections folder; rows of that kind stand in a run's own copy."""

    file: str
    # the picture's name: posix path relative to the data's root, see `tl_core.base.files.file_names`
    decision: str
    label: str = ""
    # the class it takes, of `relabel` and `add`
    why: str = ""
    when: str = ""
    # ISO 8601, local time


def read(path: Path) -> list[CurationEdit]:
    """The rows of a table, oldest first; [] when there is none. Of several on one picture, which only a
    person's own hand writes, the last stands. Raises: BadDecisions."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise BadDecisions(file=path, line=1, value=str(error), need="UTF-8") from None
    rows: dict[str, CurationEdit] = {}
    reader = csv.DictReader(io.StringIO(text))
    for row in reader:
        values = {name: row.get(name) or "" for name in COLUMNS}
        # names keep their blanks: " cat" and "cat" are two folders
        values |= {name: values[name].strip() for name in ("decision", "why", "when")}
        if values["decision"] not in KINDS or not values["file"].strip():
            need = ", ".join(KINDS[:3])
            raise BadDecisions(file=path, line=reader.line_num, value=values["decision"], need=need)
        # a person who writes the table on macOS may paste decomposed names
        file, label = composed(values["file"]), composed(values["class"])
        rows.pop(file, None)  # the last also stands last
        rows[file] = CurationEdit(file, values["decision"], label, values["why"], values["when"])
    return list(rows.values())


def write(path: Path, rows: Iterable[CurationEdit]) -> None:
    """Raises: OutputUnwritable."""
    write_atomic(path, table(rows))


def table(rows: Iterable[CurationEdit]) -> bytes:
    """What `read` reads, with the mark that makes spreadsheets read Korean names rightly."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.file, row.decision, row.label, row.why, row.when] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


def decided(root: Path) -> list[CurationEdit]:
    """The rows beside the pictures at `root`, the data set's own root. Raises: BadDecisions."""
    return read(root / FILE)


def in_force(root: Path) -> list[CurationEdit]:
    """Those, and one `add` for each picture in the corrections folder. Raises: BadDecisions."""
    added = [
        CurationEdit(name, "add", folder_name(picture.parent)) for name, picture in corrections(root).items()
    ]
    return decided(root) + added


def corrections(root: Path) -> dict[str, Path]:
    """{name: file} of the pictures in the corrections folder, in order of name; {} when there is none."""
    found = {
        name_in(root, picture): picture
        for folder in (root / CORRECTIONS).glob("*")
        if folder.is_dir()
        for picture in folder.iterdir()
        if file_kinds.is_picture_name(picture.name) and not file_kinds.is_skipped_name(picture.name)
    }
    return dict(sorted(found.items()))


def decide(root: Path, file: str, decision: str, label: str = "", why: str = "") -> None:
    """Write a decision down; it replaces an earlier one on the same picture.

    Raises: BadDecisions: the table there cannot be read. OutputUnwritable.
    """
    row = CurationEdit(file, decision, label, why, datetime.now().isoformat(timespec="seconds"))
    with _one_writer(root):
        write(root / FILE, [*(old for old in decided(root) if old.file != file), row])


def undo(root: Path, file: str) -> None:
    """Forget the decision on one picture; the last one takes the table with it. Raises: OutputUnwritable."""
    with _one_writer(root):
        rows = [row for row in decided(root) if row.file != file]
        if rows:
            write(root / FILE, rows)
        else:
            _delete(root / FILE)


def undo_all(root: Path) -> None:
    """Delete the table: everything is as the folders say. Corrections stay. Raises: OutputUnwritable."""
    with _one_writer(root):
        _delete(root / FILE)


def add_correction(root: Path, name: str, image: np.ndarray, label: str) -> Path:
    """Keep a picture of class `label` for training; the same pixels are kept once.

    Args: image: uint8 (H, W, 3) RGB; kept small, as PNG and so without what a camera writes beside it.
    Raises: OutputUnwritable.
    """
    import cv2

    scale = min(MAX_ADDED_PX / max(image.shape[:2]), 1.0)
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))[1].tobytes()
    stem = re.sub(r"[^\w-]+", "-", Path(name).stem)[:40].strip("-_") or "picture"
    path = root / CORRECTIONS / label / f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}.png"
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)
    return path


def remove_correction(root: Path, file: str) -> None:
    """Delete a picture that `add_correction` has written; nothing else. Raises: OutputUnwritable."""
    known = corrections(root)
    if file in known:
        _delete(known[file])


def added_pictures(dataset: Dataset, rows: Sequence[CurationEdit]) -> list[Picture]:
    """The pictures that `rows` add. Raises: BadDecisions: a class the data does not have."""
    found, known = [], corrections(dataset.root)
    for row in rows:
        if row.decision == "add":
            label = _index(dataset, row)
            path = known.get(row.file, dataset.root / row.file)  # gone since: its reader says so
            found.append(Picture(path, row.file, label, "train"))
    return found


def relabelled(dataset: Dataset, rows: Sequence[CurationEdit]) -> Dataset:
    """The same pictures, some with the class that the person gave. Raises: BadDecisions."""
    wanted = {row.file: _index(dataset, row) for row in rows if row.decision == "relabel"}
    pictures = [
        dataclasses.replace(picture, label=wanted.get(picture.name, picture.label))
        for picture in dataset.pictures
    ]
    return dataclasses.replace(dataset, pictures=pictures)


def followed(dataset: Dataset) -> Dataset:
    """Without what is left out, and with the classes given; corrections judge nothing and stay away.

    Raises: BadDecisions.
    """
    rows = decided(dataset.root)
    names = excluded_names(rows)
    kept = [picture for picture in dataset.pictures if picture.name not in names]
    return relabelled(dataclasses.replace(dataset, pictures=kept), rows)


def excluded_names(rows: Sequence[CurationEdit]) -> set[str]:
    return {row.file for row in rows if row.decision == "exclude"}


def counts(found: Dataset, used: Dataset) -> dict[str, int]:
    """How many pictures the decisions changed: {"excluded", "relabelled", "added"}; all 0 without any."""
    before = {picture.name: picture.label for picture in found.pictures}
    after = {picture.name: picture.label for picture in used.pictures}
    return {
        "excluded": len(before.keys() - after.keys()),
        "relabelled": sum(before[name] != after[name] for name in before.keys() & after.keys()),
        "added": len(after.keys() - before.keys()),
    }


def fingerprint(found: Dataset, used: Dataset, of_found: str) -> str:
    """Of the pictures as they are used: `of_found`, the folders' own, unless a decision changed something."""
    if not any(counts(found, used).values()):
        return of_found
    before = {picture.name: picture.label for picture in found.pictures}
    added = dataclasses.replace(used, pictures=[p for p in used.pictures if p.name not in before])
    total = hashlib.sha256(f"{of_found}\n{folders.fingerprint(added)}\n".encode())
    for picture in sorted(used.pictures, key=lambda one: one.name):
        total.update(f"{picture.name}\0{used.classes[picture.label]}\n".encode())
    return total.hexdigest()


def _index(dataset: Dataset, row: CurationEdit) -> int:
    known = dataset.class_to_idx
    for label in (row.label, row.label.strip()):  # a person may have typed a blank after the comma
        if label in known:
            return known[label]
    raise BadDecisions(file=row.file, line="–", value=row.label, need=", ".join(dataset.classes))


def _one_writer(root: Path) -> FileLock:
    """Two browsers may decide at the same moment. The lock lies in the cache, not among the pictures."""
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    folder = cache_dir() / "locks"
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"decisions-{name}.lock")


def _delete(path: Path) -> None:
    with output_errors(path):
        path.unlink(missing_ok=True)
