"""Explore, one picture: its answers at each stage, where they come from, and what it resembles."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from tl_core.base.errors import TlError
from tl_core.data import curation
from tl_core.data.pixels.decode import read_square
from tl_core.evaluation import out_of_distribution
from tl_core.runs.predictions import EVALUATED
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import shell
from tl_ui.frame.text import help_of, literal, name_of, percent, t
from tl_ui.screens.explore import gallery as explore_gallery
from tl_ui.screens.explore import stage_models as explore_models
from tl_ui.stores.runs.predictions import Predictions, picture_paths
from tl_ui.stores.sets import overview
from tl_ui.widgets import choice
from tl_ui.widgets.html import pictures
from tl_ui.widgets.sets import label_choice, own_copy
from tl_ui.widgets.sets.label_choice import Asked

SHOWN_PX = 224
NUM_NEIGHBOURS = 5
STRENGTH = 0.55
"""How much of the colour covers the picture, everywhere the same, so that the scale can be read off."""


def draw(run: RunFolder, found: Predictions, split: str, stage: str, index: int) -> None:
    """index: position in the answers of (stage, split), which is the same at every stage."""
    answers = found.parts[(stage, split)]
    name, truth = str(answers.files[index]), int(answers.truth[index])
    path = picture_paths(run).get(name)
    st.text(f"{name}  ·  {t('explore.really', name=found.classes[truth])}")
    if path is None or not path.is_file():  # gone since the folders were last looked at
        st.info(t("explore.pictures_gone"), icon=":material/image_not_supported:")
        return
    left, right = st.columns([2, 5], gap="medium")
    with left:
        uri = pictures.thumbnail(path, SHOWN_PX, is_square=True)
        st.html(f'<img class="hs-shown" src="{uri}" alt="{escape(name)}">')
    with right:
        stages = found.stages(split)
        st.html(_bars(found, split, stages, index))
    _relabel(run, name, found.classes[int(answers.said[index])])
    _explained(run, found, split, stages, index, path)
    _neighbours(run, found, stage, name, path)


def _relabel(run: RunFolder, name: str, said: str) -> None:
    """A wrong label can be corrected here, as on Improve. said: the model's answer, offered first."""
    try:
        dataset = overview.scanned(own_copy.pictures_of(run))
        made = {row.file: row for row in curation.decided(dataset.root)}.get(name)
    except TlError as error:
        shell.show_error(error)
        return
    label = next((dataset.classes[one.label] for one in dataset.pictures if one.name == name), None)
    if label is None:
        return
    st.markdown(f"**{t('explore.relabel_title')}**")
    label_choice.tell_error()
    own_copy.tell()
    asked = Asked(name, label, dataset.classes, "explore", said)
    label_choice.ask(asked, made, partial(own_copy.root_to_write, dataset.root), "explore_label")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("explore.relabel_says"), width="stretch")
        if made:
            shell.link("improve", t("explore.to_improve"), icon=":material/build:")


def _bars(found: Predictions, split: str, stages: list[str], index: int) -> str:
    """A column per stage: every class with its probability, the truth in bold."""
    columns = ""
    for stage in stages:
        answers = found.parts[(stage, split)]
        row, truth = answers.p[index], int(answers.truth[index])
        is_right = int(row.argmax()) == truth
        bars = "".join(
            f'<div class="hs-bar{" first" if c == truth else ""}"><span>{escape(name)}</span>'
            f'<em>{percent(row[c], 0)}</em><i><i style="width:{100 * row[c]:.1f}%"></i></i></div>'
            for c, name in enumerate(found.classes)
        )
        mark = "✓" if is_right else "✗"
        kind = "right" if is_right else "wrong"
        columns += (
            f'<div><b><span class="{kind}">{mark}</span> {escape(name_of(f"stage_{stage}"))}</b>{bars}</div>'
        )
    return f'<div class="hs-stages">{columns}</div>'


def _explained(
    run: RunFolder,
    found: Predictions,
    split: str,
    stages: list[str],
    index: int,
    path: Path,
) -> None:
    stages = explore_models.trained_stages(run, stages)
    if not stages:
        st.caption(t("explore.models_gone"))
        return
    said = int(found.parts[(stages[-1], split)].said[index])
    st.markdown(f"**{t('explore.cam_title')}**", help=help_of("gradcam"))
    target = choice.one_of(
        f"cam_{found.parts[stages[0], split].files[index]}",
        t("explore.cam_class"),
        list(range(len(found.classes))),
        dict(enumerate(map(literal, found.classes))).get,
        first=said,
        is_labelled=True,
    )
    with st.spinner(t("explore.looking")):
        heats = {stage: explore_models.heat(run, stage, path, target) for stage in stages}
    image = read_square(path, px=SHOWN_PX)
    top = max(float(heat.max()) for heat in heats.values())
    items = [
        (pictures.jpeg_uri(overlay(image, heat, top)), name_of(f"stage_{stage}"))
        for stage, heat in heats.items()
    ]
    pictures.gallery(items, px=220)
    st.html(f'<div class="hs-scale"><span>0</span><i></i><span>{top:.2f}</span></div>')
    st.caption(t("explore.cam_says", name=literal(found.classes[target])))


def overlay(image: np.ndarray, heat: np.ndarray, top: float) -> np.ndarray:
    """(H, W, 3) uint8 and (h, w) heat -> (H, W, 3) uint8: grey under colours from 0 to `top`."""
    import cv2

    from tl_core.models.gradcam import enlarge

    height, width = image.shape[:2]
    share = np.clip(enlarge(heat, height, width) / max(top, 1e-12), 0, 1)
    colours = cv2.applyColorMap((255 * share).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    return (grey * (1 - STRENGTH) + colours * STRENGTH).astype(np.uint8)


def _neighbours(run: RunFolder, found: Predictions, stage: str, name: str, path: Path) -> None:
    stages = explore_models.trained_stages(run, [stage])
    if not stages:
        return
    st.markdown(f"**{t('explore.near_title')}**", help=help_of("distance"))
    every = explore_models.trained_stages(run, EVALUATED)
    body = explore_models.backbone_of(stage, every)
    record = explore_models.features(run, found, [body], "near")
    if record is None:
        return
    embedded = record[body]
    paths = picture_paths(run)
    chosen = explore_models.sample(found, paths)
    known = [i for i, other in enumerate(embedded.names) if chosen[other][0] == "train" and other != name]
    if name in embedded.names:
        own = embedded.features[[embedded.names.index(name)]]
    else:
        loaded = explore_models.model(run, body)
        own = loaded.predict_with_features([loaded.read(path)])[1]
    away, places = out_of_distribution.nearest(embedded.features[known], own, NUM_NEIGHBOURS)
    items = []
    for distance, place in zip(away[0], places[0], strict=True):
        other = embedded.names[known[place]]
        uri = pictures.thumbnail(paths.get(other), explore_gallery.THUMB_PX, is_square=True)
        items.append((uri, f"{found.classes[chosen[other][1]]} · {distance:.3f}"))
    pictures.gallery(items, px=130)
    st.caption(t("explore.near_says", stage=name_of(f"stage_{stage}"), count=len(known)))
