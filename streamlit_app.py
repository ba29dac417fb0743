"""Start: what this is, what the machine has, and one button that runs the whole thing."""

import streamlit as st

from tl_ui.frame import shell
from tl_ui.frame.text import t
from tl_ui.screens.start import mine
from tl_ui.screens.start import view as start_view
from tl_ui.widgets.html import drawings
from tl_ui.widgets.sets import practice_sets

page = shell.start("start")
shell.header(t("start.title"), t("start.lead"))
mine.draw()
drawings.swap_sketch([image for _, image in practice_sets.examples("casting")[1:3]])
left, right = st.columns([3, 2], gap="medium")
with left:
    start_view.practice_panel()
with right:
    start_view.machine_panel()
