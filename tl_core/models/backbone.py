"""A backbone and a head that can be swapped: the interface that every network answers through.

    pixels -> stem -> blocks.0 … blocks.6 -> head_conv -> (pool) -> classifier
              `--------------- backbone ---------------'            `- head -'

Source: Tan & Le 2019, arXiv:1905.11946, table 1.
"""

from __future__ import annotations

from torch import Tensor, nn

from tl_core.base.config import NUM_BLOCK_GROUPS
from tl_core.base.errors import ConfigError, HeadError
from tl_core.models.head import final_linear

BLOCKS = tuple(f"blocks.{i}" for i in range(NUM_BLOCK_GROUPS))
PART_NAMES = ("stem", *BLOCKS, "head_conv", "classifier")
CLASSIFIER = "classifier"
STATIONS = ("pixels", *PART_NAMES[:-1], "pooled", CLASSIFIER)
"""Where activations can be taken out or put in: from the picture to the logits."""


class TransferModel(nn.Module):
    """A backbone in named parts and a classifier; the first parts can be frozen, never the last.

    Shapes at 224 px: (B, 3, 224, 224) -> stem (B, 32, 112, 112) -> blocks.0 (16, 112, 112)
    -> .1 (24, 56, 56) -> .2 (40, 28, 28) -> .3 (80, 14, 14) -> .4 (112, 14, 14) -> .5 (192, 7, 7)
    -> .6 (320, 7, 7) -> head_conv (1280, 7, 7) -> pooled (B, 1280) -> logits (B, num_classes).
    `part_shapes` computes them for any size.
    """

    library: str
    name: str
    # timm's name of the network, whosever it is
    part_names: tuple[str, ...] = PART_NAMES
    classifier: nn.Module

    def __init__(self) -> None:
        super().__init__()
        self._first_trainable = 0  # index into part_names: every part before it is frozen

    # --- what a library fills in

    def part_modules(self, part: str) -> list[nn.Module]:
        """The modules of one part, in the order in which they are applied."""
        raise NotImplementedError

    def pool(self, features: Tensor) -> Tensor:
        """(B, 1280, h, w) -> (B, 1280): the mean over the places."""
        raise NotImplementedError

    # --- the way of a picture

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) float, normalised as the weights ask -> (B, 1280, H/32, W/32)."""
        return self._run(x, self.part_names[:-1])

    def classify(self, pooled: Tensor) -> Tensor:
        """(B, 1280) -> logits (B, num_classes); dropout acts in training mode."""
        return self.classifier(pooled)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_between(x, "pixels", CLASSIFIER)

    def forward_between(self, x: Tensor, start: str, stop: str) -> Tensor:
        """The output of station `start` -> the output of station `stop` (see STATIONS).

        From "pixels" to "classifier" is the whole network; from the boundary of the frozen part to
        "classifier" is what a training step computes. start == stop gives x back.
        Raises: ValueError: an unknown station, or stop before start.
        """
        first, last = _station(start), _station(stop)
        if last < first:
            raise ValueError(f"{stop} comes before {start}")
        for station in STATIONS[first + 1 : last + 1]:
            x = self._step(x, station)
        return x

    def forward_until(self, x: Tensor, part: str) -> Tensor:
        """(B, 3, H, W) -> the output of `part`; "pooled" gives the (B, 1280) feature."""
        return self.forward_between(x, "pixels", part)

    def forward_from(self, z: Tensor, part: str) -> Tensor:
        """The output of `part` (or pixels, or pooled) -> logits (B, num_classes)."""
        return self.forward_between(z, part, CLASSIFIER)

    def _step(self, x: Tensor, station: str) -> Tensor:
        if station == "pooled":
            return self.pool(x)
        if station == CLASSIFIER:
            return self.classify(x)
        return self._run(x, (station,))

    def _run(self, x: Tensor, parts: tuple[str, ...]) -> Tensor:
        for part in parts:
            for module in self.part_modules(part):
                x = module(x)
        return x

    def _index(self, part: str) -> int:
        if part not in self.part_names:
            raise ValueError(f"{part} is none of: {', '.join(self.part_names)}")
        return self.part_names.index(part)

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

    def freeze_backbone(self) -> None:
        """Freeze everything but the classifier (stage `head`)."""
        self._freeze_before(CLASSIFIER)

    def unfreeze_last(self, num_blocks: int) -> None:
        """Train the classifier, head_conv and the last `num_blocks` of the 7 block groups.

        "The last 3 blocks" are blocks.4 (14×14, 112 channels), blocks.5 (7×7, 192) and blocks.6
        (7×7, 320), with all their BatchNorms. head_conv (the 1×1 convolution to 1,280 channels and
        its BatchNorm) always belongs to them: it lies between the blocks and the classifier, so a
        frozen one would have to read features that changed underneath it. 7 is the whole backbone,
        the stem included; 0 freezes the backbone. Torchvision's network also drops whole residual
        branches at random in trained blocks (stochastic depth, up to 0.19 in the last); frozen
        blocks never do.

        Raises: ConfigError: not 0..7.
        """
        if not 0 <= num_blocks <= NUM_BLOCK_GROUPS:
            raise ConfigError(name="unfreeze_blocks", value=num_blocks, need=f"0..{NUM_BLOCK_GROUPS}")
        if num_blocks == 0:
            self.freeze_backbone()
        elif num_blocks == NUM_BLOCK_GROUPS:
            self._freeze_before("stem")
        else:
            self._freeze_before(BLOCKS[NUM_BLOCK_GROUPS - num_blocks])

    def _freeze_before(self, part: str) -> None:
        self._first_trainable = self._index(part)
        for index, name in enumerate(self.part_names):
            for module in self.part_modules(name):
                module.requires_grad_(index >= self._first_trainable)
        self.train(self.training)

    def train(self, mode: bool = True) -> TransferModel:
        """Training mode for the trainable parts only. requires_grad=False alone would let the
        running statistics of a frozen BatchNorm drift with every batch."""
        super().train(mode)
        for part in self.frozen_parts():
            for module in self.part_modules(part):
                module.eval()
        return self

    def frozen_parts(self) -> list[str]:
        return list(self.part_names[: self._first_trainable])

    def trainable_parts(self) -> list[str]:
        return list(self.part_names[self._first_trainable :])

    @property
    def boundary(self) -> str:
        """The last frozen part: "pixels" when nothing is frozen, "head_conv" when the whole backbone is."""
        return self.part_names[self._first_trainable - 1] if self._first_trainable else "pixels"

    def parameter_counts(self) -> dict[str, tuple[int, int]]:
        """{part: (parameters, of these trainable)}; buffers such as BatchNorm statistics not counted."""
        counts = {}
        for part in self.part_names:
            parameters = [p for module in self.part_modules(part) for p in module.parameters()]
            counts[part] = (
                sum(p.numel() for p in parameters),
                sum(p.numel() for p in parameters if p.requires_grad),
            )
        return counts


def boundary_for(num_blocks: int) -> str:
    """Where the frozen part ends when the last `num_blocks` are trained: "pixels" (7: nothing is frozen),
    a block group, or "pooled" (0: only the classifier is trained)."""
    if num_blocks == NUM_BLOCK_GROUPS:
        return "pixels"
    return BLOCKS[NUM_BLOCK_GROUPS - num_blocks - 1] if num_blocks else "pooled"


def _station(name: str) -> int:
    if name not in STATIONS:
        raise ValueError(f"{name} is none of: {', '.join(STATIONS)}")
    return STATIONS.index(name)
