"""Every setting of a run, as frozen records whose defaults are the guides' numbers.

Three presets of one system: `standard` (a person's own pictures; chosen on validation pictures,
see benchmarks/RESULTS.md), `expression` (the facial-expression guide, timm backbone) and `casting`
(the casting-defect guide, torchvision backbone).
"""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from tl_core.base.errors import ConfigError

STAGES = ("head", "finetune")
"""The two training stages, in order. Evaluation adds `before`, the untouched new head."""

MAX_HELD_OUT = 0.8
"""Share of the pictures that may judge, in validation and test together: the rest must teach."""

NUM_BLOCK_GROUPS = 7
"""Block groups of EfficientNet-B0. Source: Tan & Le 2019, arXiv:1905.11946, table 1."""


DEVICES = r"auto|cpu|mps|cuda(:\d+)?"
"""How a device may be called; whether it is there is for `tl_core.compute.device` to say."""


def _require_types(record: Any) -> None:
    """A settings file may hold anything. Raises: ConfigError: a value is not of its field's type."""
    for name, hint in get_type_hints(type(record)).items():
        value = getattr(record, name)
        kinds = tuple(get_origin(kind) or kind for kind in get_args(hint) or (hint,))
        if not any(_is_of(value, kind) for kind in kinds):
            need = "|".join(kind.__name__ for kind in kinds if kind is not type(None))
            raise ConfigError(name=name, value=value, need=need)


def _is_of(value: Any, kind: type) -> bool:
    """Whole numbers are numbers; true and false are not, although Python counts with them."""
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, kind)


