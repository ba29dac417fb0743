"""The record of which weights a run starts from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tl_core.base.messages import FALLBACK, say

B0 = "efficientnet_b0"
"""The network of both guides; what runs of before there was a choice were trained with."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB in 0..1. What nearly every published EfficientNet was trained with."""


def source_name(source: str, language: str = FALLBACK, network: str = "efficientnet_b0.ra_in1k") -> str:
    """What a source is called in words; a file is called by its name. network: of `imagenet`'s file."""
    kind, _, place = source.partition(":")
    return say(f"source.{kind}", language, name=Path(place).name, network=network)


@dataclass(frozen=True, kw_only=True)
class WeightsRecord:
    """The weights a run starts from; written into the run, the page and every report."""

    source: str
    # never "auto": what it came down to
    requested: str
    # as the person asked
    backbone: str = B0
    # timm's name of the network that these weights are for
    path: Path | None
    sha256: str
    # of the file; "" for random
    why: str
    # a key under [why] in the messages
    is_pretrained: bool
    # False: from scratch, never to be called transfer learning
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    # of RGB in 0..1
    image_px: int = 224
    interpolation: str = "bicubic"
    crop_pct: float = 1.0
    # how the weights' authors resized and centre-cropped; this product takes plain squares
    num_classes: int = 0
    # of the file's own head
    has_head: bool = False
    label: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain types only; `from_dict` reads it back."""
        values = dataclasses.asdict(self)
        return {**values, "path": None if self.path is None else str(self.path)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WeightsRecord:
        """Names that this version does not know are left out."""
        known = {f.name for f in dataclasses.fields(cls)}
        values = {name: value for name, value in values.items() if name in known}
        values["path"] = Path(values["path"]) if values.get("path") else None
        for name in ("mean", "std"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)
