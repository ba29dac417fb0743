"""The folded network answers as the network that it was made of, and leaves that one alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tl_core.compute.kernels.batchnorm_folding import folded
from tl_core.models import build as models
from tl_core.models.backbone import TransferModel
from tl_core.models.families.registry import ARCHITECTURES
from tl_core.models.weights import sources

STATIONS = [*(name for name, _ in ARCHITECTURES["efficientnet_b0"].parts[:-1]), "pooled"]


def network(library: str) -> TransferModel:
    """With statistics and scales that a fold could get wrong."""
    built = models.build(library, 2, 0.3, sources.choose("random", library=library), seed=0)
    generator = torch.Generator().manual_seed(0)
    for layer in built.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor, low, high in (
                (layer.running_mean, -0.5, 0.5), (layer.running_var, 0.5, 2.0),
                (layer.weight.data, -1.5, 1.5), (layer.bias.data, -0.5, 0.5),
            ):  # fmt: skip
                tensor.uniform_(low, high, generator=generator)
    return built.to(memory_format=torch.channels_last).eval()


def pictures() -> torch.Tensor:
    drawn = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    return drawn.to(memory_format=torch.channels_last)


def relative(found: torch.Tensor, true: torch.Tensor) -> float:
    return float((found.double() - true.double()).norm() / true.double().norm())


@pytest.mark.parametrize("library", ["timm", "torchvision"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.05)])
@torch.no_grad()
def test_every_station_says_what_it_said_before(library, dtype, tolerance):
    plain = network(library)
    short = folded(plain, dtype)
    x = y = pictures()
    for first, last in zip(["pixels", *STATIONS], STATIONS, strict=False):
        x, y = plain.forward_between(x, first, last), short.forward_between(y.to(dtype), first, last)
        assert x.shape == y.shape
        assert relative(y, x) < tolerance, last


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_no_batchnorm_is_left_and_the_network_it_was_made_of_is_untouched(library):
    plain = network(library)
    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    short = folded(plain, torch.float32)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in short.modules())
    assert not any(p.requires_grad for p in short.parameters())
    after = plain.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    assert all(p.requires_grad for p in plain.parameters())
