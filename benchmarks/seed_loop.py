"""The guide's training loop, written down straightforwardly: what ours is measured against.

Pictures are decoded once and kept at their size; the training classes are filled up once with
albumentations; every epoch each picture is resized, flipped, jittered and sent through the whole
network (fp32, torch's default memory layout; autocast and GradScaler do nothing without a GPU).
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.harness import Side
from tl_core.base.config import RunConfig
from tl_core.data.pixels.augment import augmenter
from tl_core.data.prepare import Prepared
from tl_core.models.backbone import TransferModel


class Faces(Dataset):
    """PIL pictures and labels, transformed when asked for."""

    def __init__(self, images: list[np.ndarray], labels: list[int], transform: transforms.Compose) -> None:
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def seed_loop(
    model: TransferModel, prepared: Prepared, config: RunConfig, mean: tuple, std: tuple, device: str = "cpu"
) -> Side:
    """Yields after every epoch; returns {"val": accuracy of the best epoch, "test": its test accuracy}.

    The split, the start and the order of classes are ours; the pictures are read from their files.
    """
    split, labels = prepared.split, prepared.labels.tolist()
    originals = [np.array(Image.open(p.path).convert("RGB")) for p in prepared.dataset.pictures]
    images, targets = filled_up(originals, labels, split.train, config)
    normalised = [transforms.ToTensor(), transforms.Normalize(mean, std)]
    px = (config.image_px, config.image_px)
    training = transforms.Compose(
        [
            transforms.Resize(px),
            transforms.RandomHorizontalFlip(0.5),
            transforms.ColorJitter(brightness=0.1, contrast=0.1),
            *normalised,
        ]
    )
    plain = transforms.Compose([transforms.Resize(px), *normalised])
    loader = DataLoader(Faces(images, targets, training), batch_size=config.batch_size, shuffle=True)

    def part(indices: list[int]) -> DataLoader:
        chosen = Faces([originals[i] for i in indices], [labels[i] for i in indices], plain)
        return DataLoader(chosen, batch_size=config.batch_size)

    weight = torch.tensor([config.positive_weight if c == config.positive_class else 1.0
                           for c in prepared.dataset.classes])  # fmt: skip
    criterion = nn.CrossEntropyLoss(weight=weight)
    model.to(device)
    criterion.to(device)
    best = (float("inf"), 0.0, dict(model.state_dict()))
    num_done, num_epochs = 0, config.head.epochs + config.finetune.epochs
    for stage in ("head", "finetune"):
        settings = getattr(config, stage)
        model.freeze_backbone() if stage == "head" else model.unfreeze_last(config.unfreeze_blocks)
        optimizer = torch.optim.Adam(
            [p for p in model.parameters() if p.requires_grad],
            lr=settings.learning_rate,
            weight_decay=config.weight_decay,
        )
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=config.scheduler_patience)
        for _ in range(settings.epochs):
            torch.manual_seed(1000 * config.seed + num_done)
            train_epoch(model, loader, criterion, optimizer)
            loss, accuracy = judge(model, part(split.val), criterion)
            scheduler.step(loss)
            if loss < best[0]:
                best = (loss, accuracy, {k: v.clone() for k, v in model.state_dict().items()})
            num_done += 1
            yield num_done / num_epochs
    model.load_state_dict(best[2])
    return {"val": best[1], "test": judge(model, part(split.test), criterion)[1]}


def filled_up(
    originals: list[np.ndarray], labels: list[int], train: list[int], config: RunConfig
) -> tuple[list[np.ndarray], list[int]]:
    """The training pictures, and augmented copies until each class has `target_per_class`."""
    transform, rng = augmenter(), np.random.default_rng(config.seed)
    images, targets = [originals[i] for i in train], [labels[i] for i in train]
    for label in sorted(set(labels)):
        members = [i for i in train if labels[i] == label]
        for index in rng.choice(members, max(config.target_per_class - len(members), 0)):
            images.append(transform(image=originals[index])["image"])
            targets.append(label)
    return images, targets


def train_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: torch.optim.Optimizer):
    model.train()
    device = next(model.parameters()).device
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()


@torch.no_grad()
def judge(model: nn.Module, loader: DataLoader, criterion: nn.Module) -> tuple[float, float]:
    """(mean loss, accuracy)"""
    model.eval()
    total, right, num = 0.0, 0, 0
    device = next(model.parameters()).device
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        logits = model(images)
        total += float(criterion(logits, labels)) * len(labels)
        right += int((logits.argmax(1) == labels).sum())
        num += len(labels)
    return total / num, right / num
