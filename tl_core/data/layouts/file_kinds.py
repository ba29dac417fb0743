"""What a name says about a file: a picture that is read, one that is not and why, or one to pass over."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec

EXTENSIONS = (
    *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "bmp", "tif", "tiff", "webp"),
    *("avif", "gif", "jp2", "j2k"),
)
"""File name endings of pictures that are read as installed, lower case."""

PLUGINS = {
    "heic": ("HEIC", "pillow-heif", "pillow_heif"),
    "heif": ("HEIC", "pillow-heif", "pillow_heif"),
    "jxl": ("JPEG XL", "pillow-jxl-plugin", "pillow_jxl"),
}
"""{ending: (what it is, the package that lets Pillow read it, its module)}"""

FOREIGN = (
    *("pgm", "ppm", "pbm", "pnm", "pfm", "hdr", "exr", "tga", "dds", "ico", "jxr", "psd", "svg", "eps"),
    *("dcm", "dicom", "nii", "mha", "fits", "fit", "npy", "czi", "lif", "nd2", "svs", "ndpi"),
    *("raw", "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf"),
)
"""Pictures that people have but we do not read; they are told so, and any other file that it is none."""

CORRECTIONS = "headswap-corrections"
"""Our own folder beside the class folders, never a class: see `tl_core.data.curation`."""
_SYSTEM = {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "__pycache__", CORRECTIONS}
_SYSTEM |= {"lost+found", "system volume information", "$recycle.bin"}
# a disk's own folders at its top, which often may not be read
_UNLABELLED = {"no_label", "unlabeled", "unlabelled"}
# where CVAT (ImageNet export) and Roboflow (folder export) put what nobody has labelled


def is_picture_name(name: str) -> bool:
    """Whether a file of this name is read as a picture."""
    own = ending(name)
    return own in EXTENSIONS or (own in PLUGINS and has_plugin(own))


def why_not(name: str) -> tuple[str, str]:
    """(key under [reason], detail) of a file that `is_picture_name` turns down."""
    own = ending(name)
    if own in PLUGINS:
        return "unsupported", plugin_detail(own)
    if own in FOREIGN:
        return "unsupported", own
    return ("not_a_picture", own) if own else ("no_ending", "")


def plugin_detail(own: str) -> str:
    """A format and how to read it, in any language: HEIC, pip install pillow-heif."""
    return f"{PLUGINS[own][0]}, pip install {PLUGINS[own][1]}"


@cache
def has_plugin(own: str) -> bool:
    """Whether the package that reads files of this ending is installed."""
    return find_spec(PLUGINS[own][2]) is not None


def is_skipped_name(name: str) -> bool:
    """Hidden files, resource forks (`._x.jpg`) and what systems leave lying about."""
    return name.startswith(".") or name.lower() in _SYSTEM


def is_unlabelled_name(name: str) -> bool:
    """Whether a folder of this name holds what a labelling tool calls unlabelled."""
    return re.sub(r"[\s-]+", "_", name.strip().lower()) in _UNLABELLED


def ending(name: str) -> str:
    """Of a file's name, lower case; "" without one, also where what follows a dot is no ending."""
    stem, _, own = name.rpartition(".")
    return own.lower() if stem and re.fullmatch(r"\w{1,10}", own) else ""
