"""Explore: what each stage changed, picture by picture, and how to turn probabilities into decisions."""

from tl_ui.frame import shell
from tl_ui.frame.text import t
from tl_ui.screens.explore import view as explore_view
from tl_ui.screens.results import view as results_view
from tl_ui.widgets import run_picker

page = shell.start("explore")
shell.header(t("explore.title"), t("explore.lead"))

runs = run_picker.runs_with_results()
if runs:
    run = run_picker.choose(runs, t("train.run"), "explore_run")
    if run is not None:
        explore_view.draw(run, explore_view.choose_view())
else:
    results_view.nothing_yet(run_picker.all_runs())
