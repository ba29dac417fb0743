"""ResNets: a stem and four stages, the last of which is pooled.

Source: He et al. 2015, arXiv:1512.03385, table 1.
"""

from __future__ import annotations

from torch import nn

from tl_core.models.families.registry import CLASSIFIER, STEM
from tl_core.models.families.timm_network import TimmClassifier


class ResNetClassifier(TimmClassifier):
    cam_station = "layer4"

    def part_modules(self, part: str) -> list[nn.Module]:
        net = self.backbone
        if part == STEM:
            return [net.conv1, net.bn1, net.act1, net.maxpool]
        if part == CLASSIFIER:
            return [self.classifier]
        return [getattr(net, part)]
