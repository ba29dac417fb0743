"""Frozen work is done once: activations of the frozen part, computed per view and kept.

A frozen part gives the same output for the same input in every epoch. So each training picture is
augmented in `views` ways, every view goes through the frozen part once, and epoch e trains on view
(e - 1) mod views. `views = 0` draws a fresh view every epoch and keeps nothing. Unaugmented pictures
are kept too: every validation and evaluation starts from them. What does not fit into memory is kept in
a file; `tl_core.training.feeding.activation_cache` lets a later run read what an earlier one computed.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tl_core.base.config import RunConfig
from tl_core.base.events import Progress
from tl_core.base.stages import STAGES
from tl_core.compute.kernels.batchnorm_folding import folded
from tl_core.data.pixels.normalise import normalise
from tl_core.models.backbone import CLASSIFIER, TransferModel
from tl_core.training.feeding import activation_cache
from tl_core.training.feeding.batches import (
    AugmentedPictures,
    CachedBatches,
    PixelBatches,
    batch_slices,
    drawn_ahead,
)

MEMORY_SHARE = 4
"""Activations may take a quarter of the free memory, so that the app and the browser keep theirs."""
DISK_SHARE = 4
"""And, where memory is too small, a quarter of the free disk."""

EVALUATION_BATCH = 32
"""Pictures per forward pass without gradients."""


@dataclass(frozen=True)
class FeedPlan:
    """How a stage is fed. kind: cached, plain or solved (not at all). why: a key under [feed] in the
    messages."""

    kind: str
    why: str


def plan_feed(
    config: RunConfig, epochs: int, entry: str, num_bytes: int, free_bytes: int, free_disk_bytes: int = 0
) -> FeedPlan:
    """Cached where that saves work and fits into a quarter of the free memory, or else of the free disk.

    entry: where the trained part begins. num_bytes: of all views of all entries there.
    """
    if entry == "pixels":
        return FeedPlan("plain", "nothing_frozen")
    if config.augment and not config.views:
        return FeedPlan("plain", "exact")
    if config.augment and config.views >= epochs:
        return FeedPlan("plain", "no_saving")
    fits_disk = num_bytes <= free_disk_bytes // DISK_SHARE
    if num_bytes > free_bytes // MEMORY_SHARE:
        return FeedPlan("cached", "disk") if fits_disk else FeedPlan("plain", "memory")
    return FeedPlan("cached", "saves_work" if config.augment else "no_augmentation")


class FrozenFeatures:
    """What the frozen part has to say about a run's pictures, computed when first needed.

    training: the augmented entries. clean: every picture once, in the order of the data set.
    dtype: of the training views (bfloat16 where that is faster); clean pictures are always float32,
    so that evaluation here and prediction later agree. free_bytes, free_disk_bytes: memory and disk
    there are to share. folder: where activations are kept beyond the run; None: nowhere.
    """

    def __init__(
        self,
        model: TransferModel,
        training: AugmentedPictures,
        clean: AugmentedPictures,
        config: RunConfig,
        *,
        device: str,
        dtype: torch.dtype,
        free_bytes: int,
        free_disk_bytes: int = 0,
        folder: Path | None = None,
    ) -> None:
        self.model, self.training, self.clean, self.config = model, training, clean, config
        self.device, self.dtype, self.free_bytes = device, dtype, free_bytes
        self.free_disk_bytes, self.folder = free_disk_bytes if folder else 0, folder
        self.entries = {
            name: model.boundary_for(STAGES[name].num_units(config.unfreeze_blocks, model.num_units))
            for name in config.stages
        }
        self.plans = {name: self._plan(name) for name in config.stages}
        self._folded: dict[torch.dtype, TransferModel] = {}
        self._views: dict[str, torch.Tensor] = {}  # station -> (V, E, ...)
        self._clean: dict[str, torch.Tensor] = {}  # station -> (N, ...)
        self.view_seconds: dict[str, float] = {}  # station -> of one view of all entries up to there
        self.computed_seconds: dict[
            str | None, float
        ] = {}  # stage, None for clean: of its pass, where it ran
        self.spent_seconds = dict.fromkeys(self.plans, 0.0)  # on views, at the start of a stage

    def _plan(self, stage: str) -> FeedPlan:
        if not STAGES[stage].moves_backbone and self.config.head_solver == "lbfgs":
            return FeedPlan("solved", "solved")
        entry, epochs = self.entries[stage], self.config.stages[stage].epochs
        num_bytes = self._bytes(self.training, entry, self.dtype) if entry != "pixels" else 0
        return plan_feed(self.config, epochs, entry, num_bytes, self.free_bytes, self.free_disk_bytes)

    def avoided_seconds(self, stage: str, epochs: int) -> float:
        """What the frozen part would have taken in `epochs` without keeping, less what it did take."""
        if self.plans[stage].kind != "cached":
            return 0.0
        return epochs * self.view_seconds[self.entries[stage]] - self.spent_seconds[stage]

    def training_feed(self, stage: str) -> Generator[Progress, None, PixelBatches | CachedBatches]:
        """The stage's feed; computes activations first where the plan says so.

        The cheap order: one pass serves the stations of this stage and of those to come, whose frozen
        parts are no longer than this one's.
        """
        entry = self.entries[stage]
        if self.plans[stage].kind == "plain":
            enter = partial(self._enter, station=entry, dtype=self.dtype)
            return PixelBatches(self.training, self.config.batch_size, enter, entry, self._room_on_card())
        if entry not in self._views:
            order = [*self.plans]
            to_come = order[order.index(stage) :]
            # the stations of earlier ones have been trained, their outputs changed
            wanted = {self.entries[s] for s in to_come if self.plans[s].kind == "cached"}
            stations = sorted(wanted, key=self.model.stations.index)
            started = time.perf_counter()
            self._views = yield from self._kept(self.training, stations, self.dtype, stage)
            self.spent_seconds[stage] = time.perf_counter() - started
        views = self._views.pop(entry)
        return CachedBatches(views, self.training.targets(), entry, self.config.batch_size)

    def _kept(
        self, pictures: AugmentedPictures, stations: list[str], dtype: torch.dtype, stage: str | None
    ) -> Generator[Progress, None, dict[str, torch.Tensor]]:
        """Read where an earlier run has kept them, else computed, and kept for a later one."""
        is_spilled = stage and "disk" in {
            self.plans[s].why for s in self.plans if self.entries[s] in stations
        }
        limit = activation_cache.MAX_BYTES // activation_cache.MAX_SHARE
        if self.folder is None or is_spilled or pictures.images.nbytes > limit:
            return (yield from self._compute(pictures, stations, dtype, stage, not is_spilled))
        key = activation_cache.key_of(self.model, pictures, stations, dtype, self.device)
        found = activation_cache.load(self.folder, key)
        if found is not None:
            stored, seconds = found
            if stage:
                self.view_seconds = seconds
            return {station: values.to(self.device) for station, values in stored.items()}
        stored = yield from self._compute(pictures, stations, dtype, stage)
        activation_cache.save(self.folder, key, stored, self.view_seconds if stage else {})
        return stored

    def prepare_clean(self) -> Generator[Progress, None, None]:
        """Keep what evaluation starts from. Call while the whole backbone is frozen."""
        stations = {self.entries[stage] for stage in self.plans} | {"pooled"}
        room = self.free_bytes // MEMORY_SHARE
        kept = [s for s in stations if s != "pixels" and self._bytes(self.clean, s, torch.float32) <= room]
        if kept:
            ordered = sorted(kept, key=self.model.stations.index)
            is_worth_it = "solved" in {plan.kind for plan in self.plans.values()}  # it asks for nothing else
            keep = self._kept if is_worth_it else self._compute
            stored = yield from keep(self.clean, ordered, torch.float32, None)
            self._clean = {station: values[0] for station, values in stored.items()}

    def logits(self, indices: list[int], stage: str) -> torch.Tensor:
        """Clean pictures through the model as it stands in `stage` -> (len(indices), C) float32 on CPU."""
        return self._clean_to(indices, self.entries.get(stage, "pooled"), CLASSIFIER)

    def pooled(self) -> torch.Tensor:
        """(N, width) float32 on CPU: what the whole backbone says of every clean picture. Call while it is
        frozen."""
        return self._clean_to(list(range(len(self.clean.entries))), "pooled", "pooled")

    @torch.no_grad()
    def _clean_to(self, indices: list[int], entry: str, stop: str) -> torch.Tensor:
        self.model.eval()
        kept = self._clean.get(entry)
        order, results = np.asarray(indices, dtype=np.int64), []
        for piece in batch_slices(len(order), EVALUATION_BATCH):
            chosen = order[piece]
            if kept is None:
                z = self._enter(self.clean.draw(chosen, 0), entry, torch.float32)
            else:
                z = kept[torch.from_numpy(chosen).to(kept.device)].to(self.device)
            results.append(self.model.forward_between(z, entry, stop).float().cpu())
        return torch.cat(results)

    @torch.no_grad()
    def _enter(self, images: torch.Tensor, station: str, dtype: torch.dtype) -> torch.Tensor:
        """uint8 (B, px, px, 3), anywhere -> what the frozen part makes of them at `station`, float32."""
        pixels = normalise(images.to(self.device, non_blocking=True), self.clean.mean, self.clean.std)
        return self._frozen_forward(pixels, "pixels", station, dtype).float()

    def _frozen_forward(self, x: torch.Tensor, first: str, last: str, dtype: torch.dtype) -> torch.Tensor:
        if first == last:
            return x
        if dtype not in self._folded:
            self._folded[dtype] = folded(self.model, dtype)
        return self._folded[dtype].forward_between(x.to(dtype), first, last)

    def _room_on_card(self) -> str | None:
        """The GPU, where its memory has room for every view as uint8; a CPU draws faster than it trains."""
        num_bytes = self.training.images[0].nbytes * len(self.training.entries) * self.training.num_views
        has_room = self.device.startswith("cuda") and num_bytes <= self.free_bytes // MEMORY_SHARE
        return self.device if has_room else None

    @torch.no_grad()
    def _bytes(self, pictures: AugmentedPictures, station: str, dtype: torch.dtype) -> int:
        self.model.eval()
        example = self._enter(self.clean.draw(np.array([0]), 0), "pixels", torch.float32)
        per_picture = self.model.forward_between(example, "pixels", station).numel() * dtype.itemsize
        return per_picture * len(pictures.entries) * max(pictures.num_views, 1)

    def _compute(
        self,
        pictures: AugmentedPictures,
        stations: list[str],
        dtype: torch.dtype,
        stage: str | None,
        in_memory: bool = True,
    ) -> Generator[Progress, None, dict[str, torch.Tensor]]:
        """Every view of every entry through the frozen part -> {station: (V, E, ...)} of `dtype`."""
        num, num_views = len(pictures.entries), pictures.num_views
        stored: dict[str, torch.Tensor] = {}
        work = [(view, piece) for view in range(num_views) for piece in batch_slices(num, EVALUATION_BATCH)]
        seconds = dict.fromkeys(stations, 0.0)
        self.model.eval()

        def room(x: torch.Tensor) -> torch.Tensor:
            shape = (num_views, num, *x.shape[1:])
            if in_memory or self.folder is None:
                return x.new_empty(shape, dtype=dtype)
            return activation_cache.on_disk(shape, dtype, self.folder)

        upcoming = drawn_ahead(pictures, [(np.arange(piece.start, piece.stop), view) for view, piece in work])
        for view, piece in work:
            started = time.perf_counter()
            x, at = self._enter(next(upcoming), "pixels", dtype), "pixels"
            with torch.no_grad():
                for station in stations:
                    x, at = self._frozen_forward(x, at, station, dtype), station
                    if station not in stored:
                        stored[station] = room(x)
                    stored[station][view, piece] = x.to(dtype)
                    seconds[station] += time.perf_counter() - started
            yield Progress(stage=stage, phase="caching", done=view * num + piece.stop, total=num_views * num)
        self.computed_seconds[stage] = max(seconds.values())
        if stage is not None:
            self.view_seconds = {station: total / num_views for station, total in seconds.items()}
        return stored
