"""Explore, unlike anything seen: distance to the nearest training picture, its limit and false alarms."""

from __future__ import annotations

import numpy as np
import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data.dataset import SPLITS
from tl_core.evaluation import out_of_distribution
from tl_core.evaluation.metrics import wilson
from tl_core.inference import reference_features
from tl_core.inference.feature_cache import Embedded
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.screens.explore import gallery as explore_gallery
from tl_ui.screens.explore import stage_models as explore_models
from tl_ui.screens.explore.deciding import curves as explore_curves
from tl_ui.screens.explore.deciding.decide import write
from tl_ui.stores.runs.predictions import Predictions, picture_paths
from tl_ui.widgets import downloads
from tl_ui.widgets.plotting.liveplot import still

NUM_FOREIGN = 24
NUM_FARTHEST = 5
FEW = 20
"""Validation pictures below which one in twenty cannot be told."""


def draw(run: RunFolder, found: Predictions, decided: DecisionRule) -> None:
    """Raises: TlError."""
    st.markdown(f"#### {t('explore.novelty_title')}", help=help_of("distance"))
    stage = found.final_stage
    if not explore_models.trained_stages(run, [stage]):
        st.caption(t("explore.models_gone"))
        return
    record = explore_models.features(run, found, [stage], "novelty")
    if record is None:
        return
    embedded = record[stage]
    st.caption(t("explore.novelty_says", features=number(embedded.features.shape[1])))
    paths = picture_paths(run)
    split_of = {name: split for name, (split, _) in explore_models.sample(found, paths).items()}
    rows = {
        split: [i for i, name in enumerate(embedded.names) if split_of.get(name) == split] for split in SPLITS
    }
    if len(rows["val"]) < FEW or not rows["train"]:
        st.info(t("explore.novelty_few", count=len(rows["val"]), need=FEW), icon=":material/info:")
        return
    _measured(run, found, decided, embedded, rows)


def _measured(
    run: RunFolder, found: Predictions, decided: DecisionRule, embedded: Embedded, rows: dict[str, list[int]]
) -> None:
    train = embedded.features[rows["train"]]
    away = {
        s: out_of_distribution.nearest(train, embedded.features[rows[s]])[0][:, 0]
        for s in ("val", "test")
        if rows[s]
    }
    limit = out_of_distribution.limit_of(away["val"])
    groups = [(f"{name_of(split)} ({number(len(found_))})", found_) for split, found_ in away.items()]
    foreign = st.session_state.get(f"foreign_{run.name}")
    if foreign is not None:
        groups.append(
            (
                t("explore.novelty_foreign", count=len(foreign)),
                out_of_distribution.nearest(train, foreign)[0][:, 0],
            )
        )
    still(
        explore_curves.distances(groups, limit, palette(), t),
        key="distances", alt=t("explore.novelty_title"), height=320,
    )  # fmt: skip
    if "test" in away:
        st.markdown(_alarms("explore.novelty_alarms", away["test"], limit))
    else:
        st.caption(t("explore.novelty_no_test"))
    if foreign is not None:
        st.markdown(_alarms("explore.novelty_caught", groups[-1][1], limit))
    elif st.button(
        t("explore.novelty_try"),
        key="novelty_try",
        icon=":material/science:",
        help=t("explore.novelty_try_help"),
    ):
        with st.spinner(t("explore.looking")):
            st.session_state[f"foreign_{run.name}"] = _foreign_features(run, found.final_stage)
        st.rerun()
    if "test" in away:
        order = np.argsort(-away["test"])[:NUM_FARTHEST]
        st.caption(t("explore.novelty_farthest"))
        explore_gallery.pages(
            [embedded.names[rows["test"][i]] for i in order],
            [f"{away['test'][i]:.3f}" for i in order],
            picture_paths(run), "farthest", can_open=False,
        )  # fmt: skip
    _save(run, decided, train, limit, away)


def _alarms(key: str, distances: np.ndarray, limit: float) -> str:
    num, total = int((distances > limit).sum()), len(distances)
    low, high = wilson(num, total) or (0.0, 1.0)
    return t(
        key, num=number(num), total=number(total), share=percent(num / total),
        low=percent(low, 0), high=percent(high, 0),
    )  # fmt: skip


def _foreign_features(run: RunFolder, stage: str) -> np.ndarray:
    """(24, 1280) of pictures drawn by formula, which no run was trained on."""
    from tl_core.synthetic import formula

    loaded = explore_models.model(run, stage)
    # spread over its 1,000 classes; a seed that pre-training did not use
    images = [formula.draw(i * 1000 // NUM_FOREIGN, 990_000 + i) for i in range(NUM_FOREIGN)]
    return loaded.predict_with_features(images)[1]


def _save(
    run: RunFolder, decided: DecisionRule, train: np.ndarray, limit: float, away: dict[str, np.ndarray]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if decided.far_from is not None:
            st.caption(t("explore.novelty_now", limit=f"{decided.far_from:.3f}"), width="content")
            if st.button(t("explore.novelty_forget"), key="forget_novelty", icon=":material/undo:"):
                write(run, decided, far_from=None)
        elif st.button(t("explore.novelty_save"), key="save_novelty", icon=":material/save:"):
            try:
                reference_features.save(run, train)
            except TlError as error:
                shell.show_error(error)
                return
            write(run, decided, far_from=round(limit, 4))
        columns = {
            "split": [split for split, found in away.items() for _ in found],
            "distance": np.concatenate(list(away.values())),
        }
        downloads.table_button(columns, f"{run.name}-distances.csv", key="csv_distances")
