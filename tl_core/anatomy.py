"""Looking at a network without changing it: its last layer, the shapes on the way, the bytes of a part."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from tl_core.errors import HeadError

if TYPE_CHECKING:
    from tl_core.model import TransferModel


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


def part_shapes(model: TransferModel, image_px: int) -> dict[str, tuple[int, ...]]:
    """{"pixels": (3, px, px), "stem": (32, …), …, "pooled": (1280,), "classifier": (num_classes,)}.

    Runs on torch's meta device: shapes without arithmetic, and the model is not touched.
    """
    ghost = copy.deepcopy(model).to("meta").eval()
    x = torch.empty(1, 3, image_px, image_px, device="meta")
    shapes, before = {"pixels": tuple(x.shape[1:])}, "pixels"
    for station in (*ghost.part_names[:-1], "pooled", ghost.part_names[-1]):
        x = ghost.forward_between(x, before, station)
        shapes[station], before = tuple(x.shape[1:]), station
    return shapes


def part_state_hash(model: TransferModel, part: str) -> str:
    """sha256 over names, types, shapes and bytes of a part's parameters and buffers: equal hashes
    mean bit-identical, BatchNorm statistics included."""
    digest = hashlib.sha256()
    for index, module in enumerate(model.part_modules(part)):
        for name, tensor in module.state_dict().items():
            digest.update(f"{index}.{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
