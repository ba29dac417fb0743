"""The settings of a new run: simple ones first, every other one of RunConfig under "Advanced".

Each widget remembers its value for the session (`set_…` keys). Choosing a preset writes that
preset's numbers into all of them; anything changed afterwards stays until the next preset.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import streamlit as st

from tl_core.base.config import PRESETS_NAMES, RunConfig, preset
from tl_core.base.messages import say
from tl_ui.frame import state
from tl_ui.frame.text import help_of, literal, name_of, t
from tl_ui.screens.train import network

LATER = ("not_cached", "will_download")
"""Reasons that hold no run back: the file is fetched when the run starts."""
STRATEGIES = ("head", "last", "whole")
GROUPS = ("learning", "classes", "pictures", "machine")
SOURCES = (
    "auto", "imagenet", "imagenet-torchvision", "imagenet-lite0", "formula", "vggface2", "file", "random",
)  # fmt: skip


@dataclass(frozen=True)
class Number:
    """One number of RunConfig with the bounds that RunConfig itself keeps."""

    name: str
    low: float
    high: float
    step: float
    term: str
    # whose name and help it carries, under [terms]; else under [train]

    @property
    def is_whole(self) -> bool:
        return isinstance(self.step, int)


LEARNING = (
    Number("head.learning_rate", 1e-7, 0.999, 1e-4, "train.rate_head"),
    Number("finetune.learning_rate", 1e-7, 0.999, 1e-5, "train.rate_finetune"),
    Number("batch_size", 1, 4096, 1, "batch_size"),
    Number("dropout", 0.0, 0.99, 0.05, "dropout"),
    Number("weight_decay", 0.0, 0.99, 1e-4, "weight_decay"),
    Number("early_stopping_patience", 0, 1000, 1, "train.stop_patience"),
    Number("scheduler_patience", 0, 1000, 1, "train.drop_patience"),
    Number("scheduler_factor", 0.01, 0.99, 0.05, "train.drop_factor"),
)
PICTURES = (
    Number("target_per_class", 0, 100_000, 10, "target_per_class"),
    Number("views", 0, 1000, 1, "views"),
    Number("image_px", 32, 1024, 32, "image_px"),
    Number("val_fraction", 0.05, 0.5, 0.05, "train.val_share"),
    Number("test_fraction", 0.0, 0.5, 0.05, "train.test_share"),
    Number("seed", 0, 2**31 - 1, 1, "seed"),
)
EPOCHS = (
    Number("head.epochs", 0, 1000, 1, "train.epochs_head"),
    Number("finetune.epochs", 0, 1000, 1, "train.epochs_finetune"),
)


def key_of(name: str) -> str:
    return "set_" + name.replace(".", "_")


def remembered(name: str) -> Any:
    return st.session_state[key_of(name)]


def prepare(preset_name: str = PRESETS_NAMES[0]) -> None:
    """Give every setting a first value; what the person set stays."""
    for name, value in _first_values(preset_name).items():
        st.session_state.setdefault(key_of(name), value)


def apply_preset() -> None:
    """Write the chosen preset's numbers into every setting; the choice of weights stays."""
    for name, value in _first_values(remembered("preset")).items():
        if name not in ("preset", "weights", "weights_file", "run_name"):
            st.session_state[key_of(name)] = value


def fit_classes(classes: list[str]) -> None:
    """A positive class that these pictures do not have, chosen for others, gives way to the automatic one."""
    if remembered("positive_class") not in ("", *classes):
        st.session_state[key_of("positive_class")] = ""


def _first_values(preset_name: str) -> dict[str, Any]:
    config = preset(preset_name)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            values |= {f"{field.name}.{name}": v for name, v in dataclasses.asdict(value).items()}
        else:
            values[field.name] = value
    own = {"strategy": "last", "use_class_weights": False, "weights_file": "", "run_name": ""}
    return values | own | {"positive_class": ""}


def simple(classes: list[str]) -> None:
    """What most people look at: preset, weights, strategy, epochs."""
    left, right = st.columns(2, gap="large")
    with left:
        st.radio(
            t("train.preset"),
            PRESETS_NAMES,
            format_func={name: t(f"train.preset_{name}") for name in PRESETS_NAMES}.get,
            captions=[t(f"train.preset_{name}_says") for name in PRESETS_NAMES],
            help=t("train.preset_help"),
            on_change=apply_preset,
            **_kept("preset"),
        )
        _weights()
    with right:
        labels = {name: t(f"train.strategy_{name}") for name in STRATEGIES if name != "last"}
        labels["last"] = network.last_words(remembered("unfreeze_blocks"))
        st.radio(
            t("train.strategy"),
            STRATEGIES,
            format_func=labels.get,
            captions=[t(f"train.strategy_{name}_says") for name in STRATEGIES],
            help=help_of("frozen"),
            **_kept("strategy"),
        )
        shown = EPOCHS[:1] if remembered("strategy") == "head" else EPOCHS
        for column, number in zip(st.columns(2), shown, strict=False):
            with column:
                _number(number)


def _weights() -> None:
    labels = {source: t(f"train.weights_{source.replace('-', '_')}") for source in SOURCES}
    st.selectbox(
        name_of("weights"),
        SOURCES,
        format_func=labels.get,
        help=help_of("weights"),
        **_kept("weights"),
    )
    source = remembered("weights")
    st.caption(t(f"train.weights_{source.replace('-', '_')}_says"))
    if source == "file":
        st.text_input(
            t("train.weights_path"), placeholder="/path/to/weights.safetensors", **_kept("weights_file")
        )
    elif missing := weights_missing(source):
        st.warning(missing, icon=":material/cloud_off:")


