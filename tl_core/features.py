"""Frozen work is done once: activations of the frozen part, computed per view and kept.

A frozen part gives the same output for the same input in every epoch. So each training picture is
augmented in `views` ways, every view goes through the frozen part once, and epoch e trains on view
(e - 1) mod views. `views = 0` draws a fresh view every epoch and keeps nothing. Unaugmented pictures
are kept too: every validation and evaluation starts from them.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from tl_core.config import STAGES, RunConfig
from tl_core.events import Progress
from tl_core.feeds import CachedFeed, Pictures, PlainFeed, batch_slices
from tl_core.model import CLASSIFIER, STATIONS, TransferModel, boundary_for

MEMORY_SHARE = 4
"""Activations may take a quarter of the free memory, so that the app and the browser keep theirs."""

EVALUATION_BATCH = 32
"""Pictures per forward pass without gradients."""


@dataclass(frozen=True)
class FeedPlan:
    """How a stage is fed. kind: cached or plain. why: a key under [feed] in the messages."""

    kind: str
    why: str


def plan_feed(config: RunConfig, epochs: int, entry: str, num_bytes: int, free_bytes: int) -> FeedPlan:
    """Cached where that saves work and fits into a quarter of the free memory.

    entry: where the trained part begins. num_bytes: of all views of all entries there.
    """
    if entry == "pixels":
        return FeedPlan("plain", "nothing_frozen")
    if not config.augment:
        return FeedPlan("cached", "no_augmentation")
    if not config.views:
        return FeedPlan("plain", "exact")
    if config.views >= epochs:
        return FeedPlan("plain", "no_saving")
    if num_bytes > free_bytes // MEMORY_SHARE:
        return FeedPlan("plain", "memory")
    return FeedPlan("cached", "saves_work")


class FrozenWork:
    """What the frozen part has to say about a run's pictures, computed when first needed.

    training: the augmented entries. clean: every picture once, in the order of the data set.
    dtype: of the training views (bfloat16 where that is faster); clean pictures are always float32,
    so that evaluation here and prediction later agree. free_bytes: memory there is to share.
    """

    def __init__(
        self,
        model: TransferModel,
        training: Pictures,
        clean: Pictures,
        config: RunConfig,
        *,
        device: str,
        dtype: torch.dtype,
        free_bytes: int,
    ) -> None:
        self.model, self.training, self.clean, self.config = model, training, clean, config
        self.device, self.dtype, self.free_bytes = device, dtype, free_bytes
        self.entries = {"head": boundary_for(0), "finetune": boundary_for(config.unfreeze_blocks)}
        self.plans = {stage: self._plan(stage) for stage in STAGES if getattr(config, stage).epochs}
        self._views: dict[str, torch.Tensor] = {}  # station -> (V, E, ...)
        self._clean: dict[str, torch.Tensor] = {}  # station -> (N, ...)

    def _plan(self, stage: str) -> FeedPlan:
        entry, epochs = self.entries[stage], getattr(self.config, stage).epochs
        num_bytes = self._bytes(self.training, entry, self.dtype) if entry != "pixels" else 0
        return plan_feed(self.config, epochs, entry, num_bytes, self.free_bytes)

    def training_feed(self, stage: str) -> Generator[Progress, None, PlainFeed | CachedFeed]:
        """The stage's feed; computes activations first where the plan says so.

        The cheap order: while the backbone is whole, one pass serves the stations of both stages.
        """
        if self.plans[stage].kind == "plain":
            return PlainFeed(self.training, self.config.batch_size)
        if self.entries[stage] not in self._views:
            wanted = {self.entries[s] for s, plan in self.plans.items() if plan.kind == "cached"}
            if stage == "finetune":
                wanted = {self.entries[stage]}  # later stations have been trained, their outputs changed
            stations = sorted(wanted, key=STATIONS.index)
            self._views = yield from self._compute(self.training, stations, self.dtype, stage)
        views = self._views.pop(self.entries[stage])
        return CachedFeed(views, self.training.targets(), self.entries[stage], self.config.batch_size)

    def prepare_clean(self) -> Generator[Progress, None, None]:
        """Keep what evaluation starts from. Call while the whole backbone is frozen."""
        stations = {self.entries[stage] for stage in self.plans} | {"pooled"}
        room = self.free_bytes // MEMORY_SHARE
        kept = [s for s in stations if s != "pixels" and self._bytes(self.clean, s, torch.float32) <= room]
        if kept:
            stored = yield from self._compute(
                self.clean, sorted(kept, key=STATIONS.index), torch.float32, None
            )
            self._clean = {station: values[0] for station, values in stored.items()}

    @torch.no_grad()
    def logits(self, indices: list[int], stage: str) -> torch.Tensor:
        """Clean pictures through the model as it stands in `stage` -> (len(indices), C) float32 on CPU."""
        self.model.eval()
        entry = self.entries.get(stage, "pooled")
        kept = self._clean.get(entry)
        order, results = np.asarray(indices, dtype=np.int64), []
        for piece in batch_slices(len(order), EVALUATION_BATCH):
            chosen = order[piece]
            if kept is None:
                z, start = self.clean.pixels(chosen, 0).to(self.device), "pixels"
            else:
                z, start = kept[torch.from_numpy(chosen)].to(self.device), entry
            results.append(self.model.forward_between(z, start, CLASSIFIER).float().cpu())
        return torch.cat(results)

    @torch.no_grad()
    def _bytes(self, pictures: Pictures, station: str, dtype: torch.dtype) -> int:
        self.model.eval()
        example = self.clean.pixels(np.array([0]), 0).to(self.device)
        per_picture = self.model.forward_between(example, "pixels", station).numel() * dtype.itemsize
        return per_picture * len(pictures.entries) * max(pictures.num_views, 1)

    def _compute(
        self, pictures: Pictures, stations: list[str], dtype: torch.dtype, stage: str | None
    ) -> Generator[Progress, None, dict[str, torch.Tensor]]:
        """Every view of every entry through the frozen part -> {station: (V, E, ...)} of `dtype`."""
        num, num_views = len(pictures.entries), pictures.num_views
        stored: dict[str, torch.Tensor] = {}
        work = [(view, piece) for view in range(num_views) for piece in batch_slices(num, EVALUATION_BATCH)]
        self.model.eval()
        with ThreadPoolExecutor(1) as pool:  # draws the next batch while this one is computed

            def draw(step: int) -> torch.Tensor:
                view, piece = work[step]
                return pictures.pixels(np.arange(piece.start, piece.stop), view)

            upcoming = pool.submit(draw, 0)
            for step, (view, piece) in enumerate(work):
                x, at = upcoming.result().to(self.device), "pixels"
                if step + 1 < len(work):
                    upcoming = pool.submit(draw, step + 1)
                kind = torch.device(self.device).type
                with torch.no_grad(), torch.autocast(kind, dtype, enabled=dtype != torch.float32):
                    for station in stations:
                        x, at = self.model.forward_between(x, at, station), station
                        if station not in stored:
                            stored[station] = x.new_empty((num_views, num, *x.shape[1:]), dtype=dtype)
                        stored[station][view, piece] = x.to(dtype)
                yield Progress(
                    stage=stage, phase="caching", done=view * num + piece.stop, total=num_views * num
                )
        return stored
