"""Looking at a network without changing it: its parts, the shapes on the way, the bytes of a part."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING

import torch
from torch import nn

from tl_core.models.backbone import PartFacts

if TYPE_CHECKING:
    from tl_core.models.backbone import TransferModel

NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


def describe(model: TransferModel, image_px: int) -> list[PartFacts]:
    """Every part in the order of the forward pass, as pages and tables show it."""
    shapes, counts = part_shapes(model, image_px), model.parameter_counts()
    facts = []
    for name, unit in model.architecture.parts:
        inside = [layer for module in model.part_modules(name) for layer in module.modules()]
        norms = [layer for layer in inside if isinstance(layer, NORMS)]
        # timm's own norms carry an activation and another name
        kind = "BatchNorm" if norms and isinstance(norms[0], NORMS[0]) else "LayerNorm" if norms else None
        num_layers = sum(isinstance(layer, (nn.modules.conv._ConvNd, nn.Linear)) for layer in inside)
        facts.append(PartFacts(name, unit, shapes[name], counts[name][0], num_layers, kind))
    return facts


def part_shapes(model: TransferModel, image_px: int) -> dict[str, tuple[int, ...]]:
    """{"pixels": (3, px, px), "stem": (32, …), …, "pooled": (1280,), "classifier": (num_classes,)}.

    Runs on torch's meta device: shapes without arithmetic, and the model is not touched.
    """
    ghost = copy.deepcopy(model).to("meta").eval()
    x = torch.empty(1, 3, image_px, image_px, device="meta")
    shapes, before = {"pixels": tuple(x.shape[1:])}, "pixels"
    for station in ghost.stations[1:]:
        x = ghost.forward_between(x, before, station)
        shapes[station], before = tuple(x.shape[1:]), station
    return shapes


def part_state_hash(model: TransferModel, part: str) -> str:
    """sha256 over names, types, shapes and bytes of a part's parameters and buffers: equal hashes
    mean bit-identical, BatchNorm statistics included."""
    digest = hashlib.sha256()
    named = {id(tensor): name for name, tensor in model.state_dict(keep_vars=True).items()}
    for tensor in model.part_state(part):
        digest.update(f"{named[id(tensor)]} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
