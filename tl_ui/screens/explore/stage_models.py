"""The networks behind Explore: each stage's model and features, made once, shared, never changed.

torch is imported when a function first needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from tl_core.base.stages import BEFORE, STAGES
from tl_core.inference import feature_cache, stage_models
from tl_core.inference.feature_cache import Embedded
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame.text import number, t
from tl_ui.stores.memo import Memo, cached_data, cached_resource
from tl_ui.stores.runs.predictions import Predictions, picture_paths

if TYPE_CHECKING:
    from tl_core.inference.predictor import Predictor

MOST = {"test": 400, "val": 200, "train": 600}
"""Pictures whose features are computed, by split: about a minute and a half on a laptop, once per run."""

_memo = Memo(max_entries=12)


def trained_stages(run: RunFolder, names: Sequence[str]) -> list[str]:
    """Of `names`, those whose network can be had."""
    return [stage for stage in stage_models.available(run) if stage in names]


@cached_resource(max_entries=6)
def model(run: RunFolder, stage: str) -> Predictor:
    """Loaded anew when a file has changed. Raises: RunNotReady, RunDamaged, WeightsError."""
    return stage_models.load(run, stage)


@cached_data(max_entries=128)
def heat(run: RunFolder, stage: str, picture: Path, target: int) -> np.ndarray:
    """Grad-CAM of one picture at one stage, (h, w). Raises: UnreadableImage, TlError of `model`."""
    from tl_core.models import gradcam

    predictor = model(run, stage)
    image = predictor.read(picture)
    return gradcam.gradcam(predictor.model, predictor.enter([image]), target)[0]


def backbone_of(stage: str, stages: list[str]) -> str:
    """The stage that has the same backbone: while only the head learns, nothing changes it."""
    frozen = [name for name in stages if name in STAGES and not STAGES[name].moves_backbone]
    return frozen[0] if stage == BEFORE and frozen else stage


def sample(found: Predictions, paths: dict[str, Path]) -> dict[str, tuple[str, int]]:
    """{name: (split, class)} of the pictures whose features are looked at: all, or a seeded draw of them."""
    stage = next(s for s in (*STAGES, BEFORE) if (s, "train") in found.parts)
    rng = np.random.default_rng(0)
    chosen: dict[str, tuple[str, int]] = {}
    for split, most in MOST.items():
        answers = found.parts.get((stage, split))
        if answers is None:
            continue
        there = [i for i, name in enumerate(answers.files) if name in paths]
        if len(there) > most:
            there = sorted(rng.choice(there, most, replace=False).tolist())
        chosen |= {str(answers.files[i]): (split, int(answers.truth[i])) for i in there}
    return chosen


def features(run: RunFolder, found: Predictions, stages: list[str], key: str) -> dict[str, Embedded] | None:
    """{stage: features of `sample`'s pictures}; until they are computed, a button that does it, and None.

    Stages that share a backbone get the very same record. Raises: TlError.
    """
    paths = picture_paths(run)
    chosen = sample(found, paths)
    if not chosen:
        st.info(t("explore.pictures_gone"), icon=":material/image_not_supported:")
        return None
    wanted = [(name, paths[name]) for name in chosen]
    bodies = {stage: backbone_of(stage, stages) for stage in stages}
    kept: dict[str, Embedded] = {}
    for body in dict.fromkeys(bodies.values()):
        place = feature_cache.cache_path(run, body, wanted)
        record = _memo.peek(place) or feature_cache.kept(run, body, wanted)
        if record is not None:
            kept[body] = _memo.get(place, lambda record=record: record)
    missing = [body for body in dict.fromkeys(bodies.values()) if body not in kept]
    if missing:
        words = t("explore.features_needed", count=number(len(wanted) * len(missing)))
        st.caption(words)
        if not st.button(t("explore.features_compute"), key=f"{key}_features", icon=":material/bolt:"):
            return None
        for number_of, body in enumerate(missing):
            kept[body] = _computed(run, body, wanted, number_of, len(missing))
        st.rerun()
    return {stage: kept[body] for stage, body in bodies.items()}


def _computed(run: RunFolder, body: str, wanted: list[tuple[str, Path]], turn: int, turns: int) -> Embedded:
    bar = st.progress(0.0, text=t("explore.features_loading"))
    loaded = model(run, body)

    def tell(done: int, total: int) -> None:
        share = (turn + done / total) / turns
        bar.progress(share, text=t("explore.features_done", done=number(done), total=number(total)))

    # one computation per model and pictures, however many browsers ask
    place = feature_cache.cache_path(run, body, wanted)
    found = _memo.get(place, lambda: feature_cache.embed(loaded, body, wanted, tell))
    bar.empty()
    return found