def weights_missing(source: str) -> str | None:
    """Why this source cannot be used now, in words; None when it can (or can be tried)."""
    for status in _availability():
        if status.source == source and not status.is_usable and status.reason not in LATER:
            reason = say(f"reason.{status.reason}", state.language(), detail=status.detail or "")
            return say("error.weights_unavailable", state.language(), source=source, reason=reason)
    return None


@st.cache_data(ttl=30, max_entries=2, show_spinner=False)
def _availability() -> list:
    from tl_core.models.weights.sources import availability

    return list(availability())


def advanced(classes: list[str]) -> None:
    """Every other setting, in four groups; the numbers are the guides' until they are changed."""
    group = st.segmented_control(
        t("train.advanced_group"),
        GROUPS,
        format_func={name: t(f"train.group_{name}") for name in GROUPS}.get,
        default="learning",
        required=True,
        key="advanced_group",
        label_visibility="collapsed",
    )
    match group:
        case "learning":
            network.choose()
            if remembered("strategy") == "last":
                most, words = network.chosen().num_units, help_of("unfreeze_blocks")
                st.slider(name_of("unfreeze_blocks"), 0, most, help=words, **_kept("unfreeze_blocks"))
            _choice("head_solver", ("lbfgs", "adam"))
            _numbers(LEARNING)
        case "classes":
            _classes(classes)
        case "pictures":
            st.toggle(name_of("augmentation"), help=help_of("augmentation"), **_kept("augment"))
            _choice("augmentation", ("light", "guide"))
            _numbers(PICTURES)
            st.toggle(
                t("train.cross_validation"),
                help=t("train.cross_validation_help"),
                **_kept("cross_validation"),
            )
        case _:
            _machine()


def _classes(classes: list[str]) -> None:
    fit_classes(classes)
    st.selectbox(
        name_of("positive_class"),
        ["", *classes],
        format_func={"": t("train.positive_auto"), **{name: name for name in classes}}.get,
        help=help_of("positive_class"),
        **_kept("positive_class"),
    )
    st.toggle(t("train.weight_each"), help=help_of("class_weight"), **_kept("use_class_weights"))
    if remembered("use_class_weights"):
        _class_weights(classes)
        return
    _choice("class_balance", ("auto", "none"))
    if remembered("class_balance") == "none":
        _number(Number("positive_weight", 0.01, 1000.0, 0.5, "train.positive_weight"))


def _class_weights(classes: list[str]) -> None:
    for column, name in zip(st.columns(max(len(classes), 1)), classes, strict=False):
        st.session_state.setdefault(key_of(f"class_weight.{name}"), 1.0)
        column.number_input(literal(name), 0.01, 1000.0, step=0.5, **_kept(f"class_weight.{name}"))


def _machine() -> None:
    left, right = st.columns(2)
    with left:
        st.selectbox(
            t("train.library"), ("timm", "torchvision"), help=t("train.library_help"), **_kept("library")
        )
        st.text_input(name_of("device"), help=t("train.device_help"), **_kept("device"))
    with right:
        st.selectbox(
            name_of("number_format"), ("auto", "fp32", "bf16", "fp16"), help=help_of("number_format"),
            **_kept("precision"),
        )  # fmt: skip
        _number(Number("threads", 0, 1024, 1, "train.threads"))
        st.toggle(t("train.deterministic"), help=t("train.deterministic_help"), **_kept("deterministic"))


def _choice(name: str, values: tuple[str, ...]) -> None:
    st.selectbox(
        t(f"train.{name}"),
        values,
        format_func={value: t(f"train.{name}_{value}") for value in values}.get,
        help=t(f"train.{name}_help"),
        **_kept(name),
    )


def _numbers(numbers: tuple[Number, ...]) -> None:
    for start in range(0, len(numbers), 2):
        for column, number in zip(st.columns(2), numbers[start : start + 2], strict=False):
            with column:
                _number(number)


def _number(number: Number) -> None:
    own = number.term.startswith("train.")
    words = t(number.term) if own else name_of(number.term)
    says = t(f"{number.term}_help") if own else help_of(number.term)
    kind = int if number.is_whole else float
    st.number_input(
        words,
        kind(number.low),
        kind(number.high),
        step=kind(number.step),
        format="%d" if number.is_whole else "%g",
        help=says,
        **_kept(number.name),
    )


def _kept(name: str) -> dict[str, Any]:
    """The widget's key, and that its value outlives the page."""
    return {"key": key_of(name), "persist_state": "session"}


def chosen_config(classes: list[str]) -> RunConfig:
    """The settings as a RunConfig. Raises: ConfigError: they contradict each other."""
    values: dict[str, Any] = {"head": {}, "finetune": {}}
    for field in dataclasses.fields(RunConfig):
        if field.name not in ("head", "finetune", "class_weights", "weights"):
            values[field.name] = remembered(field.name)
    for stage in ("head", "finetune"):
        for name in ("epochs", "learning_rate"):
            values[stage][name] = remembered(f"{stage}.{name}")
    if remembered("strategy") == "head":
        values["finetune"]["epochs"] = 0
    elif remembered("strategy") == "whole":
        values["unfreeze_blocks"] = network.chosen().num_units
    source = remembered("weights")
    values["weights"] = f"file:{remembered('weights_file').strip()}" if source == "file" else source
    values["positive_class"] = remembered("positive_class") or None
    if remembered("use_class_weights"):
        values["class_weights"] = {
            name: float(st.session_state.get(key_of(f"class_weight.{name}"), 1.0)) for name in classes
        }
    return RunConfig.from_dict(values)
