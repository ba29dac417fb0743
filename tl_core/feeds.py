"""What one epoch trains on: batches of pixels, or of activations that were computed before.

Both feeds give the trainer the same thing: `batches(epoch, seed)`, and `entry`, the part of the
network after which a batch enters it ("pixels", a block group, or "pooled").
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from tl_core.data.augment import augment

Batch = tuple[torch.Tensor, torch.Tensor]
"""(activations (B, ...), labels (B,) int64)"""


@dataclass(frozen=True)
class Pictures:
    """Pictures to feed, drawn anew on each call.

    images: (N, px, px, 3) uint8. labels: (N,) int64. entries: (picture, copy) pairs, one per training
    example; copies of a picture differ by their augmentation. num_views: 0 = a fresh one every epoch.
    """

    images: np.ndarray
    labels: np.ndarray
    entries: list[tuple[int, int]]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    seed: int = 0
    is_augmented: bool = False
    num_views: int = 1

    def view_of(self, epoch: int) -> int:
        """epoch counts from 1."""
        return (epoch - 1) % self.num_views if self.num_views else epoch - 1

    def pixels(self, positions: np.ndarray, view: int) -> torch.Tensor:
        """Entries at `positions` in one view -> (B, 3, px, px) float32, normalised, channels last."""
        batch = np.stack([self._draw(self.entries[p], view) for p in positions])
        return normalise(torch.from_numpy(batch), self.mean, self.std)

    def targets(self) -> torch.Tensor:
        """(E,) int64, one per entry."""
        return torch.from_numpy(self.labels[[index for index, _ in self.entries]])

    def _draw(self, entry: tuple[int, int], view: int) -> np.ndarray:
        index, copy = entry
        image = self.images[index]
        return augment(image, key=(self.seed, index, copy, view)) if self.is_augmented else image


def clean_pictures(images: np.ndarray, labels: np.ndarray, mean: tuple, std: tuple) -> Pictures:
    """Every picture once, as it is: what evaluation sees."""
    return Pictures(images, labels, [(i, 0) for i in range(len(images))], mean, std)


def normalise(images: torch.Tensor, mean: tuple, std: tuple) -> torch.Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in the statistics the weights were trained with."""
    scale = torch.tensor([255.0 * s for s in std], device=images.device)
    shift = torch.tensor([m / s for m, s in zip(mean, std, strict=True)], device=images.device)
    return (images.float() / scale - shift).permute(0, 3, 1, 2)  # NHWC in memory: channels_last


def batch_slices(num: int, batch_size: int) -> list[slice]:
    """Nearly equal batches: a last batch of one would upset BatchNorm."""
    edges = np.linspace(0, num, -(-num // batch_size) + 1).round().astype(int)
    return [slice(low, high) for low, high in zip(edges[:-1], edges[1:], strict=True)]


def shuffled(num: int, seed: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).permutation(num)


class PlainFeed:
    """Pixels through the whole network, every epoch; the next batch is drawn while one trains."""

    kind = "plain"
    entry = "pixels"

    def __init__(self, pictures: Pictures, batch_size: int) -> None:
        self.pictures = pictures
        self.batch_size = batch_size
        self.num = len(pictures.entries)

    def batches(self, epoch: int, seed: tuple[int, ...]) -> Iterator[Batch]:
        order = shuffled(self.num, seed)
        targets, view = self.pictures.targets(), self.pictures.view_of(epoch)
        chunks = [order[piece] for piece in batch_slices(self.num, self.batch_size)]
        with ThreadPoolExecutor(1) as pool:
            upcoming = pool.submit(self.pictures.pixels, chunks[0], view)
            for i, chunk in enumerate(chunks):
                x = upcoming.result()
                if i + 1 < len(chunks):
                    upcoming = pool.submit(self.pictures.pixels, chunks[i + 1], view)
                yield x, targets[torch.from_numpy(chunk)]


class CachedFeed:
    """Activations (V, E, ...) of the frozen part, computed before; only the rest runs every epoch."""

    kind = "cached"

    def __init__(self, activations: torch.Tensor, targets: torch.Tensor, entry: str, batch_size: int) -> None:
        self.activations = activations
        self.targets = targets
        self.entry = entry
        self.batch_size = batch_size
        self.num = len(targets)

    def batches(self, epoch: int, seed: tuple[int, ...]) -> Iterator[Batch]:
        """epoch counts from 1; seed: of the shuffling."""
        order = torch.from_numpy(shuffled(self.num, seed))
        view = self.activations[(epoch - 1) % len(self.activations)]
        for piece in batch_slices(self.num, self.batch_size):
            chosen = order[piece]
            x = view[chosen].float()
            if x.ndim == 4:
                x = x.contiguous(memory_format=torch.channels_last)
            yield x, self.targets[chosen]
