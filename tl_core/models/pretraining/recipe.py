"""What is learnt from, in which order, how fast: counted in pictures, so that a step knows its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tl_core.base.errors import ConfigError


@dataclass(frozen=True)
class Phase:
    image_px: int
    num_pictures: int

    def __post_init__(self) -> None:
        if self.image_px < 32 or self.num_pictures < 1:
            raise ConfigError(name="phases", value=f"{self.image_px}:{self.num_pictures}", need=">= 32:1")


@dataclass(frozen=True)
class Recipe:
    """Small pictures first, since they teach as much per picture and cost a tenth.

    The rate rises over `warm_up` pictures, stays, and falls to zero in a straight line over the last
    `decay_part` of all pictures.
    """

    phases: tuple[Phase, ...] = (
        Phase(64, 6_000_000),
        Phase(96, 2_000_000),
        Phase(128, 1_000_000),
        Phase(192, 300_000),
    )
    batch_size: int = 128
    learning_rate: float = 2e-3
    # AdamW's
    warm_up: int = 64_000
    decay_part: float = 0.3
    weight_decay: float = 0.02
    dense_weight: float = 8.0
    # the dense task's loss times this, plus the loss over the classes
    dropout: float = 0.1
    average_over: int = 500
    # steps that the averaged weights look back over
    seed: int = 0

    @property
    def num_steps(self) -> int:
        return sum(self._steps_of(phase) for phase in self.phases)

    def image_px(self, step: int) -> int:
        """Side in pixels of the pictures of a step, 0..num_steps-1. Raises: IndexError: no such step."""
        for phase in self.phases:
            step -= self._steps_of(phase)
            if step < 0:
                return phase.image_px
        raise IndexError("no such step")

    def learning_rate_at(self, step: int) -> float:
        rise = (step + 1) * self.batch_size / self.warm_up if self.warm_up else 1.0
        left = (self.num_steps - step) / self.num_steps
        fall = left / self.decay_part if self.decay_part else 1.0
        return self.learning_rate * min(1.0, rise, fall)

    def _steps_of(self, phase: Phase) -> int:
        return -(-phase.num_pictures // self.batch_size)


def read_phases(texts: list[str]) -> tuple[Phase, ...]:
    """["64:2000000", "96:1000000"] -> phases. Raises: ConfigError."""
    phases = []
    for text in texts:
        if not (found := re.fullmatch(r"(\d+):(\d+)", text)):
            raise ConfigError(name="phases", value=text, need="PX:PICTURES")
        phases.append(Phase(int(found[1]), int(found[2])))
    return tuple(phases)
