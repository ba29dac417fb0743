"""The faster depthwise layer computes what torch's own does, in every shape that EfficientNet-B0 has."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import nn

from tl_core.compute.kernels.depthwise import SplitDepthwise, is_slow, split_depthwise
from tl_core.models import build as models


def depthwise(kernel: int, stride: int, channels: int) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)


def layers_of_the_network() -> set[tuple[int, int, int]]:
    network = timm.create_model("efficientnet_b0", pretrained=False)
    return {
        (m.kernel_size[0], m.stride[0], m.in_channels)
        for m in network.modules()
        if isinstance(m, nn.Conv2d) and m.groups > 1
    }


def gradients(layer: nn.Module, x: torch.Tensor, direction: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x = x.clone().requires_grad_()
    y = layer(x)
    (y * direction.to(y.dtype)).sum().backward()
    return y.detach(), x.grad, layer.weight.grad


def relative(found: torch.Tensor, true: torch.Tensor) -> float:
    return float((found.double() - true).norm() / true.norm())


@pytest.mark.parametrize(("height", "width"), [(14, 14), (7, 7), (9, 6), (5, 13), (2, 3), (1, 1)])
@pytest.mark.parametrize(("kernel", "stride", "channels"), sorted(layers_of_the_network()))
def test_gradients_agree_with_float64_for_every_depthwise_layer_of_the_network(
    kernel, stride, channels, height, width
):
    plain = depthwise(kernel, stride, channels)
    fast = nn.Sequential(copy.deepcopy(plain))
    assert split_depthwise(fast) == (kernel == 5)
    x = torch.randn(3, channels, height, width).to(memory_format=torch.channels_last)
    direction = torch.randn_like(plain(x))
    true = gradients(plain.double(), x.double(), direction.double())
    for found, expected in zip(gradients(fast[0], x, direction), true, strict=True):
        assert relative(found, expected) < 1e-5


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_under_bf16_autocast_the_gradients_are_right_to_the_digits_bf16_has(stride, memory_format):
    plain = depthwise(5, stride, 48)
    fast = SplitDepthwise.like(copy.deepcopy(plain))
    x = torch.randn(4, 48, 9, 11).to(memory_format=memory_format)
    direction = torch.randn_like(plain(x))
    true = gradients(plain.double(), x.double(), direction.double())
    with torch.autocast("cpu", torch.bfloat16):
        y, of_x, of_weight = gradients(fast, x, direction)
    assert (y.dtype, of_x.dtype, of_weight.dtype) == (torch.bfloat16, torch.float32, torch.float32)
    for found, expected in zip((y, of_x, of_weight), true, strict=True):
        assert relative(found, expected) < 0.01


def test_a_gradient_that_is_not_asked_for_is_not_computed(monkeypatch):
    fast = SplitDepthwise.like(depthwise(5, 1, 8))
    monkeypatch.setattr(
        "tl_core.compute.kernels.depthwise.input_gradient", lambda *_: pytest.fail("nobody asked")
    )
    fast(torch.randn(1, 8, 6, 6)).sum().backward()
    assert fast.weight.grad is not None
    fast.weight.requires_grad_(False)
    x = torch.randn(1, 8, 6, 6, requires_grad=True)
    fast(x).sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_replacing_the_layers_changes_no_name_no_parameter_and_no_answer(library):
    torch.manual_seed(0)
    network = models.skeleton(library, 2, 0.3).eval()
    before, names = dict(network.named_parameters()), list(network.state_dict())
    x = torch.randn(2, 3, 64, 64)
    answer = network(x)
    tail = [m for part in ("blocks.4", "blocks.5", "blocks.6") for m in network.part_modules(part)]
    assert sum(map(split_depthwise, tail)) == 7
    assert list(network.state_dict()) == names
    assert all(before[name] is p for name, p in network.named_parameters())
    torch.testing.assert_close(network(x), answer)


def test_layers_it_was_not_made_for_are_left_alone():
    others = [
        nn.Conv2d(8, 8, 5, padding=2),
        nn.Conv2d(8, 8, 5, padding=2, groups=8),
        nn.Conv2d(8, 8, 5, padding=1, groups=8, bias=False),
        nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False, dilation=2),
        nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False, padding_mode="reflect"),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
        nn.Conv2d(1, 1, 5, padding=2, bias=False),
    ]
    assert not any(map(is_slow, others))
