"""The pictures of a step: drawn when it comes, the same at every attempt, on any number of processes."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from tl_core.models.pretraining.recipe import Recipe
from tl_core.synthetic import formula

DRAWN_LARGER = 1.25
# pictures are drawn this much larger than the network sees them, so that there is something to crop
SMALLEST_CROP = 0.75
UNSEEN = 2**40
"""Instance seeds from here on are never trained on."""


class Steps(Dataset):
    """Item n: the batch of step n; pictures (B, px, px, 3) uint8 and labels (B,) int64.

    Every class comes up equally often: a step takes the next batch_size classes of an endless row of
    shuffled decks. The instance's seed is its place in that row.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def __len__(self) -> int:
        return self.recipe.num_steps

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        px, size = self.recipe.image_px(step), self.recipe.batch_size
        places = np.arange(step * size, (step + 1) * size)
        labels = self._classes(places)
        pictures = np.empty((size, px, px, 3), np.uint8)
        for picture, place, label in zip(pictures, places.tolist(), labels.tolist(), strict=True):
            large = formula.draw(label, place, round(px * DRAWN_LARGER))
            picture[:] = varied(large, px, np.random.default_rng([self.recipe.seed, place]))
        return torch.from_numpy(pictures), torch.from_numpy(labels)

    def _classes(self, places: np.ndarray) -> np.ndarray:
        num = len(formula.class_names())
        decks = {
            deck: np.random.default_rng([self.recipe.seed, deck]).permutation(num)
            for deck in np.unique(places // num).tolist()
        }
        return np.array([decks[place // num][place % num] for place in places.tolist()], np.int64)


def varied(picture: np.ndarray, px: int, rng: np.random.Generator) -> np.ndarray:
    """(H, H, 3) uint8 -> (px, px, 3) uint8: a crop, its channels exchanged, its light changed.

    Never mirrored: a class of glyphs or contours may be another's mirror image.
    """
    side = int(rng.integers(round(len(picture) * SMALLEST_CROP), len(picture) + 1))
    y, x = rng.integers(0, len(picture) - side + 1, 2)
    crop = picture[y : y + side, x : x + side]
    crop = cv2.resize(crop, (px, px), interpolation=cv2.INTER_AREA if side > px else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        crop = crop[..., rng.permutation(3)]
    gain, offset = rng.uniform(0.8, 1.2), rng.uniform(-25, 25)
    return cv2.convertScaleAbs(np.clip(crop * np.float32(gain) + np.float32(offset), 0, 255))


def stream(recipe: Recipe, first_step: int, num_workers: int) -> Iterable[tuple[torch.Tensor, torch.Tensor]]:
    """The batches of steps first_step, first_step + 1, …; drawn ahead by num_workers processes, 0 = none."""
    steps = range(first_step, recipe.num_steps)
    return DataLoader(
        Steps(recipe),
        batch_size=None,
        sampler=steps,
        # a loader draws a seed for its workers; out of torch's own generator it would shift the dropout
        generator=torch.Generator(),
        num_workers=num_workers,
        prefetch_factor=4 if num_workers else None,
        worker_init_fn=_one_thread if num_workers else None,
        # a forked process can wait for ever for a thread of OpenCV's that was not forked with it
        multiprocessing_context="spawn" if num_workers else None,
    )


def _one_thread(worker: int) -> None:
    cv2.setNumThreads(1)


def unseen(num_pictures: int, image_px: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Instances that no training draws, uncropped: (N, px, px, 3) uint8 and labels (N,) int64."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(num_pictures) % len(formula.class_names()))
    seeds = [UNSEEN + seed * num_pictures + place for place in range(num_pictures)]
    return formula.draw_batch(labels.tolist(), seeds, image_px), labels
