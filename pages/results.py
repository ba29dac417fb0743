"""Results: what a finished run is worth, what is behind the number, and its files."""

import streamlit as st

from tl_core.base.errors import TlError
from tl_ui.frame import shell
from tl_ui.frame.text import t
from tl_ui.screens.results import panels as results_panels
from tl_ui.screens.results import view as results_view
from tl_ui.widgets import run_picker

page = shell.start("results")
shell.header(t("results.title"), t("results.lead"))

runs = run_picker.runs_with_results()
if runs:
    run = run_picker.choose(runs, t("train.run"), "results_run")
    if run is None:
        st.stop()
    try:
        summary = run.read_summary()
        run_picker.say_if_so_far(summary)
        results_view.verdict(run, summary)
        results_view.warnings(run, summary)
        results_view.origin(summary)
        results_panels.panels(run, summary)
    except TlError as error:
        shell.show_error(error)
    else:
        results_view.files(run)
        shell.next_step("classify", t("results.to_classify"))
else:
    results_view.nothing_yet(run_picker.all_runs())
