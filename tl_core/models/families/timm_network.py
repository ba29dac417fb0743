"""Any of timm's networks behind the interface: it is kept whole, without its classifier."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from tl_core.models.backbone import TransferModel
from tl_core.models.families.registry import Architecture


class TimmClassifier(TransferModel):
    """timm's network, then Dropout + Linear. A family says where its parts are.

    state_dict: backbone.<timm's keys>, classifier.1.weight, classifier.1.bias.
    """

    library = "timm"
    backbone: Any  # timm's network; its layers are found by name

    def __init__(self, num_classes: int, dropout: float, architecture: Architecture, **settings: Any) -> None:
        import timm

        super().__init__(architecture)
        self.backbone = timm.create_model(architecture.name, pretrained=False, num_classes=0, **settings)
        self.classifier = nn.Linear(self.backbone.num_features, num_classes)
        self.replace_head(num_classes, dropout)

    def pool(self, features: Tensor) -> Tensor:
        """(B, C, h, w) or (B, tokens, C) -> (B, C)"""
        return self.backbone.forward_head(features, pre_logits=True)

    def part_groups(self) -> dict[str, int]:
        """timm's own table (`group_matcher`): a neck is in the group of the last blocks."""
        from timm.models import group_parameters

        matched = group_parameters(self.backbone, self.backbone.group_matcher(coarse=True), reverse=True)
        of_parameter = {id(p): matched[name] for name, p in self.backbone.named_parameters()}
        return {
            part: min(of_parameter[id(p)] for p in self.part_parameters(part))
            for part in self.part_names[:-1]
        }
