"""From the averaged weights to the file that the app ships: statistics, accuracy, 16 bits, a card."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from tl_core.base.files.atomic import write_json
from tl_core.data.pixels.normalise import normalise
from tl_core.models.files.checkpoint_files import save_weights
from tl_core.models.pretraining.loop import MEAN, STD
from tl_core.models.pretraining.pictures import unseen
from tl_core.models.weights.locate import CARD_FORMAT
from tl_core.synthetic import formula

IMAGE_PX = 224
# the size that the app shows pictures at
NUM_STATISTICS = 2_048
NUM_TEST = 2_000
SIZES = (64, 96, 128, 224)
BATCH = 64
# seeds of unseen instances: the statistics must not come from the pictures that are judged on
STATISTICS_SEED, TEST_SEED = 1, 0


def batches(pictures: np.ndarray, device: torch.device) -> Iterator[torch.Tensor]:
    """(N, px, px, 3) uint8 -> (B, 3, px, px) normalised, BATCH at a time."""
    for part in torch.from_numpy(pictures).split(BATCH):
        yield normalise(part.to(device), MEAN, STD).to(memory_format=torch.channels_last)


def settled(network: nn.Module, image_px: int, num_pictures: int) -> nn.Module:
    """A copy in evaluation mode whose BatchNorm statistics are those of pictures of image_px."""
    network = copy.deepcopy(network)
    device = next(network.parameters()).device
    pictures, _ = unseen(num_pictures, image_px, STATISTICS_SEED)
    update_bn(batches(pictures, device), network)
    return network.eval()


@torch.inference_mode()
def accuracy(network: nn.Module, image_px: int, num_pictures: int) -> dict[str, float]:
    """Top-1 and top-5 of 1,000 on instances that no training drew."""
    device = next(network.parameters()).device
    pictures, labels = unseen(num_pictures, image_px, TEST_SEED)
    ranks = torch.cat([network(x).topk(5).indices.cpu() for x in batches(pictures, device)])
    right = (ranks == torch.from_numpy(labels)[:, None]).numpy()
    return {"top1": float(right[:, 0].mean()), "top5": float(right.any(1).mean()), "num": num_pictures}


def write(network: nn.Module, path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """The weights as 16-bit safetensors at `path` and, beside it, the card that names their hash."""
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    save_weights(path, state)
    content = path.read_bytes()
    card = {
        "format": CARD_FORMAT,
        "architecture": "efficientnet_b0 (timm names)",
        "sha256": hashlib.sha256(content).hexdigest(),
        "num_bytes": len(content),
        "dtype": "float16",
        "task": "1,000 classes of pictures drawn by formula; "
        "the instances of a class share a program and its parameters",
        **facts,
        "image_px": IMAGE_PX,
        "mean": list(MEAN),
        "std": list(STD),
        "families": {family.name: family.num_classes for family in formula.FAMILIES},
        "classes": list(formula.class_names()),
    }
    write_json(path.with_suffix(".json"), card)
    return card
