"""The frozen part of the network for forward passes only: fewer passes over memory, the same answers.

A frozen BatchNorm is a fixed scale and shift of each channel, which the convolution before it can do on
its own: its weights are multiplied by the scale. Half of a frozen forward pass on a CPU was BatchNorm.
The folded network is a copy; the one that is trained, and its file, stay as they are.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import fuse_conv_bn_weights

from tl_core.compute.kernels.squeeze_excitation import join_excitations

Network = TypeVar("Network", bound=nn.Module)


def folded(network: Network, dtype: torch.dtype) -> Network:
    """A copy of `network` as it stands, in `dtype`, for evaluation without gradients: the same answers
    up to rounding (fp32: about 1e-6 of their size)."""
    copied = copy.deepcopy(network).requires_grad_(False).eval()
    for part in list(copied.modules()):
        fold_norms(part)
    join_excitations(copied)
    return copied.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def fold_norms(parent: nn.Module) -> int:
    """Fold each BatchNorm of `parent` into the convolution named just before it; returns how many.

    timm's and torchvision's EfficientNets name their layers in the order in which they are called. A
    BatchNorm of timm's has the activation inside; that is what is left in its place.
    """
    num, layers = 0, list(parent.named_children())
    for (_, conv), (name, norm) in pairwise(layers):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, _BatchNorm):
            assert norm.running_mean is not None and norm.running_var is not None
            statistics = (norm.running_mean, norm.running_var, norm.eps)
            conv.weight, conv.bias = fuse_conv_bn_weights(
                conv.weight, conv.bias, *statistics, norm.weight, norm.bias
            )
            setattr(parent, name, getattr(norm, "act", nn.Identity()))
            num += 1
    return num
