"""Results: what a finished run is worth, what is behind the number, and its files."""

from tl_core.errors import TlError
from tl_ui import results_panels, results_view, runs_view, shell
from tl_ui.text import t

page = shell.start("results")
shell.header(t("results.title"), t("results.lead"))

runs = runs_view.runs_with_results()
if runs:
    run = runs_view.choose(runs, t("train.run"), "results_run")
    try:
        summary = run.read_summary()
    except TlError as error:
        shell.show_error(error)
    else:
        results_view.verdict(summary)
        results_view.warnings(run, summary)
        results_view.origin(summary)
        results_panels.panels(run, summary)
        results_view.downloads(run)
        shell.next_step("classify", t("results.to_classify"))
else:
    results_view.nothing_yet(runs_view.all_runs())
