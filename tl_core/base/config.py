"""Every setting of a run, as frozen records whose defaults are the guides' numbers.

Presets of one system: `standard` (a person's own pictures; chosen on validation pictures, see
benchmarks/RESULTS.md), `expression` (the facial-expression guide, timm backbone), `casting` (the
casting-defect guide, torchvision backbone) and `gradual` (the same guide's third strategy, three stages).
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tl_core.base.errors import ConfigError
from tl_core.base.setting import Setting, all_settings, require, setting
from tl_core.base.stages import STAGES

MAX_HELD_OUT = 0.8
"""Share of the pictures that may judge, in validation and test together: the rest must teach."""

NUM_BLOCK_GROUPS = 7
"""Block groups of EfficientNet-B0. Source: Tan & Le 2019, arXiv:1905.11946, table 1."""

PRESETS_NAMES = ("standard", "expression", "casting", "gradual")
DEVICES = r"auto|cpu|mps|cuda(:\d+)?"
"""How a device may be called; whether it is there is for `tl_core.compute.device` to say."""


@dataclass(frozen=True)
class StageConfig:
    epochs: int = setting(low=0, high=1000, step=1, unit="epochs")
    # at most; early stopping may end the stage sooner. 0 skips the stage
    learning_rate: float = setting(low=1e-8, high=1, step=1e-5, group="learning")
    # Adam's, per step

    def __post_init__(self) -> None:
        require(self)


def _stage(name: str, **other: Any) -> StageConfig:
    stage = STAGES[name]
    return StageConfig(**{"epochs": stage.epochs, "learning_rate": stage.learning_rate, **other})


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A setting is one field: its range, step, unit and words stand with it (`tl_core.base.setting`)."""

    preset: str = setting("expression", choices=PRESETS_NAMES)
    weights: str = setting("auto", term="weights")
    # a weight source: auto, imagenet, imagenet-torchvision, formula, vggface2, file:PATH, random
    head: StageConfig = field(default_factory=lambda: _stage("head"))
    finetune: StageConfig = field(default_factory=lambda: _stage("finetune"))
    whole: StageConfig = field(default_factory=lambda: _stage("whole", epochs=0))

    head_solver: str = setting("adam", choices=("lbfgs", "adam"), group="learning")
    # "adam": in epochs; "lbfgs": solved as a logistic regression on the frozen part's features
    unfreeze_blocks: int = setting(3, low=0, high=1000, step=1, unit="blocks", term="unfreeze_blocks")
    # groups, stages or blocks trained in `finetune`, counted from the end; EfficientNet has 7, a ResNet 4
    batch_size: int = setting(
        32, low=1, high=4096, step=1, unit="pictures", term="batch_size", group="learning"
    )
    # per step
    dropout: float = setting(0.3, low=0, high=0.99, step=0.05, term="dropout", group="learning")
    # probability, before the new Linear layer
    batchnorm: str = setting("measured", choices=("measured", "kept"), group="learning")
    # of the trained part: "measured" anew in every batch; "kept" as pre-training left it, where it did
    weight_decay: float = setting(1e-4, low=0, high=0.99, step=1e-4, term="weight_decay", group="learning")
    label_smoothing: float = setting(0.0, low=0, high=0.5, step=0.05, group="learning")
    # share of each answer that is spread over all classes, so that none is learnt with full certainty
    schedule: str = setting("plateau", choices=("plateau", "one_cycle"), group="learning")
    # of the learning rate: lowered where the validation loss stands still; or up at first, then down to 0
    early_stopping_patience: int = setting(7, low=0, high=1000, step=1, unit="epochs", group="learning")
    # without a lower validation loss before the stage ends; 0 = never
    scheduler_patience: int = setting(3, low=0, high=1000, step=1, unit="epochs", group="learning")
    # without a lower validation loss before the learning rate is reduced
    scheduler_factor: float = setting(0.1, low=0.001, high=0.999, step=0.05, group="learning")
    # the rate is multiplied by this (torch's own default, which the guide uses)

    positive_class: str | None = setting(None, term="positive_class", flag="--positive")
    # class that precision, recall and the threshold speak of; None = the guide's choice, or none
    class_balance: str = setting("none", choices=("auto", "none"))
    # "auto": rarer classes weigh more where the counts are unequal; replaces positive_weight
    positive_weight: float = setting(2.0, low=0.001, high=1000, step=0.5)
    # loss weight of the positive class; every other class weighs 1
    class_weights: dict[str, float] | None = setting(None, low=0.001, high=1000, step=0.5)
    # loss weight per class name; replaces positive_weight

    augment: bool = setting(True, term="augmentation", group="pictures")
    augmentation: str = setting("guide", choices=("light", "guide"), group="pictures")
    # "guide": the expression guide's strengths; "light": mirrored, a little brighter or darker
    target_per_class: int = setting(
        250, low=0, high=100_000, step=10, unit="pictures", term="target_per_class", group="pictures"
    )
    # training pictures per class after augmentation; larger classes stay as they are
    views: int = setting(8, low=0, high=1000, step=1, unit="views", term="views", group="pictures")
    # augmented views per picture, reused by turns over the epochs; 0 = a fresh one every epoch
    image_px: int = setting(224, low=32, high=1024, step=32, unit="px", term="image_px", group="pictures")
    # side of the square the network sees
    val_fraction: float = setting(0.2, low=0.05, high=0.5, step=0.05, group="pictures")
    test_fraction: float = setting(0.2, low=0, high=0.5, step=0.05, group="pictures")
    # of all pictures, where the data has no such folder of its own; together MAX_HELD_OUT at most
    seed: int = setting(42, low=0, high=2**32 - 1, step=1, term="seed", group="pictures")
    cross_validation: bool = setting(True, group="pictures")
    # where there is no test part: the whole recipe once per fold; False: only the solved head
    groups: str = setting("")
    # pictures kept on one side of the split: "" = as headswap-groups.csv beside them says, "names" = as
    # their names tell, "none", or the path of a table of file and group
    use_decisions: bool = setting(True, flag="--ignore-decisions")
    # follow headswap-decisions.csv beside the pictures

    library: str = setting("timm", choices=("timm", "torchvision"), group="machine")
    # whose efficientnet_b0 is built; any other network is timm's
    backbone: str = setting("auto", pattern=r"\w+(\.\w+)?", example="auto, resnet18 …")
    # the network; "auto" = the one that the weights are for, else timm's name of it
    precision: str = setting(
        "auto", choices=("auto", "fp32", "bf16", "fp16"), term="number_format", group="machine"
    )
    # "fp16" on CUDA only
    device: str = setting("auto", pattern=DEVICES, example="auto|cpu|cuda|cuda:1|mps", group="machine")
    threads: int = setting(0, low=0, high=1024, step=1, group="machine")
    # CPU threads of the worker; 0 = one per core
    deterministic: bool = setting(False, group="machine")
    # where `precision` is "auto": fp32 throughout, instead of what is measured to be faster here

    def __post_init__(self) -> None:
        """What no setting says alone. Raises: ConfigError."""
        require(self)

        def refuse_unless(is_valid: bool, name: str, value: Any, need: str) -> None:
            if not is_valid:
                raise ConfigError(name=name, value=value, need=need)

        # a named network has its own number of them, which `create_run` holds this against
        most = NUM_BLOCK_GROUPS if self.backbone == "auto" else self.unfreeze_blocks
        refuse_unless(
            self.unfreeze_blocks <= most, "unfreeze_blocks", self.unfreeze_blocks, f"0..{NUM_BLOCK_GROUPS}"
        )
        held_out = round(self.val_fraction + self.test_fraction, 6)
        need = f"val_fraction + test_fraction <= {MAX_HELD_OUT}"
        refuse_unless(held_out <= MAX_HELD_OUT, "test_fraction", self.test_fraction, need)
        refuse_unless(bool(self.stages), "epochs", 0, f"{' or '.join(STAGES)} >= 1")
        last = [name for name in self.stages if STAGES[name].learns == "last"]
        need = f">= 1, or {' and '.join(last)} epochs 0"
        refuse_unless(self.unfreeze_blocks > 0 or not last, "unfreeze_blocks", 0, need)

    @property
    def stages(self) -> dict[str, StageConfig]:
        """{name: its epochs and rate} of those that are trained, in order."""
        every = {name: getattr(self, name) for name in STAGES}
        return {name: stage for name, stage in every.items() if stage.epochs}

    @property
    def trains_backbone(self) -> bool:
        """Whether more than the head learns in any stage."""
        return any(STAGES[name].moves_backbone for name in self.stages)

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


