"""Head swap: on the real network, what is taken out, what is put in, and what one picture goes through."""

import streamlit as st

from tl_core.base.errors import TlError
from tl_ui.frame import shell, state
from tl_ui.frame.text import number, t
from tl_ui.screens.head_swap import view as head_swap_view
from tl_ui.stores import shared_network
from tl_ui.stores.sets import datasets, overview
from tl_ui.widgets import choice

page = shell.start("head_swap")


def classes_of_data() -> int:
    choice = state.chosen_data()
    try:
        return len(overview.scanned(datasets.folder_of(choice)).classes) if choice else 2
    except TlError:
        return 2


with st.spinner(t("head_swap.loading")):
    found = shared_network.weights()
old_classes = number(found.choice.num_classes or shared_network.OLD_CLASSES)
shell.header(t("head_swap.title"), t("head_swap.lead", classes=old_classes))
head_swap_view.weights_note(found)

with st.container(horizontal=True, vertical_alignment="bottom"):
    panel = choice.one_of(
        "head_swap_panel",
        t("data.look_at"),
        head_swap_view.PANELS,
        lambda name: t(f"head_swap.panel_{name}"),
        first="swap",
        is_kept=True,
        width="stretch",
    )
    num_classes = st.number_input(
        t("head_swap.num_classes"), 2, 1000, classes_of_data(), key="head_swap_classes", width=180
    )

if panel == "swap":
    counts = shared_network.counts(found.choice, num_classes)
    head_swap_view.question(counts)
    with st.container(border=True, key="card_swap"):
        head_swap_view.swap(counts)
elif panel == "classes":
    with st.container(border=True, key="card_classes"):
        kind = "formula" if found.choice.source == "formula" else "photographs"
        st.markdown(t(f"head_swap.classes_{kind}", classes=old_classes))
        head_swap_view.old_classes(found.choice, "page")
else:
    try:
        with st.container(border=True, key=f"card_{panel}"):
            image = head_swap_view.pick_picture()
            if panel == "way":
                stations = shared_network.walk(found.choice, image, num_classes)
                head_swap_view.way(found.choice.backbone, stations)
            else:
                head_swap_view.answers(found.choice, image, num_classes)
    except TlError as error:
        shell.show_error(error)
