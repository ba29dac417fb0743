"""Step 3: the head swap. 1,000 outputs are replaced by two, and what each head says to one picture."""

from __future__ import annotations

import numpy as np
import streamlit as st

from tl_core.models.weights import sources
from tl_core.models.weights.locate import recorded_name
from tl_core.models.weights.record import B0, WeightsRecord
from tl_ui.frame import state
from tl_ui.frame.text import help_of, number, t
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts import code_view, person_data
from tl_ui.lesson.parts.network.network_values import network_values
from tl_ui.screens.head_swap import view as head_swap_view
from tl_ui.stores import shared_network
from tl_ui.widgets.html.network_strip import network_name


def num_classes() -> int:
    return len(person_data.counts())


def old() -> None:
    """What the old head can name."""
    found = shared_network.weights()
    st.caption(recorded_name(found.choice.to_dict(), state.language()), help=help_of("weights"))
    head_swap_view.old_classes(found.choice, "lesson")


def swap() -> None:
    found = shared_network.weights()
    head_swap_view.swap(shared_network.counts(found.choice, num_classes()))


def answers() -> None:
    found = shared_network.weights()
    image = head_swap_view.pick_picture()
    head_swap_view.answers(found.choice, image, num_classes())


def ways() -> None:
    """timm's and torchvision's way, from the running source, and the proof that they agree."""
    left, right = st.columns(2, gap="medium")
    for column, library, name in (
        (left, "timm", "tl_core.models.families.timm_network:TimmClassifier.__init__"),
        (right, "torchvision", "tl_core.models.families.efficientnet:TorchvisionClassifier.__init__"),
    ):
        with column:
            found = code_view.excerpt(name)
            st.markdown(f"**{library}**")
            st.code(found.text, language="python", wrap_lines=True)
            st.caption(t("lesson.code_from", file=found.file, line=found.line))
    choice = _of_both_libraries()
    largest, size, features = _difference(choice.sha256, choice)
    with st.container(horizontal=True, key="numbers_same"):
        st.metric(
            t("lesson_head_swap.largest_difference"),
            f"{largest:.1e}" if largest else "0",
            help=t("lesson_head_swap.same_help"),
        )
        st.metric(t("lesson_head_swap.largest_feature"), f"{size:.2f}")
    weights = recorded_name(choice.to_dict(), state.language())
    st.caption(
        t(
            "lesson_head_swap.same_note",
            features=number(features),
            network=network_name(choice.backbone),
            weights=weights,
        )
    )


def _of_both_libraries() -> WeightsRecord:
    """The weights in use where torchvision has their network too, else B0's that come with the program."""
    choice = shared_network.weights().choice
    return choice if choice.backbone == B0 else sources.choose("formula")


@st.cache_data(max_entries=2, show_spinner=False)
def _difference(sha256: str, _choice: WeightsRecord) -> tuple[float, float, int]:
    """The same weights and picture in both libraries: largest difference, largest feature, how many."""
    import torch

    from tl_core.data.pixels.normalise import normalise
    from tl_core.models.build import build

    image = person_data.examples()[0][1]
    x = normalise(torch.from_numpy(np.ascontiguousarray(image))[None], _choice.mean, _choice.std)
    with torch.inference_mode():
        models = [
            build(library, 2, 0.3, _choice, shared_network.SEED).eval() for library in ("timm", "torchvision")
        ]
        one, other = (model.forward_until(x, "pooled") for model in models)
    return float((one - other).abs().max()), float(one.abs().max()), one.shape[1]


IDEAS = {
    "old": Idea(old, code=("tl_core.models.weights.sources:class_names",), values=network_values),
    "swap": Idea(
        swap,
        code=("tl_core.models.backbone:TransferModel.replace_head",),
        predicts=True,
        tells_the_answer=True,
        values=network_values,
    ),
    "answers": Idea(answers, code=("tl_core.models.backbone:TransferModel.classify",), is_wide=True),
    "ways": Idea(ways, code=("tl_core.models.backbone:TransferModel.replace_head",), is_wide=True),
}