_CASTING: dict[str, Any] = {
    "library": "torchvision",
    "dropout": 0.5,
    "head": _stage("head", epochs=10),
    "positive_weight": 1.0,
}
PRESETS: dict[str, dict[str, Any]] = {
    "standard": {
        "head": StageConfig(30, 1e-3),
        "head_solver": "lbfgs",
        "finetune": StageConfig(12, 3e-4),
        "dropout": 0.0,
        "batchnorm": "kept",
        "label_smoothing": 0.05,
        "schedule": "one_cycle",
        "positive_weight": 1.0,
        "class_balance": "auto",
        "augmentation": "light",
        "target_per_class": 0,
        "views": 3,
        "cross_validation": False,
    },
    "expression": {},
    "casting": _CASTING,
    "gradual": {**_CASTING, "whole": _stage("whole")},
}
"""What each preset changes. Sources: the two guides; the casting guide names no fine-tuning
epochs or weights, so the expression guide's 20 epochs and no class weights stand in. `standard` has no
guide: its numbers were chosen on validation pictures (benchmarks/README.md). That few pictures should keep
BatchNorm's statistics is Keras's advice, too (its guide "Transfer learning & fine-tuning")."""

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


def setting_named(name: str) -> Setting:
    """Of `seed` or `head.epochs`. Raises: KeyError."""
    return all_settings(RunConfig)[name]
