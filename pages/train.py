"""Train: set up a run, then watch it. Which of the two is shown follows `?run=`."""

import streamlit as st

from tl_ui.frame import shell, state
from tl_ui.frame.text import t
from tl_ui.screens.train import new as train_new
from tl_ui.screens.train import watch as train_watch
from tl_ui.widgets import run_picker

page = shell.start("train")
shell.header(t("train.title"), t("train.lead"))

run = state.chosen_run()
runs = run_picker.all_runs()
if runs:
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs"):
        if run:
            run = run_picker.choose(runs, t("train.run"), "train_run") or run
            if st.button(t("train.new"), key="new_run", icon=":material/add:"):
                state.keep("run", None)
                st.rerun()
        elif st.button(t("train.watch"), key="watch", icon=":material/visibility:"):
            state.choose_run(runs[0].name)
            st.rerun()
if run:
    train_watch.draw(run)
else:
    train_new.draw()
