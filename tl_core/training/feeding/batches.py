"""What one epoch trains on: batches of pixels, or of activations that were computed before.

Both feeds give the trainer the same thing: `batches(epoch, seed)`, and `entry`, the part of the
network after which a batch enters it ("pixels", a block group, or "pooled").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from tl_core.data.pixels.augment import augment

Batch = tuple[torch.Tensor, torch.Tensor]
"""(activations (B, ...), labels (B,) int64)"""


@dataclass(frozen=True)
class AugmentedPictures:
    """Pictures to feed, drawn anew on each call.

    images: (N, px, px, 3) uint8. labels: (N,) int64. entries: (picture, copy) pairs, one per training
    example; copies of a picture differ by their augmentation. num_views: 0 = a fresh one every epoch.
    strength: of the augmentation, see `tl_core.data.pixels.augment`.
    """

    images: np.ndarray
    labels: np.ndarray
    entries: list[tuple[int, int]]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    seed: int = 0
    is_augmented: bool = False
    num_views: int = 1
    strength: str = "guide"

    def view_of(self, epoch: int) -> int:
        """epoch counts from 1."""
        return (epoch - 1) % self.num_views if self.num_views else epoch - 1

    def draw(self, positions: np.ndarray, view: int) -> torch.Tensor:
        """Entries at `positions` in one view -> (B, px, px, 3) uint8."""
        return torch.from_numpy(np.stack([self._draw(self.entries[p], view) for p in positions]))

    def targets(self) -> torch.Tensor:
        """(E,) int64, one per entry."""
        return torch.from_numpy(self.labels[[index for index, _ in self.entries]])

    def _draw(self, entry: tuple[int, int], view: int) -> np.ndarray:
        index, copy = entry
        image = self.images[index]
        if not self.is_augmented:
            return image
        return augment(image, key=(self.seed, index, copy, view), strength=self.strength)


def clean_pictures(images: np.ndarray, labels: np.ndarray, mean: tuple, std: tuple) -> AugmentedPictures:
    """Every picture once, as it is: what evaluation sees. images: (N, px, px, 3) uint8. labels: (N,) int."""
    return AugmentedPictures(images, labels, [(i, 0) for i in range(len(images))], mean, std)


def batch_slices(num: int, batch_size: int) -> list[slice]:
    """Nearly equal batches, none of one picture, which would upset BatchNorm: 9 by 2 gives 2, 2, 2, 3."""
    count = max(1, min(-(-num // batch_size), num // 2))
    edges = np.linspace(0, num, count + 1).round().astype(int)
    return [slice(low, high) for low, high in zip(edges[:-1], edges[1:], strict=True)]


def shuffled(num: int, seed: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).permutation(num)


class PixelBatches:
    """Pictures through the frozen part in every epoch; the next batch is drawn while one trains.

    frozen: uint8 pictures (B, px, px, 3) -> activations at `entry`. keep_on: a device on which every view
    is kept once it has been drawn, as uint8; None: drawn anew each time.
    """

    kind = "plain"

    def __init__(
        self,
        pictures: AugmentedPictures,
        batch_size: int,
        frozen: Callable[[torch.Tensor], torch.Tensor],
        entry: str,
        keep_on: str | None = None,
    ) -> None:
        self.pictures, self.batch_size, self.frozen, self.entry = pictures, batch_size, frozen, entry
        self.num = len(pictures.entries)
        self.keep_on = keep_on if pictures.num_views else None
        self._drawn: dict[int, torch.Tensor] = {}  # view -> (E, px, px, 3) uint8

    def batches(self, epoch: int, seed: tuple[int, ...]) -> Iterator[Batch]:
        """epoch counts from 1; seed: of the shuffling."""
        order = shuffled(self.num, seed)
        targets, view = self.pictures.targets(), self.pictures.view_of(epoch)
        chunks = [order[piece] for piece in batch_slices(self.num, self.batch_size)]
        for chunk, images in zip(chunks, self._images(chunks, view), strict=True):
            yield self.frozen(images), targets[torch.from_numpy(chunk)]

    def _images(self, chunks: list[np.ndarray], view: int) -> Iterator[torch.Tensor]:
        if self.keep_on is None:
            yield from drawn_ahead(self.pictures, [(chunk, view) for chunk in chunks])
            return
        if view not in self._drawn:
            everything = [np.arange(p.start, p.stop) for p in batch_slices(self.num, self.batch_size)]
            parts = drawn_ahead(self.pictures, [(positions, view) for positions in everything])
            self._drawn[view] = torch.cat([part.to(self.keep_on) for part in parts])
        for chunk in chunks:
            yield self._drawn[view][torch.from_numpy(chunk).to(self.keep_on)]


def drawn_ahead(pictures: AugmentedPictures, work: list[tuple[np.ndarray, int]]) -> Iterator[torch.Tensor]:
    """`pictures.draw` of each (positions, view); the next is drawn while one is used."""
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(pictures.draw, *work[0])
        for following in work[1:]:
            images, upcoming = upcoming.result(), pool.submit(pictures.draw, *following)
            yield images
        yield upcoming.result()


class CachedBatches:
    """Activations (V, E, ...) of the frozen part, computed before; only the rest runs every epoch."""

    kind = "cached"

    def __init__(self, activations: torch.Tensor, targets: torch.Tensor, entry: str, batch_size: int) -> None:
        """targets: (E,) int64; like the order of an epoch, they go to where the activations lie."""
        self.activations, self.targets = activations, targets.to(activations.device)
        self.entry, self.batch_size, self.num = entry, batch_size, len(targets)

    def batches(self, epoch: int, seed: tuple[int, ...]) -> Iterator[Batch]:
        """epoch counts from 1; seed: of the shuffling."""
        order = torch.from_numpy(shuffled(self.num, seed)).to(self.activations.device)
        view = self.activations[(epoch - 1) % len(self.activations)]
        for piece in batch_slices(self.num, self.batch_size):
            chosen = order[piece]
            x = view[chosen].float()
            if x.ndim == 4:
                x = x.contiguous(memory_format=torch.channels_last)
            yield x, self.targets[chosen]
