"""Explore, stage race: one fixed set of pictures before training and after each stage."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import streamlit as st

from tl_core.evaluation import paired
from tl_core.evaluation.metrics import METRICS
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame.text import help_of, name_of, number, percent, t
from tl_ui.frame.theme import palette
from tl_ui.screens.explore import charts as explore_charts
from tl_ui.screens.explore import gallery as explore_gallery
from tl_ui.stores.runs.predictions import Predictions, SplitPredictions, picture_paths
from tl_ui.stores.runs.scores import cells
from tl_ui.widgets import choice, downloads, score_rows
from tl_ui.widgets.plotting.liveplot import still


def draw(run: RunFolder, summary: dict[str, Any], found: Predictions) -> None:
    split = found.judged
    stages = found.stages(split)
    with st.container(border=True, key="card_race"):
        _scores(summary, split)
    if len(stages) > 1:
        with st.container(border=True, key="card_flips"):
            _flips(run, found, split, stages)


def _scores(summary: dict[str, Any], split: str) -> None:
    chosen = [cell for cell in cells(summary) if cell.split == split]
    num = number(chosen[0].metrics["num"])
    stages = " · ".join(name_of(f"stage_{cell.stage}") for cell in chosen)
    st.markdown(f"#### {t('explore.race_title')}", help=help_of("interval"))
    st.caption(t("explore.race_says", split=name_of(split), count=num, stages=stages))
    rows = []
    for cell in chosen:
        for metric in METRICS:
            low, high = cell.interval(metric) or (None, None)
            row = {"stage": cell.stage, "name": name_of(f"stage_{cell.stage}"), "metric": name_of(metric)}
            rows.append(row | {"value": cell.value(metric), "low": low, "high": high})
    still(explore_charts.race(rows, palette()), key="race", alt=t("explore.race_title"), height=340)
    table = []
    for metric in METRICS:
        line = {t("explore.column_metric"): name_of(metric)}
        for cell in chosen:
            line[name_of(f"stage_{cell.stage}")] = score_rows.words(cell, metric)
        table.append(line)
    config = {
        name_of(f"stage_{cell.stage}"): st.column_config.TextColumn(help=help_of(f"stage_{cell.stage}"))
        for cell in chosen
    }
    st.dataframe(table, hide_index=True, column_config=config, key="race_table")
    words = "\n\n".join(f"**{name_of(metric)}**: {help_of(metric)}" for metric in METRICS)
    st.caption(t("explore.race_terms"), help=words)
    columns = {name: [row[name] for row in rows] for name in ("stage", "metric", "value", "low", "high")}
    downloads.table_button(columns, f"{summary['run']}-stages.csv", key="csv_stages")


def _flips(run: RunFolder, found: Predictions, split: str, stages: list[str]) -> None:
    st.markdown(f"#### {t('explore.flips_title')}", help=t("explore.flips_help"))
    pairs = sorted(combinations(stages, 2), key=lambda pair: stages.index(pair[1]))
    words = {
        " ".join(pair): f"{name_of(f'stage_{pair[0]}')} → {name_of(f'stage_{pair[1]}')}" for pair in pairs
    }
    chosen_pair = choice.one_of(
        "flips_pair",
        t("explore.flips_between"),
        list(words),
        words.get,
        first=list(words)[-1],
        is_labelled=True,
    )
    pair = chosen_pair.split()
    before, after = found.parts[(pair[0], split)], found.parts[(pair[1], split)]
    result = paired.compare(before.truth, before.said, after.said)
    gained, lost = len(result.gained), len(result.lost)
    st.markdown(t("explore.flips_count", gained=number(gained), lost=number(lost)))
    if gained + lost:
        digits = 1 if result.chance < 0.1 else 0
        chance = percent(result.chance, digits) if result.chance >= 0.001 else "< 0.1 %"
        st.caption(t("explore.flips_chance", chance=chance))
    ways = {
        "gained": t("explore.way_gained", count=number(gained)),
        "lost": t("explore.way_lost", count=number(lost)),
    }
    way = choice.one_of("flips_way", t("explore.flips_which"), list(ways), ways.get, first="gained")
    chosen = result.gained if way == "gained" else result.lost
    if not len(chosen):
        st.caption(t("explore.flips_none"))
        return
    # the largest changes first
    order = sorted(chosen.tolist(), key=lambda i: -abs(_of_truth(after, i) - _of_truth(before, i)))
    captions = []
    for i in order:
        change = f"{percent(_of_truth(before, i), 0)} → {percent(_of_truth(after, i), 0)}"
        captions.append(f"{found.classes[before.truth[i]]}: {change}")
    st.caption(t("explore.flips_caption"))
    names = [str(before.files[i]) for i in order]
    explore_gallery.pages(
        names, captions, picture_paths(run), f"flips_{'_'.join(pair)}_{way}", can_open=False
    )
    columns = {
        "file": names,
        "truth": [found.classes[before.truth[i]] for i in order],
        f"said_{pair[0]}": [found.classes[before.said[i]] for i in order],
        f"said_{pair[1]}": [found.classes[after.said[i]] for i in order],
        f"p_truth_{pair[0]}": [_of_truth(before, i) for i in order],
        f"p_truth_{pair[1]}": [_of_truth(after, i) for i in order],
    }
    downloads.table_button(columns, f"{run.name}-flips-{way}.csv", key=f"csv_flips-{way}")


def _of_truth(answers: SplitPredictions, index: int) -> float:
    """The probability of the true class."""
    return float(answers.p[index, answers.truth[index]])
