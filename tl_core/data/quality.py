"""Pictures that may not belong: copies, blurred, dark or bright ones, odd sizes.

Everything is judged against the set itself, so that a set of night pictures is not all "too dark". A
flag is a question to a person, never a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from tl_core.data.dataset import SPLITS
from tl_core.data.pixels.decode import upright_size
from tl_core.data.prepare import Prepared

FAR = 3.5
"""Robust z from which a value is far out. Source: Iglewicz & Hoaglin 1993, "How to detect and handle
outliers", who advise 3.5 of (x - median) / (1.4826 MAD)."""
BLUR_SHARE = 0.4
# a blurred picture also has at most this share of the set's median sharpness
GREY_STEP = 40
# a dark or bright one also differs by this much of 255 from the median
SMALL_SHARE = 0.5
# a small one has a short side below half the median
SHAPE_FACTOR = 1.5
# an odd shape: width over height differs by this factor from the median
KINDS = ("twin_leak", "twin_class", "twin", "dark", "bright", "blurred", "small", "shape")
# the reason that explains most comes first: a dark picture looks blurred to the Laplacian, too


@dataclass(frozen=True)
class Flag:
    """Why one picture was singled out."""

    file: str
    kind: str
    # one of KINDS, or "label"
    rank: float
    # the lower, the more it needs a look; comparable within a kind
    values: dict[str, Any] = field(default_factory=dict)
    # numbers and names for the sentence


def flags(prepared: Prepared) -> list[Flag]:
    """All flags of a set, by kind and then by rank; a picture may have several.

    prepared: read without decisions, so that the list does not change while they are made.
    """
    names = [picture.name for picture in prepared.dataset.pictures]
    greys = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in prepared.images]
    sizes = [_size(picture.path) for picture in prepared.dataset.pictures]
    found = [*_twins(prepared, names), *_blurred(names, greys), *_light(names, greys), *_sizes(names, sizes)]
    return sorted(found, key=lambda flag: (KINDS.index(flag.kind), flag.rank, flag.file))


def _twins(prepared: Prepared, names: list[str]) -> Iterable[Flag]:
    """A held-out picture with a copy in training; copies in two classes; other copies."""
    split, labels, classes = prepared.split, prepared.labels, prepared.dataset.classes
    part_of = {i: part for part in SPLITS for i in getattr(split, part)}
    leaked = {held: twin for twin, held in prepared.leak.pairs}
    for group in np.flatnonzero(np.bincount(prepared.groups) > 1):
        members = np.flatnonzero(prepared.groups == group).tolist()
        is_mixed = len(set(labels[members].tolist())) > 1
        for i in members:
            first = next(m for m in members if m != i)
            other = next((m for m in members if labels[m] != labels[i]), first)
            twin = leaked.get(names[i], names[other])
            values = {"twin": twin, "class": classes[labels[other]], "part": part_of.get(i, "train")}
            kind = "twin_leak" if names[i] in leaked else "twin_class" if is_mixed else "twin"
            if kind != "twin" or i != members[0]:
                # of plain copies the first may stay
                yield Flag(names[i], kind, float(group), {**values, "count": len(members)})


def _blurred(names: list[str], greys: list[np.ndarray]) -> Iterable[Flag]:
    """Variance of the Laplacian, in orders of magnitude, against the set's."""
    sharp = np.array([cv2.Laplacian(grey, cv2.CV_64F).var() + 1e-6 for grey in greys])
    middle = float(np.median(sharp))
    for i, z in enumerate(_far(np.log10(sharp))):
        if z < -FAR and sharp[i] < BLUR_SHARE * middle:
            yield Flag(names[i], "blurred", z, {"share": float(sharp[i] / middle)})


def _light(names: list[str], greys: list[np.ndarray]) -> Iterable[Flag]:
    light = np.array([grey.mean() for grey in greys])
    middle = float(np.median(light))
    for i, z in enumerate(_far(light)):
        if abs(z) > FAR and abs(light[i] - middle) > GREY_STEP:
            values = {"light": float(light[i] / 255), "usual": middle / 255}
            yield Flag(names[i], "dark" if z < 0 else "bright", -abs(z), values)


def _sizes(names: list[str], sizes: list[tuple[int, int] | None]) -> Iterable[Flag]:
    known = np.array([size for size in sizes if size], dtype=float).reshape(-1, 2)
    if not len(known):
        return
    side, shape = np.median(known.min(axis=1)), np.median(known[:, 0] / known[:, 1])
    for name, size in zip(names, sizes, strict=True):
        if size is None:
            continue
        width, height = size
        values = {"width": width, "height": height, "usual": int(side)}
        stretch = max(width / height / shape, shape * height / width)
        if min(size) < SMALL_SHARE * side:
            yield Flag(name, "small", min(size) / side, values)
        if stretch > SHAPE_FACTOR:
            yield Flag(name, "shape", -stretch, values)


def _far(values: np.ndarray) -> list[float]:
    """How far each value is from the median, in robust standard deviations."""
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    # in a set where most are the same, anything else would be infinitely far
    return ((values - middle) / max(spread, 1e-3 * max(abs(middle), 1.0))).tolist()


def _size(path: Path) -> tuple[int, int] | None:
    """(width, height) of the picture as it is read, from the file's header; None when it has gone since."""
    try:
        with Image.open(path) as picture:
            return upright_size(picture)
    except Exception:  # Pillow's readers raise almost anything; the reader has named it already
        return None
