"""Classify: give a trained model pictures and see what it says, and when it is unsure."""

import streamlit as st

from tl_core.errors import TlError
from tl_ui import classify_view, models, runs_view, shell
from tl_ui.text import t

page = shell.start("classify")
shell.header(t("classify.title"), t("classify.lead"))

runs = runs_view.runs_with_model()
if runs:
    run = runs_view.choose(runs, t("classify.model"), "classify_run")
    with st.container(border=True, key="card_ask"):
        given = classify_view.ask(run)
    try:
        if given:
            with st.spinner(t("classify.loading")):
                model = models.predictor(run)
            classify_view.show(model, given)
    except TlError as error:
        shell.show_error(error)
else:
    st.info(t("classify.none"), icon=":material/lock:")
    shell.link("train", t("classify.to_train"), icon=":material/arrow_forward:")
