"""Looking at a network without changing it: its last layer, the shapes on the way, the bytes of a part."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from tl_core.models.backbone import TransferModel


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
