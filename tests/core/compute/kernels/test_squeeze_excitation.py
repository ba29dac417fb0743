"""Squeeze-and-excitation in one pass computes what the libraries' own blocks do."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from tl_core.compute.kernels.fast_gradients import give_fast_gradients
from tl_core.compute.kernels.squeeze_excitation import FusedSqueezeExcite, join_excitations, layers_of
from tl_core.models import build as models
from tl_core.models.weights import sources


def block(library: str) -> nn.Module:
    built = models.build(library, 2, 0.3, sources.choose("random", library=library), seed=0)
    return next(copy.deepcopy(m) for m in built.part_modules("blocks.4")[0].modules() if layers_of(m))


def pair(library: str) -> tuple[nn.Module, nn.Module]:
    plain = nn.Sequential(block(library))
    fast = copy.deepcopy(plain)
    assert join_excitations(fast) == 1 and isinstance(fast[0], FusedSqueezeExcite)
    return plain, fast


def results(module: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Output, gradient of the input, gradients of the parameters."""
    x = x.clone().requires_grad_()
    y = module(x)
    (y * torch.arange(y.numel(), dtype=y.dtype).view_as(y).sin()).sum().backward()
    return [y.detach(), x.grad, *(p.grad for p in module.parameters())]


@pytest.mark.parametrize("library", ["timm", "torchvision"])
@pytest.mark.parametrize(("height", "width"), [(14, 14), (7, 7), (3, 5), (1, 1)])
def test_output_and_gradients_agree_with_float64(library, height, width):
    plain, fast = pair(library)
    channels = next(fast.parameters()).shape[1]
    x = torch.randn(3, channels, height, width).to(memory_format=torch.channels_last)
    true = results(plain.double(), x.double())
    for found, expected in zip(results(fast, x), true, strict=True):
        assert float((found.double() - expected).norm()) <= 1e-5 * float(expected.norm()) + 1e-12


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_parameters_and_their_names_stay_the_same_objects(library):
    plain = nn.Sequential(block(library))
    before = dict(plain.named_parameters())
    join_excitations(plain)
    after = dict(plain.named_parameters())
    assert list(after) == list(before) and all(after[name] is before[name] for name in before)
    assert join_excitations(plain) == 0


@torch.no_grad()
@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_without_gradients_the_answer_is_the_same(library):
    plain, fast = pair(library)
    x = torch.randn(2, next(fast.parameters()).shape[1], 14, 14)
    assert torch.allclose(fast(x), plain(x), atol=1e-6)


def test_a_step_does_not_hold_on_to_the_gradients_of_the_one_before():
    _, fast = pair("timm")
    x = torch.randn(2, next(fast.parameters()).shape[1], 14, 14, requires_grad=True)
    y = fast(x)
    ties = [f.tie for f in _functions(y.grad_fn) if hasattr(f, "tie")]
    y.sum().backward()
    assert ties and all(tie.take() == () for tie in ties)


def _functions(root) -> list:
    found, todo = [], [root]
    while todo:
        function = todo.pop()
        if function is not None and function not in found:
            found.append(function)
            todo += [following for following, _ in function.next_functions]
    return found


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_whole_trained_part_gets_the_gradients_it_had(library):
    plain = models.build(library, 2, 0.0, sources.choose("random", library=library), seed=0)
    plain.unfreeze_last(3)
    plain.eval()  # no random layers; gradients flow all the same
    fast = copy.deepcopy(plain)
    for part in fast.trainable_parts():
        for module in fast.part_modules(part):
            give_fast_gradients(module)
    z = torch.randn(2, 80, 6, 6, generator=torch.Generator().manual_seed(0))
    for network in (plain.double(), fast.double()):
        network.forward_between(z.double(), "blocks.3", "classifier").square().sum().backward()
    largest = max(float(p.grad.abs().max()) for p in plain.parameters() if p.grad is not None)
    for a, b in zip(plain.parameters(), fast.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            assert torch.allclose(a.grad, b.grad, rtol=1e-8, atol=1e-10 * largest)
