"""The model files of a run: weights as safetensors, and what a resume needs beside them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tl_core.base.errors import CheckpointDamaged, RunDamaged
from tl_core.models.files.file_checks import ABOUT, read_as_written, require_classes, write_with_sum


def save_weights(path: Path, weights: dict[str, Tensor], about: dict[str, Any] | None = None) -> None:
    """about: what the file says of itself, `classes` (in the order of the logits) above all; plain values.

    Raises: OutputUnwritable.
    """
    told = {ABOUT: json.dumps(about)} if about else None
    write_with_sum(path, save({k: v.detach().cpu().contiguous() for k, v in weights.items()}, told))


def load_weights(path: Path, classes: list[str] | None = None) -> dict[str, Tensor]:
    """classes: those that the file must have been made for, if it names any.

    Raises: RunDamaged: it cannot be read, is not as it was written, or is of other classes.
    """
    content = read_as_written(path)
    if classes is not None:
        require_classes(path, content, classes)
    try:
        return load(content)
    except SafetensorError as error:
        raise RunDamaged(file=path, detail=error) from error


def save_state(path: Path, state: dict[str, Any]) -> None:
    """state: tensors and plain values. Raises: OutputUnwritable."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_with_sum(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Tensors and plain values only: a checkpoint cannot run code.

    Raises: CheckpointDamaged: it cannot be read, or is not as it was written.
    """
    try:
        return torch.load(io.BytesIO(read_as_written(path)), map_location="cpu", weights_only=True)
    except RunDamaged as error:
        raise CheckpointDamaged(**error.values) from error
    except Exception as error:  # torch raises a different class for each way to be damaged
        raise CheckpointDamaged(file=path, detail=error) from error
