"""Vision transformers: a picture as tokens of 16×16 pixels, and one more that stands for the whole.

Source: Dosovitskiy et al. 2020, arXiv:2010.11929; positions for other sizes are interpolated from the
weights' own grid, as their authors do.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from torch import Tensor, nn

from tl_core.models.backbone import TransferModel
from tl_core.models.families.registry import CLASSIFIER, STEM, Architecture
from tl_core.models.families.timm_network import TimmClassifier


class ViTClassifier(TimmClassifier):
    """Between its parts go tokens: (B, 1 + 14 × 14, 768) for Base/16 at 224 px."""

    def __init__(self, num_classes: int, dropout: float, architecture: Architecture) -> None:
        super().__init__(num_classes, dropout, architecture, dynamic_img_size=True)
        # behind the last block only the class token is read, and no place of the picture reaches a score
        # any more; where all tokens are pooled, every place does
        last = architecture.num_units - (2 if self.backbone.global_pool in ("token", "map") else 1)
        self.cam_station = f"blocks.{last}"

    def part_modules(self, part: str) -> list[nn.Module]:
        net = self.backbone
        if part == STEM:
            return [net.patch_embed, net.pos_drop, net.patch_drop, net.norm_pre]
        if part == "norm":
            pooling = [net.attn_pool] if net.attn_pool is not None else []
            return [net.norm, net.fc_norm, *pooling]
        if part == CLASSIFIER:
            return [self.classifier]
        return [net.blocks[int(part.removeprefix("blocks."))]]

    def part_steps(self, part: str) -> list[Callable[[Tensor], Tensor]]:
        net = self.backbone
        if part == STEM:
            return [net.patch_embed, net._pos_embed, net.patch_drop, net.norm_pre]
        return [net.norm] if part == "norm" else super().part_steps(part)

    def loose_parameters(self, part: str) -> list[nn.Parameter]:
        net = self.backbone
        tokens = (net.cls_token, net.reg_token, net.pos_embed)
        return [token for token in tokens if token is not None] if part == STEM else []

    def to_map(self, x: Tensor, station: str) -> Tensor | None:
        """(B, tokens, C) -> (B, C, h, w), without the tokens that stand for no place."""
        if x.ndim != 3:
            return super().to_map(x, station)
        places = x[:, self.backbone.num_prefix_tokens :]
        side = round(places.shape[1] ** 0.5)  # pictures are squares here
        return places.transpose(1, 2).unflatten(2, (side, side))

    def for_size(self, image_px: int) -> TransferModel:
        """Positions interpolated once and for all: ONNX has no such interpolation."""
        own = copy.deepcopy(self)
        net = own.backbone
        net.set_input_size(img_size=image_px)
        net.dynamic_img_size, net.patch_embed.flatten = False, True
        return own
