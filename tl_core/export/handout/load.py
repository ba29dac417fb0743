"""Load model.safetensors with timm (for torchvision's network: torchvision) and PyTorch, nothing else.

    model = load()
    probabilities = model(pictures)  # uint8 (num, px, px, 3), RGB, as PICTURE-PATH.md says

`model.network` is the library's own, to go on training with; `model.about` says what its answers mean.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file

FILE = Path(__file__).with_name("model.safetensors")


class Model(torch.nn.Module):
    """Pictures (N, px, px, 3) uint8 -> probabilities (N, C)."""

    def __init__(self, about: dict[str, Any]) -> None:
        super().__init__()
        self.about, self.network = about, _network(about, len(about["classes"]))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, px, px, 3) uint8 -> (N, C)"""
        mean, std = (255 * torch.tensor(self.about[name]).reshape(3, 1, 1) for name in ("mean", "std"))
        x = (pictures.permute(0, 3, 1, 2).float() - mean.to(pictures.device)) / std.to(pictures.device)
        p = torch.softmax(self.network(x), dim=1)
        warmth = self.about["temperature"]
        return torch.softmax(p.clamp(min=5e-7).log() / warmth, dim=1) if warmth else p


def _network(about: dict[str, Any], num_classes: int) -> torch.nn.Module:
    if about["library"] == "torchvision":
        import torchvision

        return torchvision.models.efficientnet_b0(num_classes=num_classes)
    import timm

    size = {"img_size": about["image_px"]} if about["backbone"].startswith("vit") else {}
    return timm.create_model(about["backbone"], pretrained=False, num_classes=num_classes, **size)


def load(file: Path = FILE) -> Model:
    """In evaluation mode, on the processor."""
    with safe_open(file, "pt") as opened:
        model = Model(json.loads(opened.metadata()["headswap"]))
    model.network.load_state_dict(load_file(file))
    return model.eval()
