"""What an epoch trains on: drawn as it was, whatever is kept, and normalised as the weights ask."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tl_core.data.pixels.normalise import normalise
from tl_core.training.feeding.batches import (
    AugmentedPictures,
    CachedBatches,
    PixelBatches,
    batch_slices,
    drawn_ahead,
)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture
def pictures() -> AugmentedPictures:
    images = np.random.default_rng(0).integers(0, 256, (5, 24, 32, 3), np.uint8)
    entries = [(i, copy) for copy in range(2) for i in range(5)]
    return AugmentedPictures(
        images, np.arange(5) % 2, entries, MEAN, STD, seed=3, is_augmented=True, num_views=2
    )


def test_normalising_is_pixel_minus_mean_over_deviation_with_colours_last_in_memory():
    images = torch.randint(0, 256, (2, 4, 6, 3), dtype=torch.uint8)
    found = normalise(images, MEAN, STD)
    expected = (images.double() / 255 - torch.tensor(MEAN).double()) / torch.tensor(STD).double()
    assert found.shape == (2, 3, 4, 6) and found.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(found.double(), expected.permute(0, 3, 1, 2), atol=1e-5)


def test_views_kept_on_a_card_are_the_views_that_would_be_drawn(pictures):
    """A card is not needed for that: here they are kept in the memory of the CPU."""
    feeds = [PixelBatches(pictures, 4, torch.Tensor.float, "pixels", keep) for keep in (None, "cpu")]
    for epoch in (1, 2, 3):
        for (x, y), (kept_x, kept_y) in zip(
            *(feed.batches(epoch, (0, epoch)) for feed in feeds), strict=True
        ):
            assert torch.equal(x, kept_x) and torch.equal(y, kept_y)


def test_a_kept_view_is_drawn_once(pictures, monkeypatch):
    drawn = []
    draw = AugmentedPictures.draw
    monkeypatch.setattr(
        AugmentedPictures, "draw", lambda self, p, view: drawn.append(view) or draw(self, p, view)
    )
    feed = PixelBatches(pictures, 4, torch.Tensor.float, "pixels", "cpu")
    for epoch in range(1, 7):
        list(feed.batches(epoch, (0, epoch)))
    assert sorted(drawn) == sorted([0, 1] * len(batch_slices(10, 4)))


def test_with_a_fresh_view_every_epoch_nothing_is_kept(pictures):
    fresh = AugmentedPictures(**{**vars(pictures), "num_views": 0})
    feed = PixelBatches(fresh, 4, torch.Tensor.float, "pixels", "cpu")
    first, second = (torch.cat([x for x, _ in feed.batches(epoch, (0,))]) for epoch in (1, 2))
    assert not torch.equal(first, second) and not feed._drawn


def test_what_is_drawn_ahead_comes_in_order(pictures):
    work = [(np.array([i]), i % 2) for i in range(10)]
    for (positions, view), images in zip(work, drawn_ahead(pictures, work), strict=True):
        assert torch.equal(images, pictures.draw(positions, view))


def test_an_epoch_meets_every_entry_once_in_the_view_that_is_due():
    activations = torch.arange(20.0).view(2, 10, 1)
    feed = CachedBatches(activations, torch.arange(10), "pooled", batch_size=4)
    for epoch, view in ((1, 0), (2, 1), (3, 0)):
        x, y = (torch.cat(parts) for parts in zip(*feed.batches(epoch, (0, epoch)), strict=True))
        assert torch.equal(x[:, 0], activations[view, y, 0]) and sorted(y.tolist()) == list(range(10))


@pytest.mark.parametrize(("num", "size"), [(9, 2), (3, 2), (2, 1), (33, 32), (5, 4)])
def test_no_batch_holds_one_picture_alone(num: int, size: int):
    lengths = [piece.stop - piece.start for piece in batch_slices(num, size)]
    assert sum(lengths) == num and min(lengths) >= 2 and max(lengths) <= size + 1
