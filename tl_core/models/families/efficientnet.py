"""EfficientNets: timm's, and torchvision's B0 with the same parts, names and numbers.

`EfficientNetClassifier` holds timm's network (the expression guide), `TorchvisionClassifier`
torchvision's (the casting guide): the same weights in both B0s give the same logits. Lite0, made for
phones, has B0's parts without squeeze-and-excitation and with ReLU6.

Source: Tan & Le 2019, arXiv:1905.11946, table 1.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from tl_core.models.backbone import TransferModel
from tl_core.models.families import fixed_padding
from tl_core.models.families.registry import ARCHITECTURES, CLASSIFIER, STEM
from tl_core.models.families.timm_network import TimmClassifier
from tl_core.models.weights.record import B0


class EfficientNetClassifier(TimmClassifier):
    """timm's network without its classifier, then Dropout + Linear (expression guide)."""

    cam_station = "head_conv"

    def part_modules(self, part: str) -> list[nn.Module]:
        net = self.backbone
        if part == STEM:
            return [net.conv_stem, net.bn1]
        if part == "head_conv":
            return [net.conv_head, net.bn2]
        if part == CLASSIFIER:
            return [self.classifier]
        return [net.blocks[int(part.removeprefix("blocks."))]]

    def for_size(self, image_px: int) -> TransferModel:
        """Lite0's padding depends on the size; once it is known it needs no sums."""
        own = copy.deepcopy(self).eval()
        fixed_padding.fix(own, torch.zeros(1, 3, image_px, image_px))
        return own


class TorchvisionClassifier(TransferModel):
    """torchvision's efficientnet_b0 with its classifier replaced (casting guide).

    state_dict: torchvision's own keys, so that `models.efficientnet_b0(num_classes=N)` reads it.
    """

    library = "torchvision"
    cam_station = "head_conv"

    def __init__(self, num_classes: int, dropout: float) -> None:
        from torchvision import models

        super().__init__(ARCHITECTURES[B0])
        net = models.efficientnet_b0(weights=None)
        self.features, self.avgpool, self.classifier = net.features, net.avgpool, net.classifier
        self.replace_head(num_classes, dropout)

    def part_modules(self, part: str) -> list[nn.Module]:
        if part == CLASSIFIER:
            return [self.classifier]
        # features[0] is the stem, [1]..[7] the block groups, [8] the head convolution
        return [self.features[self.part_names.index(part)]]

    def part_groups(self) -> dict[str, int]:
        """torchvision has no table of its own: as timm's for the same network."""
        return {part: min(index, 7) for index, part in enumerate(self.part_names[:-1])}

    def pool(self, features: Tensor) -> Tensor:
        """(B, 1280, h, w) -> (B, 1280)"""
        return torch.flatten(self.avgpool(features), 1)
