"""Improve: find what is wrong with the pictures, decide, retrain the head, and see what it brought."""

import streamlit as st

from tl_core.base.errors import TlError
from tl_ui.frame import shell
from tl_ui.frame.text import t
from tl_ui.screens.improve import checks as improve_data
from tl_ui.screens.improve import view as improve_view
from tl_ui.widgets import run_picker

page = shell.start("improve")
shell.header(t("improve.title"), t("improve.lead"))

try:
    place = improve_data.choose(run_picker.runs_with_results())
    if place is None:
        st.info(t("improve.none"), icon=":material/photo_library:")
        shell.link("data", t("train.to_data"), icon=":material/arrow_forward:")
    else:
        improve_view.facts(place)
        improve_view.panels(place)
except TlError as error:
    shell.show_error(error)
