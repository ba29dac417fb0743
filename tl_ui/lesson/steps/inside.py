"""Step 2: inside the network in use, part by part, on the real thing and the person's picture."""

from __future__ import annotations

from html import escape

import streamlit as st

from tl_core.models.weights.locate import LITE0
from tl_core.models.weights.sources import WeightsRecord
from tl_ui.frame.text import help_of, name_of, number, t
from tl_ui.lesson import presenter
from tl_ui.lesson.idea import Idea
from tl_ui.lesson.parts import old_task, person_data
from tl_ui.lesson.parts.network import map_tiles
from tl_ui.lesson.parts.network import network_parts as network_look
from tl_ui.lesson.parts.network.network_values import network_values
from tl_ui.screens.head_swap import view as head_swap_view
from tl_ui.stores import shared_network
from tl_ui.widgets import choice
from tl_ui.widgets.html import pictures
from tl_ui.widgets.html.network_strip import COUNTED, network_name, part_names, units_of

LOW, MIDDLE = 2 / 7, 5 / 7
"""Shares of the groups that see edges, and patterns. Rough: the step to shapes is gradual."""
NUM_TILES = 6


def names(choice: WeightsRecord) -> dict[str, str]:
    """{part: what it is called}, of the network in use."""
    return part_names(units_of(choice.backbone))


def level_of(part: str, units: dict[str, str]) -> str:
    """low, middle, high or decision: by how far along the groups the part stands."""
    if units[part] in ("stem", "head"):
        return "low" if units[part] == "stem" else "decision"
    counted = [name for name, unit in units.items() if unit in COUNTED]
    if part not in counted:
        return "high"
    share = (counted.index(part) + 1) / len(counted)
    return "low" if share <= LOW else "middle" if share <= MIDDLE else "high"


def shown(units: dict[str, str]) -> dict[str, str]:
    """{when: part} of an early, a middle and a late one: stem, blocks.2 and blocks.6 of seven groups."""
    counted = [name for name, unit in units.items() if unit in COUNTED]
    return {"early": next(iter(units)), "middle": counted[(len(counted) - 1) * 2 // 5], "late": counted[-1]}


def role(part: network_look.Part) -> str:
    """What such a part does, in a sentence."""
    if part.unit == "group":
        return t("lesson_inside.role_group" if part.has_weighing else "lesson_inside.role_group_plain")
    return t(f"lesson_inside.role_{part.name if part.unit == 'neck' else part.unit}")


def parts() -> None:
    """The whole network as bars of its parameters; one part closer."""
    found = shared_network.weights()
    known = network_look.parts(found.choice.sha256, found.choice)
    labels = names(found.choice)
    name = choice.one_of("inside_part", t("lesson_inside.choose_part"), list(known), labels.get, first="stem")
    _bars(known, name, labels)
    part = known[name]
    st.markdown(
        f"**{labels[name]}** · {t(f'lesson_inside.level_{level_of(name, units_of(found.choice.backbone))}')}"
    )
    st.markdown(role(part))
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
    if found.choice.backbone == LITE0:
        st.caption(t("network.sister", network=network_name(LITE0)))


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(number(size) for size in shape)


def _bars(known: dict[str, network_look.Part], chosen: str, labels: dict[str, str]) -> None:
    most = max(part.num_parameters for part in known.values())
    bars = "".join(
        f'<i class="{"chosen" if name == chosen else ""} {"head" if name == "classifier" else ""}" '
        f'style="height:{max(100 * (part.num_parameters / most) ** 0.5, 4):.0f}%" '
        f'title="{escape(labels[name], quote=True)}: {number(part.num_parameters)}"></i>'
        for name, part in known.items()
    )
    st.html(f'<div class="hs-partbars" role="img" aria-label="{t("lesson_inside.bars_alt")}">{bars}</div>')
    st.caption(t("lesson_inside.bars_note"))


def sees() -> None:
    """The same picture early, in the middle and late."""
    found = shared_network.weights()
    image = head_swap_view.pick_picture()
    answers, labels = network_look.answers(found.choice, image), names(found.choice)
    for when, part in shown(units_of(found.choice.backbone)).items():
        values = answers[part]
        shape = " × ".join(number(size) for size in values.shape)
        tiles = [
            (map_tiles.tile(values[c]), t("lesson_inside.channel", number=c))
            for c in network_look.liveliest(values, NUM_TILES)
        ]
        map_tiles.row(f"{t(f'lesson_inside.when_{when}')}: {labels[part]}", shape, tiles)
    map_tiles.scale()


def carry() -> None:
    """The same early channels on a picture of the old task and on the person's own."""
    found = shared_network.weights()
    own = person_data.examples()[0][1]
    old, credit = old_task.picture(found.choice)
    labels, parts_shown = names(found.choice), list(shown(units_of(found.choice.backbone)).values())
    answers = {"old": network_look.answers(found.choice, old), "own": network_look.answers(found.choice, own)}
    part = choice.one_of(
        "carry_part", t("lesson_inside.choose_part"), parts_shown, labels.get, is_labelled=True
    )
    channels = network_look.liveliest(answers["own"][part], NUM_TILES - 1)
    for which, picture in (("old", old), ("own", own)):
        tiles = [(pictures.jpeg_uri(picture), t("lesson_inside.picture"))]
        tiles += [
            (map_tiles.tile(answers[which][part][c]), t("lesson_inside.channel", number=c)) for c in channels
        ]
        map_tiles.row(t(f"lesson_inside.carry_{which}"), "", tiles)
    map_tiles.scale()
    if credit:
        st.caption(credit)


IDEAS = {
    "parts": Idea(
        parts,
        code=("tl_core.models.families.efficientnet:EfficientNetClassifier.part_modules",),
        values=network_values,
    ),
    "sees": Idea(
        sees, code=("tl_core.models.backbone:TransferModel.forward_between",), values=network_values
    ),
    "carry": Idea(
        carry, code=("tl_core.models.backbone:TransferModel.forward_features",), values=network_values
    ),
}
