"""Explore: what each stage changed, picture by picture, and how to turn probabilities into decisions."""

from tl_ui import explore_view, results_view, runs_view, shell
from tl_ui.text import t

page = shell.start("explore")
shell.header(t("explore.title"), t("explore.lead"))

runs = runs_view.runs_with_results()
if runs:
    run = runs_view.choose(runs, t("train.run"), "explore_run")
    explore_view.draw(run, explore_view.choose_view())
else:
    results_view.nothing_yet(runs_view.all_runs())
