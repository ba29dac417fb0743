"""Which networks there are, told without loading one: the one registry.

A backbone of a known family is one line of ARCHITECTURES; any other network of timm's that belongs to
one of the families goes by its name too (`architecture` then builds it on the meta device to look).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tl_core.base.errors import ConfigError
from tl_core.models.weights.record import B0

CLASSIFIER = "classifier"
STEM = "stem"


@dataclass(frozen=True)
class Family:
    """What its networks have in common. A part is what can be frozen or looked at on its own."""

    unit: str
    # what unfreezing counts: group, stage or block
    group: str
    # name of the i-th, with the first number in `first`
    first: int
    neck: str | None
    # what lies between the last group and the pooling, and is trained with the last group
    default_unfreeze: int
    # units trained in `finetune` unless said otherwise
    model: str
    # module:class
    timm_class: str
    px_step: int = 1
    # the picture's side is a multiple of it

    def parts(self, num_units: int) -> tuple[tuple[str, str], ...]:
        """(name, unit) of every part in the order of the forward pass: stem, groups, neck, head."""
        groups = [(self.group.format(i + self.first), self.unit) for i in range(num_units)]
        neck = [(self.neck, "neck")] if self.neck else []
        return (STEM, STEM), *groups, *neck, (CLASSIFIER, "head")


FAMILIES = {
    "efficientnet": Family(
        "group", "blocks.{}", 0, "head_conv", 3,
        "tl_core.models.families.efficientnet:EfficientNetClassifier", "EfficientNet",
    ),
    "resnet": Family(
        "stage", "layer{}", 1, None, 1, "tl_core.models.families.resnet:ResNetClassifier", "ResNet"
    ),
    "vit": Family(
        "block", "blocks.{}", 0, "norm", 3, "tl_core.models.families.vit:ViTClassifier", "VisionTransformer",
        px_step=16,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Architecture:
    name: str
    # timm's
    label: str
    # as people write it
    family_name: str
    tag: str
    # timm's name of its default weights
    num_units: int
    image_px: int = 224
    # side of the pictures that the default weights were trained or made for

    @property
    def family(self) -> Family:
        return FAMILIES[self.family_name]

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """(name, unit) of every part, in order."""
        return self.family.parts(self.num_units)

    @property
    def hub_repo(self) -> str:
        """Of the default weights, at the Hugging Face hub."""
        return f"timm/{self.weights_name}"

    @property
    def weights_name(self) -> str:
        return f"{self.name}.{self.tag}" if self.tag else self.name


ARCHITECTURES = {
    one.name: one
    for one in (
        Architecture(B0, "EfficientNet-B0", "efficientnet", "ra_in1k", 7),
        Architecture("tf_efficientnet_lite0", "EfficientNet-Lite0", "efficientnet", "in1k", 7),
        Architecture("resnet18", "ResNet-18", "resnet", "a1_in1k", 4),
        Architecture("resnet50", "ResNet-50", "resnet", "a1_in1k", 4),
        Architecture("tf_efficientnet_b7", "EfficientNet-B7", "efficientnet", "ns_jft_in1k", 7, 600),
        Architecture("vit_base_patch16_224", "ViT-Base/16", "vit", "augreg2_in21k_ft_in1k", 12),
    )
}
"""Those offered by name on pages and in `doctor`."""


def architecture(name: str) -> Architecture:
    """Raises: ConfigError: timm knows no such network, or it belongs to none of the families."""
    return ARCHITECTURES.get(name) or _asked_of_timm(name)


@cache
def _asked_of_timm(name: str) -> Architecture:
    import timm
    import torch

    bare, _, tag = name.partition(".")
    if not timm.is_model(bare):
        raise ConfigError(name="backbone", value=name, need=", ".join(["auto", *ARCHITECTURES]))
    with torch.device("meta"):
        net: Any = timm.create_model(bare, pretrained=False)
    # subclasses change the way through the network, so only the very class will do
    family = next((key for key, one in FAMILIES.items() if type(net).__name__ == one.timm_class), None)
    if family is None:
        raise ConfigError(name="backbone", value=name, need="efficientnet*, resnet*, vit*")
    groups = 4 if family == "resnet" else len(net.blocks)
    config = timm.get_pretrained_cfg(name)
    tag = tag or (config.tag if config else "") or ""
    px = config.input_size[-1] if config else 224
    return Architecture(bare, bare, family, tag, groups, px)


def refuse(backbone: str, unfreeze_blocks: int, image_px: int) -> None:
    """What a network cannot do, before a run is made for it. Raises: ConfigError."""
    one = architecture(backbone)
    if not 0 <= unfreeze_blocks <= one.num_units:
        need = f"0..{one.num_units} ({one.label})"
        raise ConfigError(name="unfreeze_blocks", value=unfreeze_blocks, need=need)
    step = one.family.px_step
    if image_px % step:
        need = f"{step}, {2 * step}, {3 * step} … ({one.label})"
        raise ConfigError(name="image_px", value=image_px, need=need)
