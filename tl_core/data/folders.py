"""Which pictures there are and what class each is, from folder names alone.

Two layouts, as in the two guides:

    DATA/<class>/picture.jpg                      the expression guide: no split given
    DATA/train/<class>/…  DATA/test/<class>/…     the casting guide; val/ may be there too

No picture is opened here; `prepare` finds out which can be read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tl_core.base.errors import (
    DataNotFound,
    NoClassFolders,
    NotAFolder,
    OneClass,
    OutputUnwritable,
    RunExists,
    SplitClassMissing,
    TlError,
    TooFewPictures,
    UnreadableImage,
)
from tl_core.base.file_names import composed, folder_name, name_in
from tl_core.base.paths import expanded
from tl_core.data.decode import from_os_error
from tl_core.data.file_kinds import EXTENSIONS, FOREIGN, ending, is_picture_name, is_skipped_name

MIN_PER_CLASS = 4
"""Different pictures a class must have: one to train on, one to choose by, one in two to test on."""

SPLITS = ("train", "val", "test")
_SPLIT_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_MAX_WRAPPERS = 3


@dataclass(frozen=True)
class Picture:
    path: Path
    name: str
    # posix path relative to the data's root, as `names.name_in` makes it readable
    label: int
    # index into Dataset.classes
    given_split: str | None
    # train, val or test if the folders say so


@dataclass(frozen=True)
class Refused:
    name: str
    reason: str
    # a key under [reason] in the messages
    detail: str


@dataclass(frozen=True)
class Dataset:
    root: Path
    classes: list[str]
    # alphabetical, like torchvision's ImageFolder: def_front is 0, ok_front is 1
    pictures: list[Picture]
    refused: list[Refused] = field(default_factory=list)
    given_splits: tuple[str, ...] = ()
    # those of train, val, test that the folders give; empty when the split is ours to make

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.classes)}

    def counts(self) -> dict[str, int]:
        """Pictures per class, in class order; 0 where none is left."""
        counts = dict.fromkeys(self.classes, 0)
        for picture in self.pictures:
            counts[self.classes[picture.label]] += 1
        return counts


def scan(path: Path) -> Dataset:
    """Find classes, pictures and given splits under a folder, or in a zip file of one.

    Hidden and system files are skipped, folders inside a class folder belong to that class,
    and a single wrapping folder (what zip tools make) is entered.

    Raises: DataNotFound, NotAFolder, BadArchive, NoClassFolders, OneClass, SplitClassMissing;
        UnreadableImage: a folder that may not be read, or whose reading failed.
    """
    path = expanded(path)
    try:
        if not _is_there(path):
            raise DataNotFound(path=path)
        root = _inside_wrapper(_unpacked(path) if path.is_file() else path)
        dataset = _collect(root, _split_folders(root) or [(None, root)])
    except OSError as error:
        raise from_os_error(error, str(error.filename or path)) from None
    if not dataset.classes:
        raise NoClassFolders(path=path)
    if len(dataset.classes) == 1:
        raise OneClass(path=path, name=dataset.classes[0])
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
    for split in dataset.given_splits:
        present = {picture.label for picture in dataset.pictures if picture.given_split == split}
        missing = sorted(set(range(len(dataset.classes))) - present)
        if missing:
            raise SplitClassMissing(split=split, name=dataset.classes[missing[0]])


def refuse_too_few(dataset: Dataset) -> None:
    """By the number of files, before one is opened; copies among them are found later.

    Raises: TooFewPictures: a class with fewer than MIN_PER_CLASS to train on and to divide.
    """
    labels = [picture.label for picture in dataset.pictures if picture.given_split in (None, "train")]
    for label, name in enumerate(dataset.classes):
        if (count := labels.count(label)) < MIN_PER_CLASS:
            raise TooFewPictures(name=name, count=count, need=MIN_PER_CLASS)


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
    from tl_core.base.paths import datasets_dir
    from tl_core.data.archives import unpack_zip

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


def _subfolders(folder: Path) -> list[Path]:
    found = [one for one in folder.iterdir() if one.is_dir() and not is_skipped_name(one.name)]
    return sorted(found, key=folder_name)


def _pictures_in(folder: Path) -> list[Path]:
    """Those that lie right in it, hidden ones too."""
    return [one for one in folder.iterdir() if is_picture_name(one.name) and one.is_file()]


def _inside_wrapper(path: Path) -> Path:
    """`casting_data/casting_data/train/…` -> the folder that holds train/, or the classes."""
    for _ in range(_MAX_WRAPPERS):
        inner = _subfolders(path)
        if len(inner) != 1 or inner[0].name.lower() == "train" or len(_subfolders(inner[0])) == 0:
            break
        if _pictures_in(inner[0]):
            break  # pictures lie in it, so it is a class, though it has sub-folders
        path = inner[0]
    return path


def _split_folders(root: Path) -> list[tuple[str | None, Path]]:
    """[(split, folder), …] if there is a train/ with class folders in it, else []."""
    found = [
        (_SPLIT_NAMES[one.name.lower()], one) for one in _subfolders(root) if one.name.lower() in _SPLIT_NAMES
    ]
    train = [folder for split, folder in found if split == "train"]
    if not train or not any(True for folder in train for inner in _subfolders(folder) for _ in _files(inner)):
        return []
    return sorted(found, key=lambda one: SPLITS.index(one[0]))


def _collect(root: Path, splits: list[tuple[str | None, Path]]) -> Dataset:
    found: list[tuple[str, Path, str | None]] = []  # class name, file, split
    refused = []
    for split, folder in splits:
        for class_folder in _subfolders(folder):
            for file in _files(class_folder):
                if is_picture_name(file.name):
                    found.append((folder_name(class_folder), file, split))
                else:
                    refused.append(Refused(name_in(root, file), "unsupported", ending(file.name)))
    for folder in sorted({root, *(folder for _, folder in splits)}):
        loose = sorted(name_in(root, one) for one in _pictures_in(folder) if not is_skipped_name(one.name))
        refused += [Refused(name, "no_class", "") for name in loose]
    classes = sorted({name for name, _, _ in found})
    index = {name: number for number, name in enumerate(classes)}
    pictures = [Picture(file, name_in(root, file), index[name], split) for name, file, split in found]
    given = tuple(split for split in SPLITS if any(picture.given_split == split for picture in pictures))
    return Dataset(root, classes, pictures, refused, given)


def _files(folder: Path) -> Iterator[Path]:
    """Pictures, and picture files of foreign formats, below `folder`, in a fixed order.

    Raises: OSError: a folder that cannot be read; passed over, its class would silently be smaller.
    """
    for at, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not is_skipped_name(name))
        for name in sorted(files, key=composed):
            if not is_skipped_name(name) and ending(name) in EXTENSIONS + FOREIGN:
                yield Path(at) / name


def _raise(error: OSError) -> None:
    raise error


def without(dataset: Dataset, refused: dict[int, Refused]) -> Dataset:
    """The same data less some pictures, which join the refused; keys index `pictures`."""
    kept = [picture for index, picture in enumerate(dataset.pictures) if index not in refused]
    return dataclasses.replace(dataset, pictures=kept, refused=[*dataset.refused, *refused.values()])
