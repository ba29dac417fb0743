"""Compare: finished runs side by side, and whether one really answers better than another."""

import streamlit as st

from tl_ui import compare_view, results_view, runs_view, shell
from tl_ui.text import t

page = shell.start("compare")
shell.header(t("compare.title"), t("compare.lead"))

runs = runs_view.runs_with_results()
if not runs:
    results_view.nothing_yet(runs_view.all_runs())
    st.stop()
judged = compare_view.read(compare_view.choose(runs))
if len(judged) < 2:
    st.info(t("compare.pick_two" if len(runs) > 1 else "compare.only_one"), icon=":material/compare_arrows:")
    st.stop()
compare_view.paired(judged)
compare_view.settings(judged)
compare_view.scores(judged)
compare_view.curves(judged)
