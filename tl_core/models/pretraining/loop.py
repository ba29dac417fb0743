"""Network, averaged weights and optimiser; one step; a checkpoint from which the next step is the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tl_core.base.errors import ConfigError
from tl_core.data.pixels.normalise import normalise
from tl_core.models.files.checkpoint_files import load_state, save_state
from tl_core.models.pretraining.dense import SIZE, DenseTarget
from tl_core.models.pretraining.recipe import Recipe

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# ImageNet's, so that the two weight sources want the same pixels
NUM_CLASSES = 1000
Features = Callable[[nn.Module, torch.Tensor], torch.Tensor]


def pooled(network: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    """(B, 3, px, px) -> (B, 1280)."""
    net: Any = network
    return net.forward_head(net.forward_features(pixels), pre_logits=True)


class Pretraining:
    """All that changes while it runs. `features`: how (B, 3, px, px) becomes (B, 1280) in training mode."""

    def __init__(self, recipe: Recipe, device: str = "cpu", features: Features = pooled) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.features = recipe, torch.device(device), features
        self.step = 0
        network: Any = timm.create_model("efficientnet_b0", pretrained=False, num_classes=NUM_CLASSES)
        self.network: Any = network.to(self.device).to(memory_format=torch.channels_last).train()
        self.dense_head = nn.Linear(1280, SIZE).to(self.device)
        self.dense_target = DenseTarget().to(self.device)
        self.optimizer = self._new_optimizer()
        self._start_average()

    def start_from(self, state: dict[str, torch.Tensor]) -> None:
        """Weights to go on from: a whole network of 1,000 classes under timm's names."""
        self.network.load_state_dict(state)
        self._start_average()

    def train_step(self, pictures: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """One update. pictures: (B, px, px, 3) uint8. Returns losses and accuracy, still on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate_at(self.step)
        pictures, labels = (x.to(self.device, non_blocking=True) for x in (pictures, labels))
        pixels = normalise(pictures, MEAN, STD).to(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.features(self.network, pixels).float()
            logits = self.network.classifier(F.dropout(features, self.recipe.dropout))
            told = self.dense_head(features)
        class_loss = F.cross_entropy(logits.float(), labels)
        dense_loss = F.smooth_l1_loss(told.float(), self.dense_target(pixels))
        self.optimizer.zero_grad()
        (class_loss + self.recipe.dense_weight * dense_loss).backward()
        self.optimizer.step()
        self.average.update_parameters(self.network)
        self.step += 1
        right = (logits.detach().argmax(1) == labels).float().mean()
        return {"loss": class_loss.detach(), "dense_loss": dense_loss.detach(), "accuracy": right}

    def save(self, path: Path) -> None:
        """All of it. Raises: OutputUnwritable; the checkpoint before is then still there."""
        parts = {name: part.state_dict() for name, part in self._modules().items()}
        recipe = dataclasses.asdict(self.recipe)
        save_state(path, {"recipe": recipe, "step": self.step, "random": torch.get_rng_state(), **parts})

    def load(self, path: Path) -> None:
        """Raises: RunDamaged. ConfigError: another recipe made it, which the next steps would not fit."""
        saved = load_state(path)
        if saved["recipe"] != dataclasses.asdict(self.recipe):
            raise ConfigError(name="recipe", value=path, need="the recipe it was begun with")
        self.step = saved["step"]
        for name, part in self._modules().items():
            part.load_state_dict(saved[name])
        torch.set_rng_state(saved["random"])

    def averaged(self) -> nn.Module:
        """The averaged network; its BatchNorm statistics are still those of the last steps."""
        return self.average.module

    def _modules(self) -> dict[str, Any]:
        names = ("network", "dense_head", "dense_target", "optimizer", "average")
        return {name: getattr(self, name) for name in names}

    def _start_average(self) -> None:
        decay = 1 - 1 / self.recipe.average_over
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(decay))

    def _new_optimizer(self) -> torch.optim.AdamW:
        parameters = [*self.network.parameters(), *self.dense_head.parameters()]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.recipe.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.recipe.learning_rate, betas=(0.9, 0.98), fused=True)
