"""What a name says about a file: a picture that is read, one that is not, or something to pass over."""

from __future__ import annotations

EXTENSIONS = ("jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp")
FOREIGN = ("gif", "heic", "heif", "avif", "jfif", "jp2", "psd", "svg", "raw", "dng", "cr2", "nef", "arw")
# pictures that people have but we cannot read: listed as refused, so that nobody wonders where they went
CORRECTIONS = "headswap-corrections"
"""Our own folder beside the class folders, never a class: see `tl_core.data.curation`."""
_SYSTEM = {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "__pycache__", CORRECTIONS}
_SYSTEM |= {"lost+found", "system volume information", "$recycle.bin"}
# a disk's own folders at its top, which often may not be read


def is_picture_name(name: str) -> bool:
    return ending(name) in EXTENSIONS


def is_skipped_name(name: str) -> bool:
    """Hidden files, resource forks (`._x.jpg`) and what systems leave lying about."""
    return name.startswith(".") or name.lower() in _SYSTEM


def ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
