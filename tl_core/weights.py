"""Where pre-trained weights come from, which ones are used, and why.

| source | what it is |
|---|---|
| imagenet | timm's efficientnet_b0.ra_in1k from the Hugging Face hub |
| imagenet-torchvision | torchvision's IMAGENET1K_V1 |
| formula | this project's own, trained on pictures drawn by formula; shipped, works offline |
| vggface2 | a face-trained EfficientNet-B0 that the person downloads |
| file:PATH | safetensors or a state dict |
| random | none: training from scratch, for comparison |
| auto | ImageNet if it is on this machine or can be fetched, else formula |
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.errors import WeightsUnavailable

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB in 0..1. What nearly every published EfficientNet was trained with."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The weights a run starts from; written into the run, the page and every report."""

    source: str
    # never "auto": what it came down to
    requested: str
    # as the person asked
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
    # how the weights' authors resized and centre-cropped; ours are plain squares
    num_classes: int = 0
    # of the file's own head
    has_head: bool = False
    label: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain types only; `from_dict` reads it back."""
        values = dataclasses.asdict(self)
        return {**values, "path": None if self.path is None else str(self.path)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Choice:
        known = {f.name for f in dataclasses.fields(cls)}
        values = {name: value for name, value in values.items() if name in known}
        values["path"] = Path(values["path"]) if values.get("path") else None
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


def choose(source: str, *, library: str = "timm", on_progress: Any = None) -> Choice:
    return Choice(
        source="random", requested=source, path=None, sha256="", why="asked", is_pretrained=False,
        label="from scratch",
    )  # fmt: skip


def load_state(choice: Choice, library: str) -> dict[str, Tensor]:
    """The tensors under the names of `library`'s own efficientnet_b0, head included if there is one.

    Raises: WeightsUnavailable: the file is gone, damaged, or another one than was chosen.
        WeightsMismatch: its tensors do not fit.
    """
    from tl_core import checkpoints

    if choice.path is None:
        raise WeightsUnavailable(source=choice.source, reason="file_missing", detail=choice.label)
    state = checkpoints.read(choice.path, choice.source)
    if checkpoints.file_sha256(choice.path) != choice.sha256:
        raise WeightsUnavailable(
            source=choice.source, reason="file_damaged", detail=f"{choice.path.name} has changed"
        )
    return checkpoints.to_library(state, library)
