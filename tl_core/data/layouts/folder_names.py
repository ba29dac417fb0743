"""What the folders under a root mean: classes, splits, wrappers, and what is none of them.

Every file below a class folder is found, also behind a link; every folder is a class, a part of a split,
or said to be neither. No picture is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tl_core.base.errors import LabelsInFile
from tl_core.base.files.file_names import composed, folder_name, name_in
from tl_core.data.dataset import SPLITS, Refused
from tl_core.data.layouts import file_kinds, label_files

_MAX_WRAPPERS = 3
_SPLIT_NAME = re.compile(
    r"(?:seg_)?(?:(?P<train>train(?:ing)?|훈련|학습)|(?P<val>val(?:id(?:ation)?)?|dev(?:elopment)?|검증)"
    r"|(?P<test>test(?:ing)?|eval(?:uation)?|hold_?out|시험|평가|테스트))(?:_?(?:set|data|images|imgs))?(?:_?\d{1,4})?"
)
"""The names that splits go by: Keras, Roboflow, torchvision, the Intel set (seg_train), AI Hub."""
_IMAGES = {"images", "imgs", "jpegimages"}
# what holds the class folders where masks or boxes lie beside it: CUB, Stanford Dogs, NEU-DET
_PART = re.compile(r".*(?:part|batch|chunk|shard)[\s_-]?\d+", re.IGNORECASE)
# one set in several folders, whose labels are in a table: HAM10000_images_part_1
_RUN_FILES = {"config.json", "status.json"}


@dataclass
class Layout:
    pictures: list[tuple[str, Path, str | None]] = field(default_factory=list)
    # (class, file, split)
    refused: list[Refused] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    # class folders without a picture that is read


def read(root: Path, known: Collection[str] = ()) -> tuple[Path, Layout]:
    """(the folder that holds train/ or the classes, what it holds).

    known: classes that the folders are to be judged by; a folder of such a name is no wrapper.
    Raises: LabelsInFile: pictures without class folders, whose labels are in a file we cannot use.
        OSError: a folder that cannot be read; passed over, its class would silently be smaller.
    """
    root = _inside_wrapper(root, known)
    layout = Layout()
    splits = _split_folders(root)
    if splits is None:
        images = _images_folder(root)
        _class_folders(root, images, None, layout)
        if images != root:
            _beside(root, {images}, layout)
    else:
        for split, folder in splits:
            _class_folders(root, folder, split, layout)
        _beside(root, {folder for _, folder in splits}, layout)
        layout.refused.sort(key=lambda one: one.name)
    classes = {name for name, _, _ in layout.pictures}
    layout.empty = sorted(set(layout.empty) - classes)
    return root, layout


def split_of(name: str) -> str | None:
    """train, val or test that a folder of this name stands for; None of any other name."""
    found = _SPLIT_NAME.fullmatch(re.sub(r"[\s.-]+", "_", composed(name).strip().lower()))
    return found.lastgroup if found else None


def subfolders(folder: Path) -> list[Path]:
    found = [one for one in folder.iterdir() if one.is_dir() and not file_kinds.is_skipped_name(one.name)]
    return sorted(found, key=folder_name)


def loose_pictures(folder: Path) -> list[Path]:
    """Those that lie right in it, of formats that are read, in order of name."""
    found = [one for one in folder.iterdir() if file_kinds.is_picture_name(one.name) and one.is_file()]
    return sorted((one for one in found if not file_kinds.is_skipped_name(one.name)), key=folder_name)


def is_run(folder: Path) -> bool:
    """Whether it is one of our own run folders, whose plots are no pictures of a class."""
    return all((folder / name).is_file() for name in _RUN_FILES)


def _inside_wrapper(path: Path, known: Collection[str]) -> Path:
    """`casting_data/casting_data/train/…` -> the folder that holds train/, or the classes."""
    for _ in range(_MAX_WRAPPERS):
        inner = [one for one in subfolders(path) if not is_run(one)]
        if len(inner) != 1 or split_of(inner[0].name) == "train" or folder_name(inner[0]) in known:
            break
        if not subfolders(inner[0]) or loose_pictures(inner[0]):
            break  # pictures lie in it, so it is a class, though it has sub-folders
        path = inner[0]
    return path


def _images_folder(folder: Path) -> Path:
    """`images/<class>` beside `annotations/` or `segmentations/` -> images; else the folder itself."""
    inner = subfolders(folder)
    found = [one for one in inner if one.name.lower() in _IMAGES and not loose_pictures(one)]
    is_it = len(found) == 1 and len(inner) > 1 and len(_with_files(found[0])) > 1
    return found[0] if is_it and not any(map(loose_pictures, inner)) else folder


def _inside_split(folder: Path) -> Path:
    """`seg_train/seg_train/<class>` and `train/images/<class>` -> the inner one, which holds classes."""
    inner = subfolders(folder)
    if len(inner) == 1 and not loose_pictures(folder) and not loose_pictures(inner[0]):
        return inner[0] if len(_with_files(inner[0])) > 1 or split_of(inner[0].name) else folder
    return _images_folder(folder)


def _with_files(folder: Path) -> list[Path]:
    return [one for one in subfolders(folder) if next(files_below(one), None) is not None]


def _split_folders(root: Path) -> list[tuple[str, Path]] | None:
    """[(split, folder), …] in the order train, val, test, where the folders are the parts of a split."""
    filled = [one for one in _with_files(root) if not is_run(one)]
    named = [(split, _inside_split(one)) for one in filled if (split := split_of(one.name))]
    others = [one for one in filled if not split_of(one.name)]
    train = [folder for split, folder in named if split == "train"]
    judges = [folder for split, folder in named if split != "train"]
    is_split = any(_with_files(folder) for folder in train) and (
        bool(judges) or not others or not any(map(loose_pictures, train))
    )
    if not train:  # only a val and a test: for `evaluate`, and training says what is missing
        is_split = len(judges) > 1 and not others and all(map(_with_files, judges))
    elif not is_split and len(named) > 1 and not others:
        is_split = all(map(loose_pictures, train))  # then a file has the labels
    return sorted(named, key=lambda one: SPLITS.index(one[0])) if is_split else None


def _class_folders(root: Path, folder: Path, split: str | None, layout: Layout) -> None:
    """Take what lies in `folder`, a class in each sub-folder or all of it labelled by a file."""
    num_before = len(layout.pictures)
    loose = loose_pictures(folder)
    inner = subfolders(folder)
    for class_folder in inner:
        if is_run(class_folder):
            layout.refused.append(Refused(name_in(root, class_folder), "run_folder", ""))
        elif file_kinds.is_unlabelled_name(class_folder.name):
            _refuse_pictures(root, class_folder, "unlabelled", layout)
        else:
            _one_class(root, class_folder, split, layout)
    found = layout.pictures[num_before:]
    # one folder of pictures beside a table is no class of its own
    names = {name for name, _, _ in found}
    is_one = len(names) < 2 or all(map(_PART.fullmatch, names))
    if is_one and (loose or found) and (labels := label_files.find(root, folder, split)):
        del layout.pictures[num_before:]
        _labelled(root, [*loose, *(file for _, file, _ in found)], labels, split, layout)
        return
    if loose and not found and split == "train":
        raise LabelsInFile(path=folder, file=label_files.NAMES[0], reason="labels_missing", detail="")
    layout.refused += [Refused(name_in(root, one), "no_class", "") for one in loose]
    for one in sorted(folder.iterdir(), key=folder_name):
        own = file_kinds.ending(one.name)
        if own in (*file_kinds.FOREIGN, *file_kinds.PLUGINS) and one.is_file() and one not in loose:
            layout.refused.append(Refused(name_in(root, one), *file_kinds.why_not(one.name)))


def _one_class(root: Path, folder: Path, split: str | None, layout: Layout) -> None:
    """A folder without any picture is named as a whole, not file by file."""
    name, num_before = folder_name(folder), len(layout.pictures)
    refused = []
    for file, reason in files_below(folder):
        if reason:
            refused.append(Refused(name_in(root, file), reason, ""))
        elif file_kinds.is_picture_name(file.name):
            layout.pictures.append((name, file, split))
        else:
            refused.append(Refused(name_in(root, file), *file_kinds.why_not(file.name)))
    if len(layout.pictures) == num_before:
        layout.empty.append(name)
        refused = [one for one in refused if one.reason not in ("not_a_picture", "no_ending")]
    layout.refused += refused


def _labelled(
    root: Path, files: list[Path], labels: label_files.Labels, split: str | None, layout: Layout
) -> None:
    """Pictures whose class a table gives; those it does not name, and its rows without a file, are told."""
    for file in files:
        label = labels.of(file)
        if label:
            layout.pictures.append((label, file, split))
        else:
            layout.refused.append(Refused(name_in(root, file), "not_in_table", labels.file.name))
    layout.refused += [Refused(name, "vanished", "") for name in labels.missing(files)]
    layout.empty = [name for name in layout.empty if name not in {label for label, _, _ in layout.pictures}]


def _refuse_pictures(root: Path, folder: Path, reason: str, layout: Layout) -> None:
    names = [name_in(root, file) for file, _ in files_below(folder) if file_kinds.is_picture_name(file.name)]
    layout.refused += [Refused(name, reason, "") for name in names]


def _beside(root: Path, splits: set[Path], layout: Layout) -> None:
    """Folders beside those of the split: a second set of held-out pictures, predictions, drafts."""
    for folder in subfolders(root):
        if is_run(folder):
            layout.refused.append(Refused(name_in(root, folder), "run_folder", ""))
        elif not any(folder == one or folder in one.parents for one in splits):
            _refuse_pictures(root, folder, "outside_split", layout)
    if root not in splits:
        layout.refused += [Refused(name_in(root, one), "no_class", "") for one in loose_pictures(root)]


def files_below(folder: Path, seen: set[Path] | None = None) -> Iterator[tuple[Path, str]]:
    """(file, "") for each below `folder` in a fixed order, (folder, reason) for one that is not entered:
    a link to where we are or have been, or a run. Raises: OSError: a folder that cannot be read."""
    here = folder.resolve()
    seen = {*here.parents} if seen is None else seen
    seen.add(here)
    with os.scandir(folder) as entries:
        inside = [entry for entry in entries if not file_kinds.is_skipped_name(entry.name)]
    folders = sorted(entry.name for entry in inside if entry.is_dir())
    for name in sorted((entry.name for entry in inside if not entry.is_dir()), key=composed):
        yield folder / name, ""
    for name in folders:
        below = folder / name
        if below.resolve() in seen:
            yield below, "link_loop"
        elif is_run(below):
            yield below, "run_folder"
        else:
            yield from files_below(below, seen)
