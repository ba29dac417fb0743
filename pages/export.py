"""Export: take a model along as files that work without this program, and see how each was checked."""

import streamlit as st

from tl_core.base.errors import TlError
from tl_ui.frame import shell
from tl_ui.frame.text import t
from tl_ui.screens.export import view
from tl_ui.widgets import run_picker

page = shell.start("export")
shell.header(t("export.title"), t("export.lead"))

runs = run_picker.runs_with_model()
if runs:
    run = run_picker.choose(runs, t("classify.model"), "export_run")
    if run is None:
        st.stop()
    try:
        run_picker.say_if_so_far(run.read_summary())
        view.show(run)
    except TlError as error:
        shell.show_error(error)
else:
    st.info(t("classify.none"), icon=":material/lock:")
    shell.link("train", t("classify.to_train"), icon=":material/arrow_forward:")
