"""A backbone and a head that can be swapped: the interface that every network answers through.

    pixels -> stem -> groups, stages or blocks -> neck -> (pool) -> classifier
              `------------- backbone --------------'            `- head -'

What the parts are called, and what unfreezing counts, belongs to the family (`families.registry`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tl_core.base.errors import ConfigError, HeadError
from tl_core.models.families.registry import CLASSIFIER, STEM, Architecture
from tl_core.models.head import final_linear


@dataclass(frozen=True)
class PartFacts:
    """What a page can draw of one part, without torch."""

    name: str
    unit: str
    # stem, group | stage | block, neck or head
    shape: tuple[int, ...]
    # of what comes out: (C, h, w), (tokens, C), or (num_classes,)
    num_parameters: int
    num_layers: int
    # convolutions and Linear layers
    norm: str | None
    # class of its normalisation layers; None: it has none


class TransferModel(nn.Module):
    """A backbone in named parts and a classifier; the first parts can be frozen, never the last.

    Shapes of EfficientNet-B0 at 224 px: (B, 3, 224, 224) -> stem (B, 32, 112, 112) -> blocks.0
    (16, 112, 112) -> .1 (24, 56, 56) -> .2 (40, 28, 28) -> .3 (80, 14, 14) -> .4 (112, 14, 14)
    -> .5 (192, 7, 7) -> .6 (320, 7, 7) -> head_conv (1280, 7, 7) -> pooled (B, 1280)
    -> logits (B, num_classes). `part_shapes` computes them for any network and size.
    """

    library: str
    # whose code it is: timm's or torchvision's
    cam_station: str
    # where Grad-CAM looks: the last place whose map still reaches the classes
    classifier: nn.Module
    keeps_statistics = False
    # whether trained BatchNorms, too, go on with the statistics that they have

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.part_names = tuple(name for name, _ in architecture.parts)
        self.stations = ("pixels", *self.part_names[:-1], "pooled", CLASSIFIER)
        self._first_trainable = 0  # index into part_names: every part before it is frozen

    @property
    def name(self) -> str:
        """timm's name of the network, whosever it is."""
        return self.architecture.name

    # --- what a family fills in

    def part_modules(self, part: str) -> list[nn.Module]:
        """The modules of one part, in the order in which they are applied."""
        raise NotImplementedError

    def loose_parameters(self, part: str) -> list[nn.Parameter]:
        """Parameters of a part that belong to no module of it, such as a ViT's class token."""
        return []

    def part_steps(self, part: str) -> list[Callable[[Tensor], Tensor]]:
        """What is applied to the part's input, in order."""
        return list(self.part_modules(part))

    def part_groups(self) -> dict[str, int]:
        """{part of the backbone: number of the group it is frozen with}, the stem's 0."""
        raise NotImplementedError

    def pool(self, features: Tensor) -> Tensor:
        """What the last part gives -> (B, feature_dim)."""
        raise NotImplementedError

    def to_map(self, x: Tensor, station: str) -> Tensor | None:
        """What stands at `station` as (B, C, h, w); None where there are no places any more."""
        return x if x.ndim == 4 else None

    def for_size(self, image_px: int) -> TransferModel:
        """A model with the same answers that takes pictures of this size alone, for export."""
        return self

    # --- the way of a picture

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) float, normalised as the weights ask -> what is pooled; B0: (B, 1280, H/32, W/32)."""
        return self.forward_between(x, "pixels", self.part_names[-2])

    def classify(self, pooled: Tensor) -> Tensor:
        """(B, feature_dim) -> logits (B, num_classes); dropout acts in training mode."""
        return self.classifier(pooled)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) float, normalised -> logits (B, num_classes)."""
        return self.forward_between(x, "pixels", CLASSIFIER)

    def forward_between(self, x: Tensor, start: str, stop: str) -> Tensor:
        """The output of station `start` -> the output of station `stop` (see `stations`), each (B, …).

        From "pixels" to "classifier" is the whole network; from the boundary of the frozen part to
        "classifier" is what a training step computes. start == stop gives x back.
        Raises: ValueError: an unknown station, or stop before start.
        """
        first, last = self._station(start), self._station(stop)
        if last < first:
            raise ValueError(f"{stop} comes before {start}")
        for station in self.stations[first + 1 : last + 1]:
            if station == "pooled":
                x = self.pool(x)
            elif station == CLASSIFIER:
                x = self.classify(x)
            else:
                for step in self.part_steps(station):
                    x = step(x)
        return x

    def forward_until(self, x: Tensor, part: str) -> Tensor:
        """(B, 3, H, W) -> the output of `part`; "pooled" gives the (B, feature_dim) feature."""
        return self.forward_between(x, "pixels", part)

    def forward_from(self, z: Tensor, part: str) -> Tensor:
        """The output of `part` (or pixels, or pooled) -> logits (B, num_classes)."""
        return self.forward_between(z, part, CLASSIFIER)

    def _station(self, name: str) -> int:
        if name not in self.stations:
            raise ValueError(f"{name} is none of: {', '.join(self.stations)}")
        return self.stations.index(name)

    # --- head

    @property
    def feature_dim(self) -> int:
        """Width of the pooled feature, read from the head's Linear (1280 for B0)."""
        return final_linear(self.classifier).in_features

    @property
    def num_classes(self) -> int:
        return final_linear(self.classifier).out_features

    def replace_head(self, num_classes: int, dropout: float) -> TransferModel:
        """Swap the classifier for Dropout + a new Linear; mutates and returns the model.

        The Linear keeps PyTorch's own start, uniform within ±1/sqrt(1280) = ±0.028. (timm's builder
        would draw it within ±1/sqrt(num_classes) = ±0.7 for two, which spoils the first epochs.)
        It is drawn from torch's global generator: seed that first. Device and mode are kept.

        Args: num_classes: classes of the new task, >= 2. dropout: probability in [0, 1).
        Raises: HeadError: num_classes < 2, dropout outside [0, 1), or no Linear to replace.
        """
        if num_classes < 2:
            raise HeadError(detail=f"{num_classes} class(es) asked for; at least 2 are needed")
        if not 0 <= dropout < 1:
            raise HeadError(detail=f"dropout {dropout} is not in [0, 1)")
        old = final_linear(self.classifier)
        new = nn.Sequential(nn.Dropout(dropout), nn.Linear(old.in_features, num_classes))
        self.classifier = new.to(old.weight.device, old.weight.dtype).train(self.training)
        return self

    # --- freezing

    @property
    def num_units(self) -> int:
        """Groups, stages or blocks that `unfreeze_last` counts: 7, 4, 12."""
        return max(self.part_groups().values())

    def freeze_backbone(self) -> None:
        """Freeze everything but the classifier (stage `head`)."""
        self._freeze_before(CLASSIFIER)

    def unfreeze_last(self, num_units: int) -> None:
        """Train the classifier and the last `num_units` of the family's units, by timm's own table.

        "The last 3" of EfficientNet's 7 groups are blocks.4 (14×14, 112 channels), blocks.5 (7×7, 192)
        and blocks.6 (7×7, 320), with all their BatchNorms. A neck such as head_conv (the 1×1
        convolution to 1,280 channels) always belongs to the last unit: it lies between the units and the
        classifier, so a frozen one would have to read features that changed underneath it. All units are
        the whole backbone, the stem included; 0 freezes the backbone. Torchvision's B0 also drops whole
        residual branches at random in trained blocks (stochastic depth, up to 0.19 in the last); frozen
        blocks never do.

        Raises: ConfigError: not 0 … the number of units.
        """
        self._freeze_before(self._first_of_last(num_units))

    def _first_of_last(self, num_units: int) -> str:
        most = self.num_units
        if not 0 <= num_units <= most:
            raise ConfigError(name="unfreeze_blocks", value=num_units, need=f"0..{most}")
        if num_units == 0:
            return CLASSIFIER
        if num_units == most:
            return STEM
        return next(part for part, group in self.part_groups().items() if group > most - num_units)

    def boundary_for(self, num_units: int) -> str:
        """The station where the frozen part ends when the last `num_units` are trained: "pixels" (all:
        nothing is frozen), a part, or "pooled" (0: only the classifier is trained). Raises: ConfigError."""
        first = self._first_of_last(num_units)
        return self.stations[self._station(first) - 1]

    def _freeze_before(self, part: str) -> None:
        self._first_trainable = self.part_names.index(part)
        for index, name in enumerate(self.part_names):
            for parameter in self.part_parameters(name):
                parameter.requires_grad_(index >= self._first_trainable)
        self.train(self.training)

    def train(self, mode: bool = True) -> TransferModel:
        """Training mode for the trainable parts only. requires_grad=False alone would let the
        running statistics of a frozen BatchNorm drift with every batch. With `keeps_statistics` those of
        trained parts stay, too, while their scale and shift learn."""
        super().train(mode)
        for part in self.frozen_parts():
            for module in self.part_modules(part):
                module.eval()
        if self.keeps_statistics:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def frozen_parts(self) -> list[str]:
        return list(self.part_names[: self._first_trainable])

    def trainable_parts(self) -> list[str]:
        return list(self.part_names[self._first_trainable :])

    # --- what a part holds

    def part_parameters(self, part: str) -> list[nn.Parameter]:
        inside = chain.from_iterable(module.parameters() for module in self.part_modules(part))
        return [*self.loose_parameters(part), *inside]

    def part_state(self, part: str) -> Iterator[Tensor]:
        """Its parameters and buffers, themselves and not copies."""
        yield from self.loose_parameters(part)
        for module in self.part_modules(part):
            yield from module.state_dict(keep_vars=True).values()

    def parameter_counts(self) -> dict[str, tuple[int, int]]:
        """{part: (parameters, of these trainable)}; buffers such as BatchNorm statistics not counted."""
        counts = {}
        for part in self.part_names:
            parameters = self.part_parameters(part)
            counts[part] = (
                sum(p.numel() for p in parameters),
                sum(p.numel() for p in parameters if p.requires_grad),
            )
        return counts
