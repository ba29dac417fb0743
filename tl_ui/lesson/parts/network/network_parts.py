"""What the steps on the network look up in it: its parts as they really are, and what they answer.

Works on the shared network of `tl_ui.stores.shared_network`, which is looked at and never changed.
torch is imported when a function first needs it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from tl_core.models.weights.sources import WeightsRecord
from tl_ui.stores import shared_network
from tl_ui.widgets.sets import practice_sets

IMAGE_PX = 224


@dataclass(frozen=True)
class Part:
    """One part, read from the modules themselves."""

    name: str
    unit: str
    # stem, group | stage | block, neck or head
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]
    num_parameters: int
    layers: list[dict[str, Any]]
    # of a convolution or block: kind, kernel, stride, channels in, out, expansion, parameters
    has_weighing: bool
    # squeeze-and-excitation


@st.cache_data(max_entries=2, show_spinner=False)
def parts(sha256: str, _choice: WeightsRecord) -> dict[str, Part]:
    """All parts of the network with a fresh head for two classes."""
    from tl_core.models.parts import describe, part_shapes

    model = shared_network.swapped(sha256, 2, _choice)
    shapes = part_shapes(model, IMAGE_PX)
    stations = list(shapes)
    found = {}
    for facts in describe(model, IMAGE_PX):
        before = stations[stations.index(facts.name) - 1]
        modules = model.part_modules(facts.name)
        inside = [type(layer).__name__ for module in modules for layer in module.modules()]
        found[facts.name] = Part(
            name=facts.name,
            unit=facts.unit,
            shape_in=shapes[before],
            shape_out=facts.shape,
            num_parameters=facts.num_parameters,
            layers=[_layer(layer) for module in modules for layer in _layers(module, facts.unit)],
            has_weighing=any("SqueezeExcite" in name for name in inside),
        )
    return found


def _layers(module: Any, unit: str) -> list[Any]:
    """Blocks of a group one by one; else the module itself."""
    return list(module.children()) if unit in ("group", "stage", "head") else [module]


def _layer(module: Any) -> dict[str, Any]:
    from torch import nn

    convolutions = [m for m in module.modules() if isinstance(m, nn.Conv2d)]
    # the depthwise one looks around; the others mix channels or belong to squeeze-and-excitation
    deep = next((c for c in convolutions if c.groups > 1), convolutions[0] if convolutions else None)
    row: dict[str, Any] = {"kind": type(module).__name__}
    if deep is not None:
        first, last = convolutions[0], convolutions[-1]
        row["kernel"] = f"{deep.kernel_size[0]}×{deep.kernel_size[1]}"
        row["stride"] = deep.stride[0]
        row["channels"] = f"{first.in_channels} → {last.out_channels}"
        if deep.groups > 1:
            row["inside"] = deep.out_channels
    row["parameters"] = sum(p.numel() for p in module.parameters())
    return row


@st.cache_data(max_entries=4, show_spinner=False)
def typical(sha256: str, _choice: WeightsRecord) -> dict[str, float]:
    """{part: root mean square of its answers to the practice castings}: the unit of the colour scale,
    so that it is the same whatever picture is looked at."""
    squares: dict[str, list[float]] = {}
    for _, image in practice_sets.examples("casting"):
        for name, values in _answers(_choice, image).items():
            squares.setdefault(name, []).append(float(np.square(values).mean()))
    return {name: float(np.sqrt(np.mean(values))) for name, values in squares.items()}


def answers(choice: WeightsRecord, image: np.ndarray) -> dict[str, np.ndarray]:
    """{part: (channels, h, w) float32} for one picture, in units of the part's typical answer."""
    key = hashlib.sha256(image.tobytes()).hexdigest()
    units = typical(choice.sha256, choice)
    return {name: values / units[name] for name, values in _cached(choice.sha256, key, choice, image).items()}


@st.cache_data(max_entries=16, show_spinner=False)
def _cached(sha256: str, key: str, _choice: WeightsRecord, _image: np.ndarray) -> dict[str, np.ndarray]:
    return _answers(_choice, _image)


def _answers(choice: WeightsRecord, image: np.ndarray) -> dict[str, np.ndarray]:
    import torch

    from tl_core.data.pixels.normalise import normalise

    model = shared_network.swapped(choice.sha256, 2, choice)
    found, before = {}, "pixels"
    with torch.inference_mode():
        x = normalise(torch.from_numpy(np.ascontiguousarray(image))[None], choice.mean, choice.std)
        for name in model.part_names[:-1]:
            x, before = model.forward_between(x, before, name), name
            found[name] = x[0].numpy()
    return found


def liveliest(values: np.ndarray, num: int) -> list[int]:
    """Channels of (channels, h, w) whose answers differ most over the picture, most first."""
    return np.argsort(-values.std(axis=(1, 2)))[:num].tolist()
