"""Explore, calibration: does 80 % mean 80 %, when is the model unsure, and what is like nothing it knows."""

from __future__ import annotations

import numpy as np
import streamlit as st

from tl_core.evaluation import calibration
from tl_core.evaluation.metrics import wilson
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.screens.explore.deciding import curves as explore_curves
from tl_ui.screens.explore.deciding import out_of_distribution as explore_novelty
from tl_ui.screens.explore.deciding.decide import write
from tl_ui.stores.runs.predictions import Predictions, SplitPredictions
from tl_ui.widgets import downloads
from tl_ui.widgets.plotting.liveplot import still


def draw(run: RunFolder, found: Predictions) -> None:
    """Raises: RunDamaged: decision.json."""
    decided = decision_rule.read(run)
    judged, val = found.final(found.judged), found.final("val")
    if judged is None or val is None or found.judged == "val":
        st.info(t("explore.cost_no_split"), icon=":material/info:")
        return
    with st.container(border=True, key="card_calibration"):
        _temperature(run, found, judged, val, decided)
    with st.container(border=True, key="card_unsure"):
        _unsure(run, found, judged, val, decided)
    with st.container(border=True, key="card_novelty"):
        explore_novelty.draw(run, found, decided)


def _temperature(
    run: RunFolder, found: Predictions, judged: SplitPredictions, val: SplitPredictions, decided: DecisionRule
) -> None:
    split = name_of(found.judged)
    st.markdown(f"#### {t('explore.calibration_title')}", help=help_of("calibration"))
    st.caption(
        t("explore.calibration_says", split=split, count=number(len(judged.truth)), bins=calibration.NUM_BINS)
    )
    fitted = _fitted(val.truth, val.p)
    states = {"raw": judged.p, "warmed": calibration.with_temperature(judged.p, fitted)}
    columns = st.columns(2, gap="medium")
    table, data = [], []
    for column, (state, p) in zip(columns, states.items(), strict=True):
        bins = calibration.reliability(judged.truth, p)
        words = t(f"explore.state_{state}", temperature=f"{fitted:.2f}")
        with column:
            st.markdown(f"**{words}**")
            still(explore_curves.reliability(bins, palette(), t), key=f"bins_{state}", alt=words, height=330)
        spread = _spread(judged.truth, p)
        error, loss = calibration.calibration_error(bins), calibration.log_loss(judged.truth, p)
        low, high = spread["calibration_error"]
        loss_low, loss_high = spread["log_loss"]
        table.append(
            {
                t("explore.column_state"): words,
                name_of("ece"): f"{percent(error)}  ({100 * low:.1f}–{100 * high:.1f})",
                name_of("loss"): f"{loss:.3f}  ({loss_low:.3f}–{loss_high:.3f})",
                name_of("accuracy"): percent(float((p.argmax(axis=1) == judged.truth).mean())),
            }
        )
        data += [(state, b.low, b.high, b.num, b.confidence, b.accuracy, *b.interval) for b in bins]
    config = {name_of(n): st.column_config.TextColumn(help=help_of(n)) for n in ("ece", "loss", "accuracy")}
    st.dataframe(table, hide_index=True, column_config=config, key="calibration_table")
    kind = "over" if fitted > 1.05 else "under" if fitted < 0.95 else "even"
    st.markdown(
        t(f"explore.temperature_{kind}", temperature=f"{fitted:.2f}", count=number(len(val.truth))),
        help=help_of("temperature"),
    )
    st.markdown(_verdict(split, judged.truth, states["raw"], states["warmed"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        if decided.temperature is not None:
            words = t("explore.temperature_now", temperature=f"{decided.temperature:.2f}")
            st.caption(words, width="content")
            if st.button(t("explore.temperature_forget"), key="forget_temperature", icon=":material/undo:"):
                _warm(run, decided, None)
        elif st.button(t("explore.temperature_save"), key="save_temperature", icon=":material/save:"):
            _warm(run, decided, round(fitted, 4))
        names = ("state", "from", "to", "pictures", "confidence", "accuracy", "low", "high")
        rows = [dict(zip(names, row, strict=True)) for row in data]
        downloads.table_button(rows, f"{run.name}-calibration.csv", key="csv_calibration")


def _verdict(split: str, truth: np.ndarray, raw: np.ndarray, warmed: np.ndarray) -> str:
    """Whether the temperature helps on pictures that had no say in it."""
    low, high = _change(truth, raw, warmed)
    kind = "better" if high < 0 else "worse" if low > 0 else "open"
    before, after = (f"{calibration.log_loss(truth, p):.3f}" for p in (raw, warmed))
    values = {"split": split, "before": before, "after": after, "low": f"{low:+.3f}", "high": f"{high:+.3f}"}
    return t(f"explore.judged_{kind}", **values)


def _warm(run: RunFolder, decided: DecisionRule, temperature: float | None) -> None:
    """A saved threshold moves along, so that no answer changes."""
    warmed = decided.warmed(temperature)
    # the slider of the threshold would keep the old one
    st.session_state.pop(f"explore_threshold_{run.name}", None)
    write(run, decided, temperature=warmed.temperature, threshold=warmed.threshold)


@st.cache_data(max_entries=16, show_spinner=False)
def _fitted(truth: np.ndarray, p: np.ndarray) -> float:
    return calibration.fit_temperature(truth, p)


@st.cache_data(max_entries=32, show_spinner=False)
def _spread(truth: np.ndarray, p: np.ndarray) -> dict[str, tuple[float, float]]:
    return calibration.bootstrap(truth, p)


@st.cache_data(max_entries=32, show_spinner=False)
def _change(truth: np.ndarray, raw: np.ndarray, warmed: np.ndarray) -> tuple[float, float]:
    return calibration.loss_change(truth, raw, warmed)


def _unsure(
    run: RunFolder, found: Predictions, judged: SplitPredictions, val: SplitPredictions, decided: DecisionRule
) -> None:
    st.markdown(f"#### {t('explore.unsure_title')}", help=help_of("unsure"))
    usual = decision_rule.sure_from(run, decided, found.classes, found.final_stage)
    limit = st.slider(
        t("classify.sure_from"), round(1 / len(found.classes), 2), 0.99, usual, 0.01, format="percent",
        help=t("classify.sure_from_help"), key=f"explore_sure_{run.name}", width=420,
    )  # fmt: skip
    shown = {
        found.judged: _left_out(found, judged, decided, limit),
        "val": _left_out(found, val, decided, limit),
    }
    with st.container(horizontal=True, key="unsure_numbers"):
        for key, (num, total) in shown[found.judged].items():
            interval = wilson(num, total)
            counted = f"{number(num)} / {number(total)}"
            if interval:
                counted += f" · {100 * interval[0]:.0f}–{100 * interval[1]:.0f} %"
            share = percent(num / total if total else None)
            words = t(f"explore.unsure_{key}")
            st.metric(words, share, delta=counted, delta_color="off", delta_arrow="off", width="content")
    st.caption(t("explore.unsure_says", split=name_of(found.judged), count=number(len(judged.truth))))
    parts = [
        f"{t(f'explore.unsure_{key}')} {number(n)} / {number(of)}" for key, (n, of) in shown["val"].items()
    ]
    st.caption(t("explore.unsure_val", split=name_of("val"), parts=" · ".join(parts)))
    if limit != usual and st.button(
        t("explore.unsure_save", limit=percent(limit, 0)), key="save_sure", icon=":material/save:"
    ):
        write(run, decided, sure_from=limit)


def _left_out(
    found: Predictions, answers: SplitPredictions, decided: DecisionRule, limit: float
) -> dict[str, tuple[int, int]]:
    """{what: (pictures, of how many)} when answers less sure than `limit` are left to a person."""
    p = decided.probabilities(answers.p)
    is_sure = decided.confidence(p, found.classes) >= limit
    is_right = decided.answers(p, found.classes) == answers.truth
    return {
        "share": (int((~is_sure).sum()), len(is_sure)),
        "wrong": (int((is_sure & ~is_right).sum()), int(is_sure.sum())),
        "caught": (int((~is_sure & ~is_right).sum()), int((~is_right).sum())),
    }
