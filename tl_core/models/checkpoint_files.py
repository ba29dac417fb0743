"""The model files of a run: weights as safetensors, and what a resume needs beside them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tl_core.base.atomic import write_atomic
from tl_core.base.errors import RunDamaged


def save_weights(path: Path, weights: dict[str, Tensor], about: dict[str, str] | None = None) -> None:
    """Raises: OutputUnwritable."""
    write_atomic(path, save({k: v.detach().cpu().contiguous() for k, v in weights.items()}, about))


def load_weights(path: Path) -> dict[str, Tensor]:
    """Raises: RunDamaged."""
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise RunDamaged(file=path, detail=error) from error


def save_state(path: Path, state: dict[str, Any]) -> None:
    """state: tensors and plain values. Raises: OutputUnwritable."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomic(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Tensors and plain values only: a checkpoint cannot run code. Raises: RunDamaged."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different class for each way to be damaged
        raise RunDamaged(file=path, detail=error) from error
