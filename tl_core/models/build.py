"""A network by name, filled with the chosen weights."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from torch import nn

from tl_core.base.errors import ConfigError, HeadError
from tl_core.models.backbone import TransferModel
from tl_core.models.families.efficientnet import TorchvisionClassifier
from tl_core.models.families.registry import architecture
from tl_core.models.families.timm_network import TimmClassifier
from tl_core.models.weights import sources
from tl_core.models.weights.record import B0

LIBRARIES = ("timm", "torchvision")


def skeleton(library: str, num_classes: int, dropout: float, backbone: str = B0) -> TransferModel:
    """The network with random weights, to be filled from a run's own checkpoint.

    library: whose EfficientNet-B0 is built; every other backbone is timm's.
    Raises: ConfigError: no such library or backbone.
    """
    if library not in LIBRARIES:
        raise ConfigError(name="library", value=library, need="|".join(LIBRARIES))
    if is_torchvision(library, backbone):
        return TorchvisionClassifier(num_classes, dropout)
    named = architecture(backbone)
    module, _, name = named.family.model.partition(":")
    return getattr(import_module(module), name)(num_classes, dropout, named)


def is_torchvision(library: str, backbone: str) -> bool:
    return library == "torchvision" and backbone == B0


def build(
    library: str, num_classes: int, dropout: float, choice: sources.WeightsRecord, seed: int
) -> TransferModel:
    """The chosen weights under a new head, nothing frozen, in training mode.

    The network is the one that the weights are for; `library` says whose B0. The same seed gives the
    same head whatever the weights; the global generator is left as it was.

    Raises: ConfigError, HeadError, WeightsUnavailable, WeightsMismatch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = skeleton(library, num_classes, dropout, choice.backbone)
        if choice.source != "random":
            state = sources.load_state(choice, model.library)
            body = {key: value for key, value in state.items() if not key.startswith("classifier.")}
            owner = model.backbone if isinstance(model, TimmClassifier) else model
            missing, unexpected = owner.load_state_dict(body, strict=False)
            # load_state has checked every tensor; what is left out is the head alone
            assert not unexpected and all(key.startswith("classifier.") for key in missing)
        torch.manual_seed(seed)
        model.replace_head(num_classes, dropout)
    return model.train()


def original(choice: sources.WeightsRecord, library: str = "timm") -> nn.Module:
    """The library's own network with the head it was pre-trained with, in eval mode.

    Shapes: (B, 3, H, W) -> logits (B, choice.num_classes).
    Raises: HeadError: the weights have no single Linear head. WeightsUnavailable, WeightsMismatch.
    """
    if not choice.has_head:
        raise HeadError(detail=f"the weights “{choice.source}” come without a classifier")
    model: Any
    if is_torchvision(library, choice.backbone):
        from torchvision import models

        model = models.efficientnet_b0(weights=None, num_classes=choice.num_classes)
        model.load_state_dict(sources.load_state(choice, "torchvision"))
        return model.eval()
    import timm

    name = architecture(choice.backbone).name
    model = timm.create_model(name, pretrained=False, num_classes=choice.num_classes)
    head = model.pretrained_cfg["classifier"]
    state = sources.load_state(choice, "timm")
    model.load_state_dict({key.replace("classifier.", f"{head}."): value for key, value in state.items()})
    return model.eval()
