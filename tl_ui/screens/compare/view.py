"""Compare: which runs, what they set differently, their scores and curves, and the paired test."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from tl_core.base.errors import NotComparable, TlError
from tl_core.runs.report import comparison
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell, state
from tl_ui.frame.text import error_text, help_of, literal, name_of, t
from tl_ui.frame.theme import palette
from tl_ui.screens.compare import paired as paired_view
from tl_ui.screens.compare.charts import overlaid, points
from tl_ui.stores.runs.scores import reported
from tl_ui.widgets import choice, downloads, run_picker, score_rows, setting_words, which_rule
from tl_ui.widgets.plotting import charts
from tl_ui.widgets.plotting.liveplot import still

MOST = 6
"""Runs at a time: as many as the colours and dashes tell apart at a glance."""
KEPT = "kept_runs"
"""Session state: the runs that were compared last."""
Judged = tuple[RunFolder, dict[str, Any]]


def choose(runs: list[RunFolder]) -> list[RunFolder]:
    """The runs to compare, in the order they were picked; address bar and widget follow each other."""
    by_name = {run.name: run for run in runs}
    asked, gone = _asked(by_name)
    if gone:
        names = ", ".join(map(literal, gone))
        st.warning(t("compare.gone", names=names), icon=":material/search_off:")
    if "compare_runs" not in st.session_state or asked:
        wanted = asked or [name for name in st.session_state.get(KEPT, []) if name in by_name]
        if not wanted and (chosen := state.read("run")) in by_name:
            wanted = [chosen]
        st.session_state["compare_runs"] = wanted[:MOST]
    labels = {name: run_picker.label(run) for name, run in by_name.items()}
    names = st.multiselect(
        t("compare.runs"),
        list(by_name),
        format_func=labels.get,
        max_selections=MOST,
        key="compare_runs",
        placeholder=t("compare.placeholder"),
        on_change=lambda: _keep(st.session_state["compare_runs"]),
    )
    _keep(names, gone)
    return [by_name[name] for name in names]


def _asked(known: Collection[str]) -> tuple[list[str], list[str]]:
    """Of the runs that the address bar names, one under each `runs`: those that are known, and the others.
    Links of before name several under one, with commas between."""
    found: list[str] = []
    for words in st.query_params.get_all("runs"):
        found += [words] if words in known else words.split(",")
    found = list(dict.fromkeys(found))
    return [name for name in found if name in known], [name for name in found if name not in known]


def _keep(names: list[str], gone: Sequence[str] = ()) -> None:
    """In the address bar, and in the session: a page change drops the one, and the widget's own value.
    Those that are gone stay named until the person chooses anew."""
    st.session_state[KEPT] = list(names)
    if st.query_params.get_all("runs") != [*names, *gone]:
        st.query_params["runs"] = [*names, *gone]


def link(names: list[str]) -> dict[str, str | list[str]]:
    """Query parameters of this page with these runs chosen."""
    return {**state.link_params(), "runs": names}


def read(runs: list[RunFolder]) -> list[Judged]:
    """Each run with its summary; those that cannot be read are named and left out."""
    found = []
    for run in runs:
        try:
            summary = run.read_summary()
        except TlError as error:
            shell.show_error(error)
            continue
        if summary is not None:
            found.append((run, summary))
    return found


def paired(judged: list[Judged]) -> None:
    """Each run against the first that was picked."""
    (first, _), *others = judged
    with st.container(border=True, key="card_paired"):
        st.markdown(f"#### {t('compare.paired_title')}", help=help_of("mcnemar"))
        for index, (other, _) in enumerate(others):
            if index:
                st.divider()
            if len(others) > 1:
                st.markdown(f"`{first.name}`  ↔  `{other.name}`")
            try:
                pair = comparison.pair(first, other, others=[run for run, _ in others])
                paired_view.show(pair, first.name, other.name, f"pair{index}")
            except NotComparable as error:
                st.info(error_text(error), icon=":material/info:")
            except TlError as error:
                shell.show_error(error)
        if len(others) > 1:
            st.caption(t("compare.several"))


def together(judged: list[Judged]) -> None:
    """All of them as one, by the mean of their probabilities, against the first."""
    runs = [run for run, _ in judged]
    with st.container(border=True, key="card_together"):
        st.markdown(f"#### {t('compare.together_title')}", help=help_of("ensemble"))
        st.caption(t("compare.together_says"))
        try:
            pair = comparison.pair(runs[0], runs)
            paired_view.show(pair, runs[0].name, t("compare.together", count=len(runs)), "together")
        except NotComparable as error:
            st.info(error_text(error), icon=":material/info:")
        except TlError as error:
            shell.show_error(error)


def settings(judged: list[Judged]) -> None:
    """Only what is not the same everywhere."""
    with st.container(border=True, key="card_settings"):
        st.markdown(f"#### {t('compare.settings_title')}")
        try:
            found = comparison.differing_settings([run for run, _ in judged])
        except TlError as error:
            shell.show_error(error)
            return
        if not found:
            st.caption(t("compare.no_difference"))
            return
        rows = []
        if {"positive_weight", "class_weights", "positive_class"} & found.keys():
            found = _in_force(found, judged)
        for name, values in found.items():
            row = {t("compare.setting"): setting_words.name(name)}
            values = _ends(values) if name == "data" else values
            rows.append(
                row
                | {run.name: setting_words.value(name, v) for (run, _), v in zip(judged, values, strict=True)}
            )
        st.dataframe(rows, hide_index=True, key="differing")
        if "device_used" in found:
            st.caption(t("compare.computed_otherwise"))


def _in_force(found: dict[str, list[Any]], judged: list[Judged]) -> dict[str, list[Any]]:
    """Two settings say how much a class counts; what differs to the loss is what they come to."""
    weights = [setting_words.weights_in_force(run.read_config()) for run, _ in judged]
    rest = {name: v for name, v in found.items() if name not in ("positive_weight", "class_weights")}
    return rest | ({"class_weights": weights} if any(w != weights[0] for w in weights) else {})


def _ends(folders: list[str | None]) -> list[str | None]:
    """As much of each path's end as tells them apart; the rest is the server's own business."""
    parts = [PurePath(folder or "").parts for folder in folders]
    for length in range(1, max(map(len, parts), default=0) + 1):
        ends = [p[-length:] for p in parts]
        if len(set(ends)) == len(set(parts)):
            return [str(PurePath(*end)) if end else None for end in ends]
    return folders


def scores(judged: list[Judged]) -> None:
    """The reported scores side by side, each with its interval and where it is from."""
    with st.container(border=True, key="card_scores"):
        st.markdown(f"#### {t('compare.scores_title')}")
        metric = score_rows.pick_metric("compare_metric")
        named = [(run.name, reported(summary)) for run, summary in judged]
        rows = [score_rows.chart_row(cell, metric, name) for name, cell in named]
        figure = charts.stage_scores(rows, name_of(metric), palette(), t)
        still(figure, key="compare_scores", alt=t("compare.scores_title"), height=320)
        st.caption(t("compare.scores_read"))
        if any(which_rule.is_saved(run) for run, _ in judged):
            st.caption(t("runs.rule_probable_here"))
        table = {name: score_rows.table_row(cell) for name, cell in named}
        # a column a run: few runs fit the page where many metrics would not; no run is called ""
        lines = [
            {"": line} | {name: row[line] for name, row in table.items()} for line in table[judged[0][0].name]
        ]
        st.dataframe(lines, hide_index=True, width="stretch", key="score_table")
        rows = [{t("train.run"): name} | row for name, row in table.items()]
        downloads.table_button(rows, "compare-scores.csv", key="get_scores")


def curves(judged: list[Judged]) -> None:
    """Validation of every run on one axis."""
    with st.container(border=True, key="card_curves"):
        metric = choice.one_of(
            "compare_curve",
            t("results.metric"),
            ("accuracy", "loss"),
            name_of,
            first="accuracy",
        )
        title = t(f"compare.curves_{metric}")
        st.markdown(f"#### {title}", help=help_of(metric))
        views = [(run.name, run_picker.view_of(run)) for run, _ in judged]
        still(overlaid(views, metric, palette(), t), key="compare_curves", alt=title, height=340)
        st.caption(t("compare.curves_read"), help=help_of("val"))
        rows = [
            {"run": name, "epoch": str(epoch), f"val_{metric}": f"{value:.6f}"}
            for name, view in views
            for epoch, value in points(view, f"val_{metric}")
        ]
        downloads.table_button(rows, "compare-curves.csv", key="get_curves")
