"""What one stage keeps from epoch to epoch besides the model: optimizer, learning rate, epoch."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from tl_core.base.config import RunConfig
from tl_core.models.backbone import TransferModel

WARM_UP = 0.15
"""Of all steps of "one_cycle". Adam's first steps are as large as its rate whatever the gradients: taken at
the full rate they undid a solved head (training loss 0.2 -> 5 within three steps)."""


class StageState:
    """`state` after an epoch, given to `continue_from`, lets the stage go on as if nothing had happened."""

    def __init__(
        self,
        name: str,
        model: TransferModel,
        config: RunConfig,
        device: str,
        dtype: torch.dtype,
        steps_per_epoch: int,
    ) -> None:
        settings = config.stages[name]
        self.name, self.model = name, model
        self.epoch = 0  # the last one that has begun
        self.device_type = torch.device(device).type
        self.is_mixed = dtype != torch.float32
        self.optimizer = torch.optim.Adam(
            [p for p in model.parameters() if p.requires_grad],
            lr=settings.learning_rate,
            weight_decay=config.weight_decay,
        )
        self.scheduler: OneCycleLR | ReduceLROnPlateau
        if config.schedule == "one_cycle":
            self.scheduler = OneCycleLR(
                self.optimizer,
                settings.learning_rate,
                epochs=settings.epochs,
                steps_per_epoch=steps_per_epoch,
                pct_start=WARM_UP,
                cycle_momentum=False,
            )
        else:
            self.scheduler = ReduceLROnPlateau(
                self.optimizer, factor=config.scheduler_factor, patience=config.scheduler_patience
            )
        # bf16 needs no loss scaling; a disabled scaler passes everything through
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=dtype == torch.float16)

    @property
    def learning_rate(self) -> float:
        return self.optimizer.param_groups[0]["lr"]

    def end_step(self) -> None:
        if isinstance(self.scheduler, OneCycleLR):
            self.scheduler.step()

    def end_epoch(self, val_loss: float) -> bool:
        """Whether the rate was lowered because the validation loss no longer falls."""
        if not isinstance(self.scheduler, ReduceLROnPlateau):
            return False
        before = self.learning_rate
        self.scheduler.step(val_loss)
        return self.learning_rate < before

    def state(self) -> dict[str, Any]:
        """Tensors and plain values only. The frozen part is not in it: it is as it was."""
        names = self._trained_names()
        return {
            "stage": self.name,
            "epoch": self.epoch,
            "trained": {k: v for k, v in self.model.state_dict().items() if k in names},
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def continue_from(self, state: dict[str, Any], weights: dict[str, torch.Tensor]) -> None:
        """weights: a state dict that holds the frozen part; what was trained is laid over it."""
        self.model.load_state_dict({**weights, **state["trained"]})
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.scaler.load_state_dict(state["scaler"])
        self.epoch = state["epoch"]

    def _trained_names(self) -> set[str]:
        """Keys of the state dict that this stage changes: trainable parts, their buffers included."""
        trained = {
            id(tensor) for part in self.model.trainable_parts() for tensor in self.model.part_state(part)
        }
        return {key for key, tensor in self.model.state_dict(keep_vars=True).items() if id(tensor) in trained}
