"""The settings of a new run: simple ones first, every other one of RunConfig under "Advanced".

Each widget remembers its value for the session (`set_…` keys). Choosing a preset writes that
preset's numbers into all of them; anything changed afterwards stays until the next preset.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import streamlit as st

from tl_core.base.config import PRESETS_NAMES, RunConfig, default_positive, preset, setting_named
from tl_core.base.messages import say
from tl_core.base.setting import all_settings
from tl_core.base.stages import STAGES
from tl_ui.frame import state
from tl_ui.frame.text import help_of, literal, name_of, t
from tl_ui.screens.train import control, network
from tl_ui.screens.train.control import kept, key_of, remembered
from tl_ui.widgets import choice

LATER = ("not_cached", "will_download")
"""Reasons that hold no run back: the file is fetched when the run starts."""
STRATEGIES = {
    "head": ("head",),
    "last": ("head", "finetune"),
    "whole": ("head", "finetune"),
    "gradual": ("head", "finetune", "whole"),
}
"""{what learns, as the page asks it: the stages in which it does}; "whole" is `finetune` with every block."""
GROUPS = ("learning", "classes", "pictures", "machine")
SOURCES = (
    "auto", "imagenet", "imagenet-torchvision", "imagenet-lite0", "formula", "vggface2", "file", "random",
)  # fmt: skip


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
    values = {name: attrgetter(name)(config) for name in all_settings(RunConfig)}
    own = {"strategy": strategy_of(values), "positive_class": "", "use_class_weights": False}
    # the third stage's epochs stand ready for whoever chooses the strategy that has it
    own |= {"whole.epochs": config.whole.epochs or STAGES["whole"].epochs}
    return values | own | {"weights_file": "", "run_name": ""}


def strategy_of(values: dict[str, Any]) -> str:
    """By what learns; values: {"finetune.epochs": 20 …}. Raises: ConfigError: no such network."""
    if values["whole.epochs"]:
        return "gradual"
    if not values["finetune.epochs"]:
        return "head"
    return "whole" if values["unfreeze_blocks"] == network.of_name(values["backbone"]).num_units else "last"


def simple(classes: list[str]) -> None:
    """What most people look at: preset, weights, strategy, epochs, and which of two classes is looked for."""
    left, right = st.columns(2, gap="large")
    with left:
        st.radio(
            t("train.preset"),
            PRESETS_NAMES,
            format_func={name: t(f"train.preset_{name}") for name in PRESETS_NAMES}.get,
            captions=[t(f"train.preset_{name}_says") for name in PRESETS_NAMES],
            help=t("train.preset_help"),
            on_change=apply_preset,
            **kept("preset"),
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
            **kept("strategy"),
        )
        shown = STRATEGIES[remembered("strategy")]
        for column, stage in zip(st.columns(max(len(shown), 2)), shown, strict=False):
            with column:
                control.draw(f"{stage}.epochs")
    if len(classes) == 2:
        _looked_for(classes)


def _looked_for(classes: list[str]) -> None:
    by_guide = default_positive(remembered("preset"), classes)
    nobody = t("train.looked_for_guide", name=literal(by_guide)) if by_guide else t("train.looked_for_none")
    st.radio(
        t("train.looked_for"),
        [*classes, ""],
        format_func={"": nobody, **{name: literal(name) for name in classes}}.get,
        help=help_of("positive_class"),
        horizontal=True,
        **kept("positive_class"),
    )


def _weights() -> None:
    labels = {source: t(f"train.weights_{source.replace('-', '_')}") for source in SOURCES}
    st.selectbox(
        name_of("weights"),
        SOURCES,
        format_func=labels.get,
        help=help_of("weights"),
        **kept("weights"),
    )
    source = remembered("weights")
    st.caption(t(f"train.weights_{source.replace('-', '_')}_says"))
    if source == "file":
        st.text_input(
            t("train.weights_path"), placeholder="/path/to/weights.safetensors", **kept("weights_file")
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
    """Every other setting, in four groups; the numbers are the recipe's until they are changed."""
    group = choice.one_of(
        "advanced_group",
        t("train.advanced_group"),
        GROUPS,
        lambda name: t(f"train.group_{name}"),
        first="learning",
    )
    if group == "classes":
        _classes(classes)
        return
    if group == "learning":
        network.choose()
        if remembered("strategy") == "last":
            most, words = network.chosen().num_units, help_of("unfreeze_blocks")
            st.slider(name_of("unfreeze_blocks"), 0, most, help=words, **kept("unfreeze_blocks"))
    control.draw_group(group, without=STAGES.keys() - set(STRATEGIES[remembered("strategy")]))


def _classes(classes: list[str]) -> None:
    # two classes are asked about above
    if len(classes) != 2:
        fit_classes(classes)
        st.selectbox(
            name_of("positive_class"),
            ["", *classes],
            format_func={"": t("train.positive_auto"), **{name: name for name in classes}}.get,
            help=help_of("positive_class"),
            **kept("positive_class"),
        )
    st.toggle(t("train.weight_each"), help=help_of("class_weight"), **kept("use_class_weights"))
    if remembered("use_class_weights"):
        _class_weights(classes)
        return
    control.draw("class_balance")
    if remembered("class_balance") == "none":
        control.draw("positive_weight")


def _class_weights(classes: list[str]) -> None:
    one = setting_named("class_weights")
    for column, name in zip(st.columns(max(len(classes), 1)), classes, strict=False):
        st.session_state.setdefault(key_of(f"class_weight.{name}"), 1.0)
        column.number_input(literal(name), one.low, one.high, step=one.step, **kept(f"class_weight.{name}"))


def chosen_config(classes: list[str]) -> RunConfig:
    """The settings as a RunConfig. Raises: ConfigError: they contradict each other."""
    values: dict[str, Any] = {stage: {} for stage in STAGES}
    for name in all_settings(RunConfig).keys() - {"class_weights", "weights"}:
        stage, _, own = name.rpartition(".")
        (values[stage] if stage else values)[own] = remembered(name)
    for stage in STAGES.keys() - set(STRATEGIES[remembered("strategy")]):
        values[stage]["epochs"] = 0
    if remembered("strategy") == "whole":
        values["unfreeze_blocks"] = network.chosen().num_units
    source = remembered("weights")
    values["weights"] = f"file:{remembered('weights_file').strip()}" if source == "file" else source
    values["positive_class"] = remembered("positive_class") or None
    if remembered("use_class_weights"):
        values["class_weights"] = {
            name: float(st.session_state.get(key_of(f"class_weight.{name}"), 1.0)) for name in classes
        }
    return RunConfig.from_dict(values)
