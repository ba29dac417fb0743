"""Compare: finished runs side by side, and whether one really answers better than another."""

import streamlit as st

from tl_ui.frame import shell
from tl_ui.frame.text import t
from tl_ui.screens.compare import view as compare_view
from tl_ui.screens.results import view as results_view
from tl_ui.widgets import run_picker

page = shell.start("compare")
shell.header(t("compare.title"), t("compare.lead"))

runs = run_picker.runs_with_results()
if not runs:
    results_view.nothing_yet(run_picker.all_runs())
    st.stop()
judged = compare_view.read(compare_view.choose(runs))
if len(judged) < 2:
    st.info(t("compare.pick_two" if len(runs) > 1 else "compare.only_one"), icon=":material/compare_arrows:")
    st.stop()
compare_view.paired(judged)
compare_view.together(judged)
compare_view.settings(judged)
compare_view.scores(judged)
compare_view.curves(judged)
