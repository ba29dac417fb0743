"""Export: which files, for whom, made and checked beside the page; then what was found, and the files."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tl_core.base.messages import say
from tl_core.export import card as cards
from tl_core.export import formats
from tl_core.export.web import runtime
from tl_core.runs import about
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import state
from tl_ui.frame.text import help_of, number, percent, t
from tl_ui.stores import exporting
from tl_ui.widgets import downloads


def show(run: RunFolder) -> None:
    """The choice, the button, and below it how far it is or what came out."""
    language = state.language()
    form = st.radio(
        t("export.format"),
        formats.NAMES,
        captions=[say(f"export.for_{name.replace('-', '_')}", language) for name in formats.NAMES],
        key="export_format",
    )
    is_fetch_asked = (
        form == "web" and not runtime.is_kept() and st.checkbox(t("export.fetch"), key="web_fetch")
    )
    asked = exporting.of(run.path, form)
    is_running = asked is not None and asked.is_running
    is_taken = exporting.is_busy()
    st.button(
        t("export.again" if asked and not is_running else "export.make"),
        key="make_export",
        type="secondary" if asked else "primary",
        icon=":material/output:",
        disabled=is_taken,
        on_click=exporting.begin,
        args=(run.path, form, language, ("--web-runtime", "fetch") if is_fetch_asked else ()),
    )
    if is_taken and not is_running:
        st.caption(t("export.busy"))
    if asked is None:
        return

    @st.fragment(run_every=1.0 if is_running else None, key="export_live")
    def live() -> None:
        if is_running and not asked.is_running:
            st.rerun()
        if asked.is_running:
            seconds = number(asked.seconds)
            st.markdown(f":material/hourglass_top: {t('export.working', seconds=seconds)}")
            st.caption(asked.last_line())
        elif (found := asked.result()) is not None:
            _result(run, form, asked, found["card"], language)
        else:
            st.error(f"{t('export.failed')} {asked.last_line()}", icon=":material/error:")

    live()


def _result(run: RunFolder, form: str, made: exporting.Export, card: dict[str, Any], language: str) -> None:
    headline, *told = cards.lines(card, language)
    if card["check"]["passed"]:
        st.success(headline, icon=":material/verified:")
    else:
        st.warning(headline, icon=":material/warning:")
    _numbers(card)
    with st.expander(t("export.details"), expanded=not card["check"]["passed"]):
        st.markdown("\n".join(f"- {line}" for line in told))
    name = f"{about.name_of(run)}-{form}.zip"
    downloads.button(
        t("export.download"),
        made.zipped,
        name,
        key="get_export",
        type="primary" if card["check"]["passed"] else "secondary",
    )
    st.caption(t("export.inside"))


def _numbers(card: dict[str, Any]) -> None:
    check = card["check"]
    columns = st.columns(4)
    low, high = check["labels_equal_interval"]
    columns[0].metric(t("export.equal"), percent(check["labels_equal"]), help=t("export.equal_help"))
    columns[0].caption(t("export.range", low=percent(low), high=percent(high)))
    columns[1].metric(
        t("export.difference"), f"{check['largest_difference']:.1e}", help=t("export.difference_help")
    )
    columns[1].caption(t("export.mean", mean=f"{check['mean_difference']:.1e}"))
    if accuracy := check["accuracy"]:
        low, high = accuracy["export"]["interval"]
        columns[2].metric(
            t("export.accuracy"), percent(accuracy["export"]["accuracy"]), help=help_of("accuracy")
        )
        columns[2].caption(t("export.range", low=percent(low), high=percent(high)), help=help_of("interval"))
    columns[3].metric(t("export.size"), f"{card['bytes'] / 2**20:.1f} MiB", help=t("export.size_help"))
    if card["speed_ratio"]:
        rival, ratio = list(card["speed_ratio"].items())[-1]
        columns[3].caption(t(f"export.speed_{rival}", ratio=number(ratio, 1)))
