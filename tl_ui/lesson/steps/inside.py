"""Step 2: inside EfficientNet-B0, part by part, on the real network and the person's picture."""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_ui.frame.text import help_of, name_of, number, t
from tl_ui.lesson import presenter
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts import map_tiles, person_data
from tl_ui.lesson.parts import network_parts as network_look
from tl_ui.screens.head_swap import view as head_swap_view
from tl_ui.stores import shared_network
from tl_ui.widgets import pictures
from tl_ui.widgets.network_strip import part_name

LEVELS = {"low": ("stem", "blocks.0", "blocks.1"), "middle": ("blocks.2", "blocks.3", "blocks.4")}
"""Rough: the step from edges to shapes is gradual. Everything later is high-level."""
SHOWN = {"early": "stem", "middle": "blocks.2", "late": "blocks.6"}
NUM_TILES = 6
OLD_CLASS, OLD_SEED = 20, 3
"""A star with clear edges, of the first family."""


def level_of(part: str) -> str:
    if part == "classifier":
        return "decision"
    return next((level for level, members in LEVELS.items() if part in members), "high")


def parts() -> None:
    """The whole network as bars of its parameters; one part closer."""
    found = shared_network.weights()
    known = network_look.parts(found.choice.sha256, found.choice)
    labels = {name: part_name(name) for name in known}
    name = st.segmented_control(
        t("lesson_inside.choose_part"), list(known), format_func=labels.get, default="stem", required=True,
        key="inside_part", label_visibility="collapsed",
    )  # fmt: skip
    _bars(known, name)
    part = known[name]
    st.markdown(f"**{labels[name]}** · {t(f'lesson_inside.level_{level_of(name)}')}")
    st.markdown(t(f"lesson_inside.role_{'blocks' if name.startswith('blocks') else name}"))
    with st.container(horizontal=True, key="numbers_part"):
        st.metric(t("lesson_inside.goes_in"), _shape(part.shape_in), help=help_of("shape"), width="content")
        st.metric(
            t("lesson_inside.comes_out"), _shape(part.shape_out), help=help_of("shape"), width="content"
        )
        st.metric(
            name_of("parameters"), number(part.num_parameters), help=help_of("parameters"), width="content"
        )
    columns = dict.fromkeys(key for row in part.layers for key in row)
    rows = [
        {t(f"lesson_inside.column_{key}"): str(row.get(key, "–")) for key in columns} for row in part.layers
    ]
    st.dataframe(rows, hide_index=True, key="part_layers", row_height=presenter.row_px())
    head_swap_view.weights_note(found)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(number(size) for size in shape)


def _bars(known: dict[str, network_look.Part], chosen: str) -> None:
    most = max(part.num_parameters for part in known.values())
    bars = "".join(
        f'<i class="{"chosen" if name == chosen else ""} {"head" if name == "classifier" else ""}" '
        f'style="height:{max(100 * (part.num_parameters / most) ** 0.5, 4):.0f}%" '
        f'title="{escape(part_name(name), quote=True)}: {number(part.num_parameters)}"></i>'
        for name, part in known.items()
    )
    st.html(f'<div class="hs-partbars" role="img" aria-label="{t("lesson_inside.bars_alt")}">{bars}</div>')
    st.caption(t("lesson_inside.bars_note"))


def sees() -> None:
    """The same picture early, in the middle and late."""
    found = shared_network.weights()
    image = head_swap_view.pick_picture()
    answers = network_look.answers(found.choice, image)
    for when, part in SHOWN.items():
        values = answers[part]
        shape = " × ".join(number(size) for size in values.shape)
        tiles = [
            (map_tiles.tile(values[c]), t("lesson_inside.channel", number=c))
            for c in network_look.liveliest(values, NUM_TILES)
        ]
        map_tiles.row(f"{t(f'lesson_inside.when_{when}')}: {part_name(part)}", shape, tiles)
    map_tiles.scale()


def carry() -> None:
    """The same early channels on a picture of the old task and on the person's own."""
    from tl_core.synthetic.formula import draw

    found = shared_network.weights()
    own = person_data.examples()[0][1]
    old = draw(OLD_CLASS, OLD_SEED, 224)
    answers = {"old": network_look.answers(found.choice, old), "own": network_look.answers(found.choice, own)}
    part = st.segmented_control(
        t("lesson_inside.choose_part"),
        list(SHOWN.values()),
        format_func={part: part_name(part) for part in SHOWN.values()}.get,
        default="stem",
        required=True,
        key="carry_part",
    )
    channels = network_look.liveliest(answers["own"][part], NUM_TILES - 1)
    for which, picture in (("old", old), ("own", own)):
        tiles = [(pictures.jpeg_uri(picture), t("lesson_inside.picture"))]
        tiles += [
            (map_tiles.tile(answers[which][part][c]), t("lesson_inside.channel", number=c)) for c in channels
        ]
        map_tiles.row(t(f"lesson_inside.carry_{which}"), "", tiles)
    map_tiles.scale()


IDEAS = {
    "parts": Idea(parts, code=("tl_core.models.families.efficientnet:EfficientNetClassifier.part_modules",)),
    "sees": Idea(sees, code=("tl_core.models.backbone:TransferModel.forward_between",)),
    "carry": Idea(carry, code=("tl_core.models.backbone:TransferModel.forward_features",)),
}