@dataclass(frozen=True)
class StageConfig:
    epochs: int
    # at most; early stopping may end the stage sooner. 0 skips the stage
    learning_rate: float
    # Adam's, per step

    def __post_init__(self) -> None:
        _require_types(self)
        if self.epochs < 0:
            raise ConfigError(name="epochs", value=self.epochs, need=">= 0")
        if not 0 < self.learning_rate < 1:
            raise ConfigError(name="learning_rate", value=self.learning_rate, need="> 0, < 1")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    preset: str = "expression"
    library: str = "timm"
    # "timm" or "torchvision": whose efficientnet_b0 is built; any other network is timm's
    backbone: str = "auto"
    # the network; "auto" = the one that the weights are for, else timm's name of it
    weights: str = "auto"
    # a weight source: auto, imagenet, imagenet-torchvision, formula, vggface2, file:PATH, random
    seed: int = 42

    image_px: int = 224
    # side of the square the network sees, in pixels
    dropout: float = 0.3
    # probability, before the new Linear layer
    batch_size: int = 32
    # pictures per step
    weight_decay: float = 1e-4
    unfreeze_blocks: int = 3
    # groups, stages or blocks trained in `finetune`, counted from the end; EfficientNet has 7, a ResNet 4
    head: StageConfig = field(default_factory=lambda: StageConfig(15, 1e-3))
    finetune: StageConfig = field(default_factory=lambda: StageConfig(20, 1e-4))

    head_solver: str = "adam"
    # "adam": in epochs; "lbfgs": solved as a logistic regression on the frozen part's features

    positive_class: str | None = None
    # class that precision, recall and the threshold speak of; None = the guide's choice, or none
    positive_weight: float = 2.0
    # loss weight of the positive class; every other class weighs 1
    class_weights: dict[str, float] | None = None
    # loss weight per class name; replaces positive_weight
    class_balance: str = "none"
    # "auto": rarer classes weigh more where the counts are unequal; replaces positive_weight

    augment: bool = True
    augmentation: str = "guide"
    # "guide": the expression guide's strengths; "light": mirrored, a little brighter or darker
    target_per_class: int = 250
    # training pictures per class after augmentation; larger classes stay as they are
    views: int = 8
    # augmented views per picture, reused by turns over the epochs; 0 = a fresh one every epoch

    scheduler_patience: int = 3
    # epochs without a lower validation loss before the learning rate is reduced
    scheduler_factor: float = 0.1
    # the rate is multiplied by this (torch's own default, which the guide uses)
    early_stopping_patience: int = 7
    # epochs without a lower validation loss before the stage ends; 0 = never

    val_fraction: float = 0.2
    test_fraction: float = 0.2
    # of all pictures, where the data has no such folder of its own; together MAX_HELD_OUT at most

    cross_validation: bool = True
    # where there is no test part: the whole recipe once per fold; False: only the solved head

    groups: str = ""
    # pictures kept on one side of the split: "" = as headswap-groups.csv beside them says, "names" = as
    # their names tell, "none", or the path of a table of file and group
    use_decisions: bool = True
    # follow headswap-decisions.csv beside the pictures

    device: str = "auto"
    # "auto", "cpu", "cuda", "cuda:1", "mps"
    precision: str = "auto"
    # "auto", "fp32", "bf16", "fp16" (CUDA only)
    deterministic: bool = False
    # where `precision` is "auto": fp32 throughout, instead of what is measured to be faster here
    threads: int = 0
    # CPU threads of the worker; 0 = one per core

    def __post_init__(self) -> None:
        _require_types(self)

        def require(name: str, is_valid: bool, need: str) -> None:
            if not is_valid:
                raise ConfigError(name=name, value=getattr(self, name), need=need)

        require("preset", self.preset in PRESETS_NAMES, "|".join(PRESETS_NAMES))
        require("library", self.library in ("timm", "torchvision"), "timm|torchvision")
        require("seed", 0 <= self.seed < 2**32, "0..4294967295")
        require("image_px", 32 <= self.image_px <= 1024, "32..1024")
        require("dropout", 0 <= self.dropout < 1, ">= 0, < 1")
        require("batch_size", 1 <= self.batch_size <= 4096, "1..4096")
        require("weight_decay", 0 <= self.weight_decay < 1, ">= 0, < 1")
        require("backbone", re.fullmatch(r"\w+(\.\w+)?", self.backbone) is not None, "auto, resnet18 …")
        # a named network has its own number of them, which `create_run` holds this against
        most = NUM_BLOCK_GROUPS if self.backbone == "auto" else 1000
        require("unfreeze_blocks", 0 <= self.unfreeze_blocks <= most, "0..7")
        require("head_solver", self.head_solver in ("adam", "lbfgs"), "adam|lbfgs")
        require("class_balance", self.class_balance in ("none", "auto"), "none|auto")
        require("augmentation", self.augmentation in ("guide", "light"), "guide|light")
        require("positive_weight", 0 < self.positive_weight < math.inf, "> 0")
        require("target_per_class", 0 <= self.target_per_class <= 100_000, "0..100000")
        require("views", 0 <= self.views <= 1000, "0..1000")
        require("scheduler_patience", self.scheduler_patience >= 0, ">= 0")
        require("scheduler_factor", 0 < self.scheduler_factor < 1, "> 0, < 1")
        require("early_stopping_patience", self.early_stopping_patience >= 0, ">= 0")
        require("val_fraction", 0.05 <= self.val_fraction <= 0.5, "0.05..0.5")
        require("test_fraction", 0 <= self.test_fraction <= 0.5, "0..0.5")
        held_out = round(self.val_fraction + self.test_fraction, 6)
        require("test_fraction", held_out <= MAX_HELD_OUT, f"val_fraction + test_fraction <= {MAX_HELD_OUT}")
        require("device", re.fullmatch(DEVICES, self.device) is not None, "auto|cpu|cuda|cuda:1|mps")
        require("precision", self.precision in ("auto", "fp32", "bf16", "fp16"), "auto|fp32|bf16|fp16")
        require("threads", 0 <= self.threads <= 1024, "0..1024")
        if self.class_weights is not None:
            numbers = self.class_weights.values()
            require("class_weights", all(_is_of(w, float) and 0 < w < math.inf for w in numbers), "> 0")
        if self.head.epochs + self.finetune.epochs == 0:
            raise ConfigError(name="epochs", value=0, need="head or finetune >= 1")
        if self.finetune.epochs and not self.unfreeze_blocks:
            raise ConfigError(name="unfreeze_blocks", value=0, need=">= 1, or finetune epochs 0")

    def to_dict(self) -> dict[str, Any]:
        """Plain types only; `from_dict` reads it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """Raises: ConfigError: an unknown name, a value of the wrong type or out of range."""
        known = {f.name: f for f in dataclasses.fields(cls)}
        values = dict(values)
        for name in values:
            if name not in known:
                raise ConfigError(name=name, value=values[name], need=", ".join(known))
        defaults = PRESETS.get(str(values.get("preset", "expression")), {})
        for stage in STAGES:
            if isinstance(values.get(stage), dict):
                base = dataclasses.asdict(defaults.get(stage) or getattr(cls(), stage))
                unknown = set(values[stage]) - set(base)
                if unknown:
                    raise ConfigError(name=f"{stage}.{unknown.pop()}", value="", need=", ".join(base))
                values[stage] = StageConfig(**{**base, **values[stage]})
        return cls(**{**defaults, **values})


PRESETS: dict[str, dict[str, Any]] = {
    "standard": {
        "head": StageConfig(30, 1e-3),
        "head_solver": "lbfgs",
        "finetune": StageConfig(12, 3e-4),
        "positive_weight": 1.0,
        "class_balance": "auto",
        "augmentation": "light",
        "target_per_class": 0,
        "views": 3,
        "cross_validation": False,
    },
    "expression": {},
    "casting": {
        "library": "torchvision",
        "dropout": 0.5,
        "head": StageConfig(10, 1e-3),
        "finetune": StageConfig(20, 1e-4),
        "positive_weight": 1.0,
    },
}
"""What each preset changes. Sources: the two guides; the casting guide names no fine-tuning
epochs or weights, so the expression guide's 20 epochs and no class weights stand in. `standard` has no
guide: its numbers were chosen on the validation pictures of `benchmarks.first_minute`."""

PRESETS_NAMES = ("standard", "expression", "casting")
DEFAULT_PRESET = "standard"
"""For a person's own pictures: no guide's class, weight or number acts there."""


def preset(name: str, **overrides: Any) -> RunConfig:
    """The preset's settings with some replaced; a stage may be given as a dict of its fields.

    Raises: ConfigError: no such preset or setting.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise ConfigError(name="preset", value=name, need="|".join(PRESETS))
    return RunConfig.from_dict({"preset": name, **overrides})


def read_toml(path: Path) -> dict[str, Any]:
    """Settings of a `--config` file, to be laid over a preset.

    Raises: ConfigError: the file cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(name="--config", value=f"{path}: {error}", need="a TOML file") from None


def default_positive(preset_name: str, classes: list[str]) -> str | None:
    """The class that a guide looks for: the defect (first by alphabet: `def_front`), or the expression
    (last by alphabet: `teasing`). None in `standard`: nothing is sought until the person names it."""
    return {"casting": classes[0], "expression": classes[-1]}.get(preset_name)
