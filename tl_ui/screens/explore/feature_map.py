"""Explore, map: the 1,280 numbers of each picture as a point, at each stage on the same axes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from tl_core.base.stages import BEFORE, STAGES
from tl_core.evaluation import projection
from tl_core.runs.predictions import EVALUATED
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame.text import help_of, name_of, number, t
from tl_ui.frame.theme import palette
from tl_ui.screens.explore import charts as explore_charts
from tl_ui.screens.explore import gallery as explore_gallery
from tl_ui.screens.explore import stage_models as explore_models
from tl_ui.stores.memo import cached_data
from tl_ui.stores.runs.predictions import Predictions, picture_paths
from tl_ui.widgets import choice, downloads
from tl_ui.widgets.plotting.liveplot import CONFIG

MAP_CONFIG = CONFIG | {"modeBarButtonsToRemove": ["autoScale2d"]}


def draw(run: RunFolder, found: Predictions) -> None:
    """Raises: TlError."""
    stages = explore_models.trained_stages(run, EVALUATED)
    with st.container(border=True, key="card_map"):
        st.markdown(f"#### {t('explore.map_title')}", help=help_of("picture_map"))
        if not stages:
            st.caption(t("explore.models_gone"))
            return
        records = explore_models.features(run, found, stages, "map")
        if records is None:
            return
        first = records[stages[0]]
        st.caption(t("explore.map_says", features=number(first.features.shape[1])))
        chosen = explore_models.sample(found, picture_paths(run))
        with st.container(horizontal=True):
            method = _choice("map_method", projection.METHODS, "explore.method_", t("explore.map_method"))
            stage = _choice("map_stage", stages, None, t("explore.which_stage"))
            shown = _choice(
                "map_split",
                [s for s in ("test", "val", "train") if any(split == s for split, _ in chosen.values())],
                "", t("explore.which_split"),
            )  # fmt: skip
        with st.spinner(t("explore.looking")):
            features = {s: record.features for s, record in records.items()}
            points = _points(run, method, tuple(first.names), features)
        moved = stage != BEFORE and STAGES[stage].moves_backbone
        st.markdown(t("explore.map_moved") if moved else t("explore.map_still"))
        _map(run, found, stage, shown, method, points, first.names, chosen)
        st.caption(t("explore.map_lasso", features=number(first.features.shape[1])))


def _choice(key: str, options, prefix: str | None, words: str) -> str:
    """A segmented control; prefix: of the options' texts, "" for terms, None for stages."""
    if prefix is None:
        labels = {name: name_of(f"stage_{name}") for name in options}
    elif prefix == "":
        labels = {name: name_of(name) for name in options}
    else:
        labels = {name: t(f"explore.method_{name}") for name in options}
    return choice.one_of(key, words, list(options), labels.get, is_labelled=True)


@cached_data(max_entries=8)
def _points(
    run: RunFolder, method: str, names: tuple[str, ...], _features: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """{stage: (N, 2)}; the same networks and pictures have the same features."""
    return projection.project(_features, method)


def _map(
    run: RunFolder,
    found: Predictions,
    stage: str,
    split: str,
    method: str,
    points: dict[str, np.ndarray],
    names: list[str],
    chosen: dict[str, tuple[str, int]],
) -> None:
    inside = [i for i, name in enumerate(names) if chosen.get(name, ("", 0))[0] == split]
    answers = found.parts[(stage, split)]
    said = dict(zip(answers.files.tolist(), answers.said.tolist(), strict=True))
    shown = [names[i] for i in inside]
    truth = np.array([chosen[name][1] for name in shown])
    is_wrong = np.array([said[name] != chosen[name][1] for name in shown])
    at = points[stage][inside]
    figure = explore_charts.feature_map(
        at, truth, is_wrong, shown, found.classes, projection.shared_axes(points), palette(), t
    )
    figure["layout"]["height"] = 540
    event = st.plotly_chart(
        figure,
        key=f"map_{stage}_{split}_{method}",
        theme=None,
        on_select="rerun",
        selection_mode=("lasso", "box", "points"),
        config=MAP_CONFIG,
        alt=t("explore.map_title"),
    )
    if method == "tsne":
        st.caption(t("explore.map_tsne"))
    picked = {int(p["customdata"]) for p in _selected(event) if isinstance(p.get("customdata"), int | float)}
    if picked:
        order = sorted(picked, key=lambda i: (not is_wrong[i], shown[i]))
        wrong = int(is_wrong[order].sum())
        st.markdown(t("explore.map_picked", count=number(len(order)), wrong=number(wrong)))
        captions = [
            f"{found.classes[truth[i]]} → {found.classes[said[shown[i]]]}"
            if is_wrong[i]
            else found.classes[truth[i]]
            for i in order
        ]
        explore_gallery.pages(
            [shown[i] for i in order],
            captions,
            picture_paths(run),
            f"map_{stage}_{split}_picked",
            can_open=False,
        )
    columns = {
        "file": shown,
        "truth": [found.classes[c] for c in truth],
        "wrong": is_wrong,
        "x": at[:, 0],
        "y": at[:, 1],
    }
    downloads.table_button(columns, f"{run.name}-map-{stage}.csv", key="csv_map")


def _selected(event) -> list[dict]:
    return list((event or {}).get("selection", {}).get("points", []))
