"""The panels of Improve: probably wrong labels, copies, odd pictures, mistakes, and the decisions made."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data import curation
from tl_core.data.curation import CurationEdit
from tl_core.data.quality import Flag
from tl_core.models.weights.record import source_name
from tl_ui.frame import shell, state
from tl_ui.frame.text import help_of, literal, number, percent, t
from tl_ui.screens.improve import cards as improve_cards
from tl_ui.screens.improve import checks as improve_data
from tl_ui.screens.improve import retrain as improve_retrain
from tl_ui.screens.improve.cards import Card
from tl_ui.screens.improve.checks import Checked, CheckedData
from tl_ui.widgets import choice
from tl_ui.widgets.html import pictures
from tl_ui.widgets.sets import label_choice, own_copy

GROUPS = {
    "labels": ("label",),
    "copies": ("twin_leak", "twin_class", "twin"),
    "looks": ("blurred", "dark", "bright", "small", "shape"),
}
"""Panels of the checks, and the kinds of flags that each shows."""
MOST_LISTED = 60
# decisions shown, the last ones; all stand in the file
PANELS = [*GROUPS, "mistakes", "decisions", "retrain"]
# mistakes and retrain need a finished run on the pictures


def panels(place: CheckedData) -> None:
    """One thing at a time, each with how much there is to look at."""
    label_choice.tell_error()
    own_copy.tell()
    found = improve_data.checked(place)
    made = curation.in_force(place.root)
    names = PANELS if place.run else [*GROUPS, "decisions"]
    panel = choice.one_of(
        "improve_panel", t("results.look_at"), names, lambda name: t(f"improve.panel_{name}"), first="labels"
    )
    if panel == "mistakes" and place.run:
        _mistakes(place)
    elif panel == "decisions":
        _decisions(place, made)
    elif panel == "retrain" and place.run:
        improve_retrain.draw(place, made)
    elif panel in GROUPS:
        _flags(place, found, panel)


def _flags(place: CheckedData, found: Checked | None, panel: str) -> None:
    st.markdown(f"#### {t(f'improve.title_{panel}')}", help=_help(panel))
    st.markdown(t(f"improve.says_{panel}"))
    if found is None:
        _check(place)
        return
    labels = {picture.name: place.dataset.classes[picture.label] for picture in place.dataset.pictures}
    cards: dict[str, Card] = {}
    for flag in found.flags:
        # of several reasons the first, which weighs most
        if flag.kind in GROUPS[panel] and flag.file in labels and flag.file not in cards:
            cards[flag.file] = _card_of(flag, labels[flag.file], found.parts.get(flag.file, ""))
    if not cards:
        st.success(t(f"improve.none_{panel}"), icon=":material/verified:")
    else:
        st.caption(t("improve.found", count=number(len(cards))))
        if panel == "copies":
            st.caption(t("improve.copies_are", all=number(found.num_near)))
            improve_cards.leave_out(list(cards.values()), place)
    improve_cards.show(list(cards.values()), place, panel)
    if panel == "labels":
        st.caption(t("improve.judge", name=source_name(found.source, state.language())))


def _help(panel: str) -> str | None:
    return {"labels": help_of("label_issue"), "copies": help_of("near_duplicate")}.get(panel)


def _check(place: CheckedData) -> None:
    """The button that begins the checks, with a bar."""
    is_asked = st.button(t("improve.check"), key="check", type="primary", icon=":material/search:")
    st.caption(t("improve.check_says", count=number(len(place.dataset.pictures))))
    if not is_asked:
        return
    bar = st.progress(0.0, text=t("improve.check_reading", done=0, total=len(place.dataset.pictures)))

    def progress(step: str, done: int, total: int) -> None:
        if done % 10 == 0 or done == total or step == "looking":
            bar.progress(done / total, text=t(f"improve.check_{step}", done=done, total=total))

    try:
        improve_data.checked(place, progress)
    except TlError as error:
        bar.empty()
        shell.show_error(error)
    else:
        st.rerun()


def _card_of(flag: Flag, label: str, part: str) -> Card:
    values = dict(flag.values)
    for name in ("p_given", "p_said", "share", "light", "usual"):
        if isinstance(values.get(name), float):
            values[name] = percent(values[name], 0).replace(" ", "\u00a0")
    if "part" in values:
        part = values["part"]
    why = t(f"improve.why_{flag.kind}", **values)
    said, twin = (str(flag.values.get(name, "")) for name in ("said", "twin"))
    return Card(flag.file, label, why, flag.kind, part, said, twin)


def _mistakes(place: CheckedData) -> None:
    st.markdown(f"#### {t('improve.title_mistakes')}")
    st.markdown(t("improve.says_mistakes"))
    st.warning(t("improve.exam"), icon=":material/gavel:")
    known = {picture.name: place.dataset.classes[picture.label] for picture in place.dataset.pictures}
    try:
        found = improve_data.mistakes(place.run) if place.run else []
    except TlError as error:
        shell.show_error(error)
        return
    cards = [
        Card(
            one.file,
            known[one.file],
            t("improve.why_mistake", said=one.said, p=percent(one.probability, 0)),
            "mistake",
            one.part,
            one.said,
        )
        for one in found
        if one.file in known
    ]
    if not cards:
        st.success(t("improve.none_mistakes"), icon=":material/verified:")
    improve_cards.show(cards, place, "mistakes")


def _decisions(place: CheckedData, made: list[CurationEdit]) -> None:
    st.markdown(f"#### {t('improve.title_decisions')}")
    st.markdown(t("improve.says_decisions", file=curation.FILE))
    if not made:
        st.info(t("improve.none_decisions"), icon=":material/inbox:")
        return
    paths = {picture.name: picture.path for picture in place.dataset.pictures}
    paths |= curation.corrections(place.root)
    for row in made[: -MOST_LISTED - 1 : -1]:
        _decision(place, row, paths.get(row.file, place.root / row.file))
    if len(made) > MOST_LISTED:
        st.caption(t("improve.more_decisions", count=number(len(made) - MOST_LISTED)))
    if any(row.decision != "add" for row in made) and st.button(
        t("improve.undo_all"), key="undo_all", icon=":material/delete_sweep:"
    ):
        _do(lambda: curation.undo_all(improve_data.root_to_write(place)))
    st.caption(t("improve.where", path=literal(str(place.root))))


def _decision(place: CheckedData, row: CurationEdit, path: Path) -> None:
    uri = pictures.thumbnail(path, improve_cards.THUMB_PX)
    key = improve_cards._id(row.file)
    words = {
        "keep": t("improve.made_keep"),
        "exclude": t("improve.made_exclude"),
        "relabel": t("improve.made_relabel", name=row.label),
        "add": t("improve.made_add", name=row.label),
    }[row.decision]
    with st.container(horizontal=True, vertical_alignment="center", key=f"made_{key}"):
        st.html(
            f'<div class="hs-made"><img src="{uri}" alt=""><p>{escape(words)}<br>'
            f"<small>{escape(row.file)}</small></p></div>",
            width="stretch",
        )
        if row.decision == "add":
            if st.button(t("improve.remove"), key=f"undo_{key}", icon=":material/delete:", type="tertiary"):
                _do(lambda: curation.remove_correction(improve_data.root_to_write(place), row.file))
        elif st.button(t("improve.undo"), key=f"undo_{key}", icon=":material/undo:", type="tertiary"):
            _do(lambda: curation.undo(improve_data.root_to_write(place), row.file))


def _do(action) -> None:
    try:
        action()
    except TlError as error:
        shell.show_error(error)
    else:
        st.rerun()


def facts(place: CheckedData) -> None:
    """Which pictures these are and how they are labelled, in a line."""
    counts = "  ·  ".join(
        f"{literal(name)} {number(count)}" for name, count in place.dataset.counts().items()
    )
    total = t("improve.data_is", name=literal(place.name), count=number(len(place.dataset.pictures)))
    st.caption(f":material/photo_library: {total}  {counts}")
