"""Random variations of training pictures: at the expression guide's strengths, or lightly.

Two things changed since the guide was written and are set right here:
- GaussNoise took a variance in grey levels squared, (10, 50); it now takes a standard deviation
  as a share of full scale, and its default is ten times stronger than the guide meant.
- A seed given to albumentations is handed to every transform alike, so that flips, colours and
  noise all happen together or not at all. Here they draw from one generator, one after another.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import albumentations

_local = threading.local()


STRENGTHS = ("guide", "light")


def augmenter(strength: str = "guide") -> albumentations.Compose:
    """ "guide": its albumentations list, then its torchvision ColorJitter(0.1, 0.1). (Its second
    horizontal flip adds nothing: two fair flips are one.) "light": mirrored, a little brighter or darker,
    whatever the pictures show; no colour is changed, for a colour may be the class."""
    import albumentations as A

    if strength == "light":
        light = A.RandomBrightnessContrast(brightness_limit=0.1, contrast_limit=0.1, p=0.5)
        return A.Compose([A.HorizontalFlip(p=0.5), light])
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(p=0.5),
            A.HueSaturationValue(p=0.5),
            A.GaussNoise(std_range=(sqrt(10) / 255, sqrt(50) / 255), p=0.3),
            A.ColorJitter(brightness=(0.9, 1.1), contrast=(0.9, 1.1), saturation=(1, 1), hue=(0, 0), p=1),
        ]
    )


def recipe(strength: str = "guide") -> dict[str, Any]:
    """All that `augmenter` does, as plain values: its transforms in order, their strengths and odds."""
    content: dict[str, Any] = augmenter(strength).to_dict()
    return content


def augment(image: np.ndarray, *, key: tuple[int, ...], strength: str = "guide") -> np.ndarray:
    """One random variation. The same key gives the same picture in any process, thread or order.

    Shapes: uint8 (px, px, 3) -> the same. key: integers >= 0, such as (seed, picture, copy, view).
    """
    pipelines = _local.__dict__.setdefault("pipelines", {})  # one per thread: it holds the generator
    if strength not in pipelines:
        pipelines[strength] = augmenter(strength)
    pipeline = pipelines[strength]
    pipeline.set_random_state(np.random.default_rng(key), random.Random(repr(tuple(map(int, key)))))
    return pipeline(image=image)["image"]


def training_entries(
    labels: Sequence[int] | np.ndarray, indices: Sequence[int], target_per_class: int, seed: int
) -> list[tuple[int, int]]:
    """The training set after augmentation, as (picture index, copy) with copy 0 for each picture
    first. Classes below `target_per_class` are filled up with copies 1, 2, …, dealt out evenly in
    a seeded order; larger classes stay as they are. Only `indices` (the training part) appear.

    labels: (N,) of all pictures.
    """
    entries = [(int(index), 0) for index in indices]
    rng = np.random.default_rng(seed)
    by_class: dict[int, list[int]] = {}
    for index in indices:
        by_class.setdefault(int(labels[index]), []).append(int(index))
    for label in sorted(by_class):
        members = rng.permutation(by_class[label])
        num_extra = max(target_per_class - len(members), 0)
        entries += [(int(members[n % len(members)]), 1 + n // len(members)) for n in range(num_extra)]
    return entries
