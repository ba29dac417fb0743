"""How much a mistake in each class counts: the person's word, a guide's, or what unequal classes ask for."""

from __future__ import annotations

from tl_core.base.config import RunConfig

UNEQUAL = 1.5
"""Times more pictures in one class than in another, above which "auto" weighs them."""


def loss_weights(config: RunConfig, counts: dict[str, int], positive: str | None) -> dict[str, float]:
    """Loss weight per class name. counts: training pictures per class.

    With class_balance "auto" the commonest class counts once and each other as many times more as it has
    fewer pictures, but only where some class has UNEQUAL times as many as another.
    """
    if config.class_weights is not None:
        return {name: config.class_weights.get(name, 1.0) for name in counts}
    if config.class_balance == "auto":
        most, fewest = max(counts.values()), min(counts.values())
        if not fewest or most <= UNEQUAL * fewest:
            return dict.fromkeys(counts, 1.0)
        return {name: most / count for name, count in counts.items()}
    return {name: config.positive_weight if name == positive else 1.0 for name in counts}
