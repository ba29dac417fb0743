"""The second task: say where in the picture which edges run and which colours lie.

One label per picture tells the network little; a grid of orientation histograms is a few hundred numbers,
and asks for what the early layers are for. After MaskFeat (Wei et al. 2022, arXiv:2112.09133) and HOG
(Dalal and Triggs 2005), read off the pooled feature.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

GRID = 6
BINS = 9
# directions of an edge, 20° each; a dark-to-light and a light-to-dark edge count as one
SIZE = GRID * GRID * (BINS + 3)
LIMIT = 5.0
# standard deviations; what lies further out counts as this


class DenseTarget(nn.Module):
    """(B, 3, px, px) float -> (B, SIZE) float, each number standardised over the pictures seen so far."""

    mean: torch.Tensor
    variance: torch.Tensor
    sobel: torch.Tensor
    num_seen: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
        self.register_buffer("sobel", torch.stack([across, across.T])[:, None], persistent=False)
        self.register_buffer("mean", torch.zeros(SIZE))
        self.register_buffer("variance", torch.ones(SIZE))
        self.register_buffer("num_seen", torch.zeros(()))

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, h, w) -> (B, SIZE), each number about 0 with a scatter of 1, within ±LIMIT."""
        raw = torch.cat([self.histograms(pixels), F.adaptive_avg_pool2d(pixels, GRID)], 1).flatten(1)
        self.num_seen += 1
        # an average over all batches at first, over about the last hundred later
        part = torch.clamp(1 / self.num_seen, min=0.01)
        self.mean.lerp_(raw.mean(0), part)
        self.variance.lerp_((raw - self.mean).square().mean(0), part)
        return ((raw - self.mean) / (self.variance.sqrt() + 1e-4)).clamp(-LIMIT, LIMIT)

    def histograms(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, px, px) -> (B, BINS, GRID, GRID): strength of edges per direction, evened out by light."""
        grey = F.pad(pixels.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
        slope = F.conv2d(grey, self.sobel)
        strength = slope.norm(dim=1, keepdim=True)
        place = torch.atan2(slope[:, 1:], slope[:, :1]).remainder(math.pi) / math.pi * BINS
        low = place.floor().clamp(max=BINS - 1)
        part = place - low
        edges = pixels.new_zeros(len(pixels), BINS, *pixels.shape[2:])
        edges.scatter_add_(1, low.long(), strength * (1 - part))
        edges.scatter_add_(1, (low.long() + 1) % BINS, strength * part)
        cells = F.adaptive_avg_pool2d(edges, GRID)
        around = F.avg_pool2d(cells.square().sum(1, keepdim=True), 3, 1, 1).sqrt()
        return cells / (around + 0.02)
