"""TensorFlow's "same" padding, for pictures of one size.

Networks that were trained in TensorFlow pad so that the output is the input divided by the stride, rounded
up; how much depends on the input's size, and timm works it out again in every pass. An exported graph would
carry those sums along: 200 nodes of Lite0's 300. For one size they are numbers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def fix(network: nn.Module, picture: Tensor) -> None:
    """Replaces every such convolution by one with the padding that `picture`'s size leads to; the answers
    stay as they are. picture: one that `network` takes, (1, 3, px, px) float; mutates `network`."""
    from timm.layers import Conv2dSame

    seen: dict[nn.Module, tuple[int, ...]] = {}
    found = {name: one for name, one in network.named_modules() if isinstance(one, Conv2dSame)}
    hooks = [
        one.register_forward_pre_hook(lambda own, given: seen.__setitem__(own, tuple(given[0].shape[-2:])))
        for one in found.values()
    ]
    with torch.no_grad():
        network(picture)
    for hook in hooks:
        hook.remove()
    for name, one in found.items():
        owner, _, own_name = name.rpartition(".")
        setattr(network.get_submodule(owner), own_name, _fixed(one, seen[one]))


def _fixed(one: Any, size: tuple[int, ...]) -> nn.Module:
    """The same convolution with padding in numbers, in a module of its own where the sides are unequal."""
    from timm.layers.padding import pad_same_arg

    left, right, top, bottom = pad_same_arg(list(size), one.kernel_size, one.stride, one.dilation)
    plain = nn.Conv2d(
        one.in_channels, one.out_channels, one.kernel_size, one.stride, 0, one.dilation, one.groups,
        one.bias is not None,
    )  # fmt: skip
    plain.weight, plain.bias = one.weight, one.bias
    if (left, top) == (right, bottom):
        plain.padding = (top, left)
        return plain
    return nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), plain)
