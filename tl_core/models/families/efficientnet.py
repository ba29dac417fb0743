"""EfficientNets: timm's, and torchvision's B0 with the same parts, names and numbers.

`EfficientNetClassifier` holds timm's network (the expression guide), `TorchvisionClassifier`
torchvision's (the casting guide): the same weights in both B0s give the same logits. Lite0, made for
phones, has B0's parts without squeeze-and-excitation and with ReLU6.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tl_core.models.backbone import BLOCKS, CLASSIFIER, PART_NAMES, TransferModel
from tl_core.models.weights.record import B0


class EfficientNetClassifier(TransferModel):
    """timm's network without its classifier, then Dropout + Linear (expression guide).

    state_dict: backbone.<timm's keys>, classifier.1.weight, classifier.1.bias.
    """

    library = "timm"
    backbone: Any  # timm's EfficientNet; its layers are found by name

    def __init__(self, num_classes: int, dropout: float, name: str = B0) -> None:
        """name: timm's, of an EfficientNet."""
        import timm

        super().__init__()
        self.name = name
        self.backbone = timm.create_model(name, pretrained=False, num_classes=0)
        self.classifier = nn.Linear(self.backbone.num_features, num_classes)
        self.replace_head(num_classes, dropout)

    def part_modules(self, part: str) -> list[nn.Module]:
        net = self.backbone
        if part == "stem":
            return [net.conv_stem, net.bn1]
        if part == "head_conv":
            return [net.conv_head, net.bn2]
        if part == CLASSIFIER:
            return [self.classifier]
        return [net.blocks[BLOCKS.index(part)]]

    def pool(self, features: Tensor) -> Tensor:
        return self.backbone.global_pool(features)


class TorchvisionClassifier(TransferModel):
    """torchvision's efficientnet_b0 with its classifier replaced (casting guide).

    state_dict: torchvision's own keys, so that `models.efficientnet_b0(num_classes=N)` reads it.
    """

    library, name = "torchvision", B0

    def __init__(self, num_classes: int, dropout: float) -> None:
        from torchvision import models

        super().__init__()
        net = models.efficientnet_b0(weights=None)
        self.features, self.avgpool, self.classifier = net.features, net.avgpool, net.classifier
        self.replace_head(num_classes, dropout)

    def part_modules(self, part: str) -> list[nn.Module]:
        if part == CLASSIFIER:
            return [self.classifier]
        # features[0] is the stem, [1]..[7] the block groups, [8] the head convolution
        return [self.features[PART_NAMES.index(part)]]

    def pool(self, features: Tensor) -> Tensor:
        return torch.flatten(self.avgpool(features), 1)
