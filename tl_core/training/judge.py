"""What answers are worth: the loss that chooses the best epoch, and the scores of each split."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from tl_core.base.events import Evaluated
from tl_core.data.dataset import SPLITS
from tl_core.data.prepare import Prepared
from tl_core.evaluation import metrics

LEAST_PROBABILITY = 1e-3
"""Below this a probability counts as this in the validation loss, so that one strange picture cannot
decide alone which epoch is the best. (Seen: 142 pictures at 0.3 on average, one at 343.)"""


class Judge:
    """positive: the class that metrics speak of; None: all alike. class_weights: (C,) of the loss."""

    def __init__(self, prepared: Prepared, positive: str | None, class_weights: torch.Tensor) -> None:
        self.prepared, self.positive, self.class_weights = prepared, positive, class_weights

    def scores(self, log_p: np.ndarray, indices: list[int]) -> tuple[float, float]:
        """log probabilities (N, C) of the pictures at `indices` (N,) -> (loss, accuracy)."""
        truth = self.prepared.labels[indices]
        bounded = torch.from_numpy(log_p).float().clamp(min=math.log(LEAST_PROBABILITY))
        loss = nn.functional.nll_loss(bounded, torch.from_numpy(truth), weight=self.class_weights)
        return float(loss), float((log_p.argmax(axis=1) == truth).mean())

    def evaluate(self, stage: str, probabilities: np.ndarray) -> Iterator[Evaluated]:
        """The scores of each split that there is. probabilities: (N, C) of every picture."""
        classes = self.prepared.dataset.classes
        for split in SPLITS:
            indices = getattr(self.prepared.split, split)
            if indices:
                truth, groups = self.prepared.labels[indices], self.prepared.groups[indices]
                scores = metrics.evaluate(
                    truth, probabilities[indices], classes, self.positive, groups=groups
                )
                yield Evaluated(stage=stage, split=split, metrics=scores)
