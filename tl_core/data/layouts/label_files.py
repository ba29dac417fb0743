"""Labels that stand in a table beside the pictures instead of in folder names.

| tool | file | what it holds |
|---|---|---|
| Roboflow, multi-class export | `_classes.csv` | filename, then one column per class with 0 or 1 |
| Hugging Face ImageFolder | `metadata.csv`, `metadata.jsonl` | file_name and label |
| Kaggle and by hand | any other `.csv` or `.tsv` | a column of file names or ids and one of classes |

What other tools write for boxes and outlines is named and refused: a box is no class of a picture.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from tl_core.base.errors import LabelsInFile
from tl_core.base.files.file_names import composed

NAMES = ("_classes.csv", "metadata.csv", "metadata.jsonl")
BOXES = (
    "_annotations.coco.json",
    "data.yaml",
    "_darknet.labels",
    "_annotations.csv",
    "instances_default.json",
)
"""Files of exports for detection and segmentation."""
_FILE_COLUMNS = (
    "file_name",
    "filename",
    "file",
    "image",
    "image_name",
    "image_id",
    "path",
    "id_code",
    "img",
    "name",
    "id",
)
_LABEL_COLUMNS = (
    "label",
    "class",
    "category",
    "target",
    "class_name",
    "label_name",
    "breed",
    "diagnosis",
    "dx",
    "choice",
)
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Labels:
    """One table's content."""

    file: Path
    by_name: dict[str, str]
    # {file name as the table writes it, composed, "/" between folders: class}

    def of(self, picture: Path) -> str:
        """The class of a picture; "" when the table does not name it. A table may leave the ending off."""
        folders = [""] + ["/".join(picture.parts[-depth - 1 : -1]) + "/" for depth in (1, 2, 3)]
        ways = [folder + own for folder in folders for own in (picture.name, picture.stem)]
        found = next((found for way in ways if (found := self.by_name.get(composed(way)))), "")
        return found or self._by_last_part.get(composed(picture.name), "")

    @cached_property
    def _by_last_part(self) -> dict[str, str]:
        """{name without its folders: class}, where it is one file's alone: Label Studio writes addresses."""
        own = {name: PurePosixPath(name).name for name in self.by_name}
        counts = Counter(own.values())
        return {own[name]: label for name, label in self.by_name.items() if counts[own[name]] == 1}

    def missing(self, pictures: Sequence[Path]) -> list[str]:
        """Names in the table that none of the pictures has."""
        there = {composed(own) for picture in pictures for own in (picture.name, picture.stem)}
        return [name for name in self.by_name if PurePosixPath(name).name not in there]


def find(root: Path, folder: Path, split: str | None) -> Labels | None:
    """The table for the pictures that lie in `folder`, there or at the root; None when there is none.

    Raises: LabelsInFile: a file that looks like it and cannot be used, by its name.
    """
    for place in dict.fromkeys((folder, root)):
        for file in _candidates(place, split if place == root and folder != root else None):
            if (labels := _read(file)) is not None:
                return labels
    for place in dict.fromkeys((folder, root)):
        for name in BOXES:
            if (place / name).is_file():
                raise LabelsInFile(path=folder, file=place / name, reason="labels_are_boxes", detail="")
    return None


def _candidates(place: Path, split: str | None) -> Iterator[Path]:
    """Tables in a folder, the agreed names first; at the root those called after the split before others."""
    known = [place / name for name in NAMES if (place / name).is_file()]
    yield from known
    tables = [one for one in sorted(place.glob("*")) if one.suffix.lower() in (".csv", ".tsv")]
    tables = [one for one in tables if one not in known and not one.name.startswith(("headswap-", ".", "_"))]
    tables = [one for one in tables if "submission" not in one.name.lower()]  # made-up labels, on Kaggle
    called = [one for one in tables if split and split in one.name.lower()]
    if split in ("val", "test"):
        tables = called  # at the root, any other table is of the training pictures
    yield from dict.fromkeys([*called, *tables])


def _read(file: Path) -> Labels | None:
    """None: a table of something else. Raises: LabelsInFile: one that must be it and cannot be used."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise LabelsInFile(path=file.parent, file=file, reason="labels_unclear", detail="> 64 MiB")
        text = _text(file.read_bytes())
        rows = _json_rows(text) if file.suffix == ".jsonl" else _csv_rows(text)
    except (OSError, ValueError, csv.Error) as error:
        raise LabelsInFile(path=file.parent, file=file, reason="labels_unclear", detail=error) from None
    if not rows:
        return None
    columns = {name.strip().lower(): name for name in rows[0] if name}
    of_file = next((columns[name] for name in _FILE_COLUMNS if name in columns), None)
    if of_file is not None:
        of_label = next((columns[name] for name in _LABEL_COLUMNS if name in columns), None)
        if of_label is not None:
            return Labels(file, {_name(row[of_file]): composed(str(row[of_label]).strip()) for row in rows})
        if (labels := _one_hot(file, rows, of_file)) is not None:
            return labels
    if file.name in NAMES:
        detail = ", ".join(columns)[:200]
        raise LabelsInFile(path=file.parent, file=file, reason="labels_unclear", detail=detail)
    return None


def _one_hot(file: Path, rows: list[dict[str, str]], of_file: str) -> Labels | None:
    """One column per class. Raises: LabelsInFile: a picture of several classes, or of none."""
    classes = [name for name in rows[0] if name and name != of_file]
    values = {str(row.get(name)).strip() for row in rows for name in classes}
    if not classes or not values <= {"0", "1", "0.0", "1.0"}:
        return None
    found = {}
    for row in rows:
        ones = [name.strip() for name in classes if str(row[name]).strip() in ("1", "1.0")]
        if len(ones) > 1:
            detail = f"{row[of_file]}: {', '.join(ones)}"
            raise LabelsInFile(path=file.parent, file=file, reason="labels_several", detail=detail)
        if ones:
            found[_name(row[of_file])] = composed(ones[0])
    return Labels(file, found)


def _csv_rows(text: str) -> list[dict[str, str]]:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], ",;\t")
    except csv.Error:
        dialect = csv.excel
    rows = csv.DictReader(io.StringIO(text), dialect=dialect)
    return [{name: value or "" for name, value in row.items() if name} for row in rows]


def _json_rows(text: str) -> list[dict[str, str]]:
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return rows if all(isinstance(row, dict) for row in rows) else []


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp949")  # what Excel writes on Korean Windows


def _name(value: object) -> str:
    return composed(str(value).strip().replace("\\", "/").removeprefix("./"))
