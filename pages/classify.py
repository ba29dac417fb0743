"""Classify: give a trained model pictures and see what it says, and when it is unsure."""

import streamlit as st

from tl_core.base.errors import TlError
from tl_ui.frame import shell
from tl_ui.frame.text import t
from tl_ui.screens.classify import view as classify_view
from tl_ui.stores import shared_predictor
from tl_ui.widgets import run_picker

page = shell.start("classify")
shell.header(t("classify.title"), t("classify.lead"))

runs = run_picker.runs_with_model()
if runs:
    run = run_picker.choose(runs, t("classify.model"), "classify_run")
    if run is None:
        st.stop()
    together = run_picker.choose_more(runs, run, t("classify.together"), "classify_together")
    with st.container(border=True, key="card_ask"):
        given = classify_view.ask(run)
    try:
        run_picker.say_if_so_far(run.read_summary())
        if given:
            with st.spinner(t("classify.loading")):
                model = shared_predictor.model_of([run, *together])
            classify_view.show(model, given)
    except TlError as error:
        shell.show_error(error)
else:
    st.info(t("classify.none"), icon=":material/lock:")
    shell.link("train", t("classify.to_train"), icon=":material/arrow_forward:")
