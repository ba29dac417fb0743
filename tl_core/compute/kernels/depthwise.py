"""A 5×5 depthwise convolution whose gradients are computed several times faster on a CPU.

Why it is slow otherwise: torch's CPU library (oneDNN) has a fast kernel for the weight gradient of a
depthwise convolution only up to three columns wide. EfficientNet's 5×5 layers fall back to a kernel
that multiplies 16×16 channels to keep 16 of them: 6 times slower in fp32, 20 times in bf16. In bf16 the
input gradient of a layer with stride 2 falls back further still, to a plain loop.

What is done here: the five columns are asked for in two goes of three (the middle one twice). The
picture is laid out with two blank columns between its rows, so that a go is the same memory read
from another first pixel, and nothing is copied but once. The forward pass is torch's own.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

FAST_COLUMNS = 3
"""Columns of a kernel up to which oneDNN 3.13 computes the weight gradient with its depthwise code."""


def split_depthwise(module: nn.Module) -> int:
    """Replace every 5×5 depthwise convolution inside `module`; returns how many there were.

    Parameters, buffers and their names stay the same objects: optimizers and state dicts notice nothing.
    """
    num = 0
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and is_slow(child):
                setattr(parent, name, SplitDepthwise.like(child))
                num += 1
    return num


def is_slow(module: nn.Module) -> bool:
    """A depthwise convolution as EfficientNet has it, of the size that torch's own is slow at."""
    return (
        type(module) is nn.Conv2d
        and module.groups == module.in_channels == module.out_channels > 1
        and module.kernel_size == (5, 5)
        and module.padding == (2, 2)
        and module.stride in ((1, 1), (2, 2))
        and module.dilation == (1, 1)
        and module.padding_mode == "zeros"
        and module.bias is None
    )


class SplitDepthwise(nn.Conv2d):
    """The same layer, the same numbers; see the module."""

    @classmethod
    def like(cls, conv: nn.Conv2d) -> SplitDepthwise:
        """Shares the weight of `conv`."""
        channels = conv.in_channels
        new = cls(
            channels,
            channels,
            conv.kernel_size,  # type: ignore[arg-type]
            conv.stride,  # type: ignore[arg-type]
            conv.padding,  # type: ignore[arg-type]
            groups=channels,
            bias=False,
            device="meta",
        )
        new.weight = conv.weight
        return new.train(conv.training)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, ceil(H / stride), ceil(W / stride))."""
        if not (torch.is_grad_enabled() and self.weight.requires_grad and x.device.type == "cpu"):
            return super().forward(x)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):  # torch's own convolution would be told by autocast
            x, weight = x.to(torch.get_autocast_dtype("cpu")), weight.to(torch.get_autocast_dtype("cpu"))
        return _Depthwise.apply(x, weight, self.stride[0])


class _Depthwise(torch.autograd.Function):
    """5×5, padding 2; stride 1 or 2."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return F.conv2d(x, weight, None, stride, 2, 1, x.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        needs_x, needs_weight, _ = ctx.needs_input_grad
        return (
            input_gradient(x, weight, grad, ctx.stride) if needs_x else None,
            weight_gradient(x, grad, ctx.stride).to(weight.dtype) if needs_weight else None,
            None,
        )


def input_gradient(x: Tensor, weight: Tensor, grad: Tensor, stride: int) -> Tensor:
    """(B, C, h, w) -> (B, C, H, W): what `x` would have to change. Of `x` only the shape counts."""
    if stride > 1 and x.dtype == torch.bfloat16:  # bf16 has no fast code for this; fp32 has
        blank = torch.empty_like(x, dtype=torch.float32)
        return _gradient(blank, weight.float(), grad.float(), stride, (2, 2), of_weight=False).to(x.dtype)
    return _gradient(x, weight, grad, stride, (2, 2), of_weight=False)


def weight_gradient(x: Tensor, grad: Tensor, stride: int) -> Tensor:
    """x (B, C, H, W), grad (B, C, h, w) -> (C, 1, 5, 5).

    In memory the rows follow each other with two blank pixels between: reading from two pixels
    early, a window's columns are -2, -1, 0; reading from the row's start, 0, 1, 2.
    """
    batch, channels, height, width = x.shape
    wide = width + FAST_COLUMNS - 1
    num = batch * height * wide
    pixels = x.new_zeros((num + 2, channels))
    pixels[2:].view(batch, height, wide, channels)[:, :, :width] = x.permute(0, 2, 3, 1)
    three_columns = x.new_empty((channels, 1, 5, FAST_COLUMNS))
    left, right = (
        _gradient(
            pixels[start : start + num].view(batch, height, wide, channels).permute(0, 3, 1, 2),
            three_columns,
            grad,
            stride,
            (2, 0),
            of_weight=True,
        )
        for start in (0, 2)
    )
    return torch.cat([left, right[..., 1:]], dim=-1)


def _gradient(
    x: Tensor, weight: Tensor, grad: Tensor, stride: int, padding: tuple[int, int], *, of_weight: bool
) -> Tensor:
    """torch's own gradient of a depthwise convolution, by the weight or by the input."""
    wanted = (False, True, False) if of_weight else (True, False, False)
    found = torch.ops.aten.convolution_backward(
        grad, x, weight, None, (stride, stride), padding, (1, 1), False, (0, 0), x.shape[1], wanted
    )
    return found[1] if of_weight else found[0]
