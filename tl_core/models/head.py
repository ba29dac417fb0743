"""The last layer of a network: finding it, and what replacing it takes out and puts in."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from tl_core.base.errors import HeadError


@dataclass(frozen=True)
class HeadSwap:
    """What a head replacement takes out and puts in: replaced, not added."""

    classes_before: int
    classes_after: int
    feature_dim: int
    num_removed: int
    # parameters of the old Linear; 1,281,000 for 1,000 classes
    num_added: int
    # parameters of the new one; 2,562 for two classes


def head_counts(old: nn.Module, new: nn.Module) -> HeadSwap:
    """Count the parameters of both heads on the modules themselves.

    Raises: HeadError: one of them has no final Linear.
    """
    before, after = final_linear(old), final_linear(new)
    return HeadSwap(
        classes_before=before.out_features,
        classes_after=after.out_features,
        feature_dim=after.in_features,
        num_removed=sum(p.numel() for p in before.parameters()),
        num_added=sum(p.numel() for p in after.parameters()),
    )


def final_linear(module: nn.Module) -> nn.Linear:
    """The last nn.Linear inside. Raises: HeadError: there is none."""
    linears = [m for m in module.modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise HeadError(detail="the network has no final Linear layer")
    return linears[-1]
