"""Which pictures there are and what class each is, from folder names alone.

Two layouts, as in the two guides:

    DATA/<class>/picture.jpg                      the expression guide: no split given
    DATA/train/<class>/…  DATA/test/<class>/…     the casting guide; val/ may be there too

`layouts` knows their names, `label_files` the tables that stand in for class folders. No picture is opened
here; `prepare` finds out which can be read.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Collection
from pathlib import Path

from tl_core.base.errors import (
    DataNotFound,
    NoClassFolders,
    NotAFolder,
    NoTrainingPart,
    OneClass,
    OutputUnwritable,
    RunExists,
    SplitClassMissing,
    TlError,
    TooFewPictures,
    UnreadableImage,
)
from tl_core.base.files.file_names import name_in
from tl_core.base.files.paths import expanded
from tl_core.data.dataset import SPLITS, Dataset, Picture
from tl_core.data.layouts import folder_names
from tl_core.data.pixels.decode import from_os_error

MIN_PER_CLASS = 4
"""Different pictures a class must have: one to train on, one to choose by, one in two to test on."""


def scan(path: Path, known: Collection[str] = ()) -> Dataset:
    """Find classes, pictures and given splits under a folder, or in a zip file of one.

    Hidden and system files are skipped, folders inside a class folder belong to that class, also behind a
    link, and a single wrapping folder (what zip tools make) is entered.

    known: classes of a run that is to be judged on the pictures; then one class is enough.
    Raises: DataNotFound, NotAFolder, BadArchive, NoClassFolders, OneClass, SplitClassMissing, LabelsInFile;
        UnreadableImage: a folder that may not be read, or whose reading failed.
    """
    path = expanded(path)
    try:
        if not _is_there(path):
            raise DataNotFound(path=path)
        root, found = folder_names.read(_unpacked(path) if path.is_file() else path, known)
    except OSError as error:
        raise from_os_error(error, str(error.filename or path)) from None
    classes = sorted({name for name, _, _ in found.pictures})
    index = {name: number for number, name in enumerate(classes)}
    pictures = [
        Picture(file, name_in(root, file), index[name], split) for name, file, split in found.pictures
    ]
    given = tuple(split for split in SPLITS if any(picture.given_split == split for picture in pictures))
    dataset = Dataset(root, classes, pictures, found.refused, given, tuple(found.empty))
    if not classes:
        raise NoClassFolders(path=path)
    if len(classes) == 1 and not known:
        raise OneClass(path=path, name=classes[0])
    if len(classes) > 1:
        check_splits(dataset)
    return dataset


def paths_of(data: Path) -> dict[str, Path]:
    """{name: file} of the pictures, {} when the data is no longer there."""
    try:
        return {picture.name: picture.path for picture in scan(data).pictures}
    except TlError:
        return {}


def check_splits(dataset: Dataset) -> None:
    """Raises: SplitClassMissing: a given split lacks a class (one that training lacks included)."""
    for split in dataset.given_splits if "train" in dataset.given_splits else ():
        present = {picture.label for picture in dataset.pictures if picture.given_split == split}
        missing = sorted(set(range(len(dataset.classes))) - present)
        if missing:
            raise SplitClassMissing(split=split, name=dataset.classes[missing[0]])


def refuse_too_few(dataset: Dataset) -> None:
    """By the number of files, before one is opened; copies among them are found later.

    Raises: NoTrainingPart; TooFewPictures: fewer than MIN_PER_CLASS of a class to train on and to divide.
    """
    refuse_without_training(dataset)
    labels = [picture.label for picture in dataset.pictures if picture.given_split in (None, "train")]
    for label, name in enumerate(dataset.classes):
        if (count := labels.count(label)) < MIN_PER_CLASS:
            raise TooFewPictures(name=name, count=count, need=MIN_PER_CLASS)


def refuse_without_training(dataset: Dataset) -> None:
    """Raises: NoTrainingPart: the folders give only pictures that judge."""
    if dataset.given_splits and "train" not in dataset.given_splits:
        raise NoTrainingPart(path=dataset.root, names=", ".join(dataset.given_splits))


def fingerprint(dataset: Dataset) -> str:
    """sha256 over every picture's name and content, in order of name: equal for equal data,
    wherever it lies. Reads every file once.

    Raises: UnreadableImage: a file has vanished since the scan.
    """
    total = hashlib.sha256()
    for picture in sorted(dataset.pictures, key=lambda one: one.name):
        try:
            with picture.path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            size = picture.path.stat().st_size
        except OSError as error:
            raise UnreadableImage(file=picture.name, reason="vanished", detail=str(error)) from None
        total.update(f"{picture.name}\0{size}\0{content}\n".encode())
    return total.hexdigest()


def _is_there(path: Path) -> bool:
    """False also for a name that no file can have, such as one too long. Raises: PermissionError."""
    try:
        path.stat()
        return True
    except PermissionError:
        raise
    except (OSError, ValueError):  # ValueError: a NUL in it
        return False


def _unpacked(file: Path) -> Path:
    """Unpack a zip into the cache, under a name that changes when the file does."""
    if file.suffix.lower() != ".zip" and not zipfile.is_zipfile(file):
        raise NotAFolder(path=file)
    from tl_core.base.files.paths import datasets_dir
    from tl_core.data.layouts.archives import unpack_zip

    about = file.stat()
    told = os.fsencode(f"{file.resolve()}\0{about.st_size}\0{about.st_mtime_ns}")
    key = hashlib.sha256(told).hexdigest()[:12]
    into = datasets_dir() / f"zip-{key}"
    if not into.is_dir():
        try:
            unpack_zip(file, into, file.name)
        except (RunExists, OutputUnwritable):
            if not into.is_dir():  # it is there when another process has just unpacked the same file
                raise
    return into
