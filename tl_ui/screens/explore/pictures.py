"""Explore, pictures: from a cell of the confusion matrix to its pictures, and to one of them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from tl_core.runs import decision_rule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import state
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.screens.explore import charts as explore_charts
from tl_ui.screens.explore import gallery as explore_gallery
from tl_ui.screens.explore import one_picture as explore_picture
from tl_ui.stores.runs.predictions import Predictions, SplitPredictions, picture_paths
from tl_ui.widgets import downloads, which_rule
from tl_ui.widgets.plotting.liveplot import CONFIG

ALL_MISTAKES = "mistakes"
MAX_BESIDE = 8
"""Classes up to which the matrix leaves room for pictures beside it."""


def draw(run: RunFolder, found: Predictions) -> None:
    with st.container(border=True, key="card_matrix"):
        st.markdown(f"#### {t('explore.matrix_title')}", help=help_of("confusion_matrix"))
        split, stage = _which(found)
        answers = found.parts[(stage, split)]
        decided = decision_rule.read(run)
        if stage == found.final_of(split) and which_rule.choose(decided, "pictures_rule"):
            answers = answers.answered_by(decided, found.classes)
        cells = _cells(answers, found.classes)
        is_wide = len(found.classes) <= MAX_BESIDE
        matrix, gallery = st.columns([5, 6], gap="medium") if is_wide else (st.container(), st.container())
        with matrix:
            _matrix(answers, found.classes, f"matrix_{split}_{stage}", cells)
        with gallery:
            chosen, name = _pick_cell(cells)
            _cell_pictures(run, found, answers, chosen, f"cell_{split}_{stage}_{name}")
    picked = st.session_state.get(explore_gallery.PICKED)
    place = {str(file): index for index, file in enumerate(answers.files)}
    if picked in place:
        _look(run, found, split, stage, place[picked])


def _look(run: RunFolder, found: Predictions, split: str, stage: str, index: int) -> None:
    """One picture over the page, where the press was; closed, the page is as before."""

    def close() -> None:
        st.session_state.pop(explore_gallery.PICKED, None)

    @st.dialog(t("explore.picture_title"), width="large", on_dismiss=close)
    def look() -> None:
        with st.container(key="card_picture"):
            explore_picture.draw(run, found, split, stage, index)

    look()


def _which(found: Predictions) -> tuple[str, str]:
    with st.container(horizontal=True):
        splits = found.splits
        split = st.segmented_control(
            t("explore.which_split"),
            splits,
            format_func={name: name_of(name) for name in splits}.get,
            required=True,
            **state.linked("split", "matrix_split", splits, splits[0]),
        )
        stages = found.answered(split)
        final = found.final_of(split)
        last = final if final in stages else stages[-1]
        stage = st.segmented_control(
            t("explore.which_stage"),
            stages,
            format_func={name: name_of(f"stage_{name}") for name in stages}.get,
            required=True,
            **state.linked("stage", f"matrix_stage_{split}", stages, last),
        )
    return split, stage


def _cells(answers: SplitPredictions, classes: list[str]) -> dict[str, tuple[str, np.ndarray]]:
    """{"row,column": (words, positions)}, mistakes first, the largest of them first; empty cells left out."""
    said = answers.said
    found = []
    for r, truth in enumerate(classes):
        for c, name in enumerate(classes):
            inside = np.flatnonzero((answers.truth == r) & (said == c))
            if len(inside):
                words = t("explore.cell", truth=truth, said=name, count=number(len(inside)))
                found.append((r == c, -len(inside), f"{r},{c}", words, inside))
    cells = {key: (words, inside) for _, _, key, words, inside in sorted(found, key=lambda x: x[:3])}
    wrong = np.flatnonzero(said != answers.truth)
    if len(wrong) and len(classes) > 2:
        words = t("explore.cell_mistakes", count=number(len(wrong)))
        cells = {ALL_MISTAKES: (words, wrong)} | cells
    return cells


def _matrix(
    answers: SplitPredictions, classes: list[str], key: str, cells: dict[str, tuple[str, np.ndarray]]
) -> None:
    side = min(320 + 26 * len(classes), 760)
    figure = explore_charts.matrix(answers.truth, answers.said, classes, palette(), t, side)
    figure["layout"]["height"] = side

    def clicked() -> None:
        points = (st.session_state.get(key) or {}).get("selection", {}).get("points", [])
        place = points[0].get("customdata") if points else None
        if place:
            cell = f"{int(place[0])},{int(place[1])}"
            if cell in cells:
                state.keep("cell", cell)

    st.plotly_chart(
        figure,
        key=key,
        theme=None,
        on_select=clicked,
        selection_mode="points",
        config=CONFIG | {"displayModeBar": False},
        alt=t("explore.matrix_title"),
    )
    st.caption(t("explore.matrix_says"))


def _pick_cell(cells: dict[str, tuple[str, np.ndarray]]) -> tuple[np.ndarray, str]:
    """The same choice for the keyboard; it follows the click and is followed by the gallery."""
    words = {key: value[0] for key, value in cells.items()}
    linked = state.linked("cell", "explore_cell", list(cells), next(iter(cells)))
    key = st.selectbox(t("explore.which_cell"), list(cells), format_func=words.get, **linked)
    return cells[key][1], key


def _cell_pictures(
    run: RunFolder, found: Predictions, answers: SplitPredictions, chosen: np.ndarray, key: str
) -> None:
    sure = answers.p[chosen, answers.said[chosen]]
    order = chosen[np.argsort(-sure, kind="stable")]
    st.caption(t("explore.cell_says"))
    said = answers.said
    captions = [f"{found.classes[said[i]]} {percent(answers.p[i, said[i]], 0)}" for i in order]
    names = [str(answers.files[i]) for i in order]
    explore_gallery.pages(names, captions, picture_paths(run), key, cell_px=122)
    columns = {"file": names, "truth": [found.classes[answers.truth[i]] for i in order]}
    columns |= {f"p_{name}": answers.p[order, c] for c, name in enumerate(found.classes)}
    downloads.table_button(columns, f"{run.name}-pictures.csv", key="csv_cell")
