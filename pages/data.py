"""Data: which pictures, what is in them, how they are split, and what augmentation does to them."""

import streamlit as st

from tl_core.base.errors import TlError
from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.screens.data import source as data_source
from tl_ui.screens.data import view as data_view
from tl_ui.stores.sets import datasets, overview
from tl_ui.widgets.sets import own_sets

page = shell.start("data")
shell.header(t("data.title"), t("data.lead"))
choice = state.chosen_data()
own_sets.remember()

if choice is None or st.session_state.get("is_choosing_data"):
    data_source.chooser()
if choice is None:
    st.stop()

data_source.chosen(choice)
bar = st.progress(0.0, text=t("data.reading"))


def progress(done: int, total: int) -> None:
    if done % 10 == 0 or done == total:
        bar.progress(done / total, text=t("data.reading_count", done=done, total=total))


try:
    found = overview.read(datasets.folder_of(choice, progress), progress)
except TlError as error:
    bar.empty()
    shell.show_error(error)
    st.stop()
bar.empty()

data_view.facts(found)
data_view.notes(found)
data_view.panels(found)
shell.next_step("train", t("data.next"))
