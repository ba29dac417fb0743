"""Improve: find what is wrong with the pictures, decide, retrain the head, and see what it brought."""

import streamlit as st

from tl_core.errors import TlError
from tl_ui import improve_data, improve_view, runs_view, shell
from tl_ui.text import t

page = shell.start("improve")
shell.header(t("improve.title"), t("improve.lead"))

try:
    place = improve_data.choose(runs_view.runs_with_results())
    if place is None:
        st.info(t("improve.none"), icon=":material/photo_library:")
        shell.link("data", t("train.to_data"), icon=":material/arrow_forward:")
    else:
        improve_view.facts(place)
        improve_view.panels(place)
except TlError as error:
    shell.show_error(error)
