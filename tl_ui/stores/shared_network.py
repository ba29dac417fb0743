"""The real network for the Head swap page: loaded once, shared by all browsers, looked at, never trained.

torch is imported when a function first needs it, so that other pages never wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from tl_core.base.errors import HeadError, WeightsError
from tl_core.models.weights.sources import WeightsRecord, choose, class_names
from tl_core.runs.run_folder import RunFolder
from tl_ui.stores import shared_predictor

if TYPE_CHECKING:
    from tl_core.models.backbone import TransferModel
    from tl_core.models.head import HeadSwap

LIBRARY = "timm"
SEED = 42
OLD_CLASSES = 1000
"""Outputs of the network as its authors publish it; used where the weights come without their head."""


@dataclass(frozen=True)
class Found:
    """The weights that `auto` gave, or random ones and the reason why."""

    choice: WeightsRecord
    error: WeightsError | None


@dataclass(frozen=True)
class Station:
    """One stop on the way of a picture."""

    name: str
    # pixels, stem, blocks.0 … blocks.6, head_conv, pooled, classifier
    shape: tuple[int, ...]
    strength: np.ndarray
    # (h, w) float32 in 0..1: mean strength over the channels, scaled within the station


@dataclass(frozen=True)
class Counts:
    swap: HeadSwap
    num_backbone: int
    # parameters that are kept


@st.cache_resource(ttl=120, max_entries=1, show_spinner=False)
def weights() -> Found:
    """May download 20 MB the first time."""
    try:
        return Found(choose("auto", library=LIBRARY), None)
    except WeightsError as error:
        return Found(choose("random"), error)


@st.cache_resource(max_entries=4, show_spinner=False)
def swapped(sha256: str, num_classes: int, _choice: WeightsRecord) -> TransferModel:
    """The network with a fresh head, in eval mode. Shared: never train or change it."""
    from tl_core.models.build import build

    return build(LIBRARY, num_classes, 0.3, _choice, SEED).eval()


@st.cache_resource(max_entries=2, show_spinner=False)
def published(sha256: str, _choice: WeightsRecord):
    """The network with the head it was pre-trained with; without one in the weights, the same
    network with an untrained head, for counting only."""
    import timm

    from tl_core.models.build import original

    try:
        return original(_choice, LIBRARY)
    except HeadError:
        return timm.create_model(_choice.backbone, pretrained=False, num_classes=OLD_CLASSES).eval()


def counts(choice: WeightsRecord, num_classes: int) -> Counts:
    """Counted on the modules themselves."""
    from tl_core.models.backbone import CLASSIFIER
    from tl_core.models.head import head_counts

    new = swapped(choice.sha256, num_classes, choice)
    parts = new.parameter_counts()
    kept = sum(total for part, (total, _) in parts.items() if part != CLASSIFIER)
    return Counts(head_counts(published(choice.sha256, choice), new), kept)


def walk(choice: WeightsRecord, image: np.ndarray, num_classes: int) -> list[Station]:
    """The picture's way through the network, taken out at every station.

    image: uint8 (px, px, 3) RGB.
    """
    import torch

    model = swapped(choice.sha256, num_classes, choice)
    stations = []
    with torch.inference_mode():
        x, previous = _enter(choice, image), "pixels"
        for name in model.stations:
            x = model.forward_between(x, previous, name)
            previous = name
            stations.append(Station(name, tuple(x.shape[1:]), _strength(name, x[0], image)))
    return stations


def _strength(name: str, x, image: np.ndarray) -> np.ndarray:
    if name == "pixels":
        values = image.mean(axis=2)
    elif x.ndim == 3:
        values = x.abs().mean(dim=0).numpy()
    else:
        # 1,280 numbers as 32 rows of 40; the logits as one row
        values = x.reshape(32, -1).numpy() if x.numel() % 32 == 0 else x.reshape(1, -1).numpy()
    values = values.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def old_answers(
    choice: WeightsRecord, image: np.ndarray, language: str, num: int = 5
) -> list[tuple[str, float]] | None:
    """The best answers of the original head; None when the weights have no named classes.
    image: (H, W, 3) uint8, as everywhere here."""
    import torch

    names = class_names(choice, language)
    if names is None:
        return None
    with torch.inference_mode():
        logits = published(choice.sha256, choice)(_enter(choice, image))
        best = torch.softmax(logits[0].float(), dim=0).topk(num)
    return [(names[int(i)], float(p)) for p, i in zip(best.values, best.indices, strict=True)]


def new_answers(choice: WeightsRecord, image: np.ndarray, num_classes: int) -> list[float]:
    """The fresh head's probabilities of an image (H, W, 3): it has learnt nothing yet."""
    import torch

    with torch.inference_mode():
        logits = swapped(choice.sha256, num_classes, choice)(_enter(choice, image))
        return torch.softmax(logits[0].float(), dim=0).tolist()


def trained_answers(run: RunFolder, image: np.ndarray) -> list[tuple[str, float]]:
    """A finished run's probabilities of an image (H, W, 3). Raises: RunNotReady, RunDamaged."""
    loaded = shared_predictor.predictor(run)
    return [(name, float(p)) for name, p in zip(loaded.classes, loaded.predict([image])[0], strict=True)]


def _enter(choice: WeightsRecord, image: np.ndarray):
    import torch

    from tl_core.data.pixels.normalise import normalise

    return normalise(torch.from_numpy(np.ascontiguousarray(image))[None], choice.mean, choice.std)
