"""What Improve works on: a data set, perhaps a finished run on it, and what the checks found.

The checks read every picture once and ask the frozen backbone about it, so they are begun by a button
and their answer is kept; a decision changes neither the pictures nor the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from tl_core.base.config import RunConfig
from tl_core.base.errors import TlError
from tl_core.data.dataset import SPLITS, Dataset
from tl_core.data.quality import Flag
from tl_core.runs import about, decision_rule, predictions
from tl_core.runs.decision_rule import said_by
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame import state
from tl_ui.frame.text import data_name, literal, t
from tl_ui.stores.memo import Memo
from tl_ui.stores.sets import datasets, overview
from tl_ui.widgets import run_picker
from tl_ui.widgets.sets import own_copy

NO_RUN = ""
OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CheckedData:
    """path: the data as it was given; its own root is `dataset.root`."""

    path: Path
    name: str
    dataset: Dataset
    # as the folders say, before decisions
    run: RunFolder | None
    # a finished run on these pictures

    @property
    def root(self) -> Path:
        return self.dataset.root


@dataclass(frozen=True)
class Checked:
    flags: list[Flag]
    parts: dict[str, str]
    # file -> train, val or test, as a run with the same seed splits it
    source: str
    # the weights that were asked
    num_near: int
    # pictures that have a near-duplicate in the set, as the Data page counts them


def choose(runs: list[RunFolder]) -> CheckedData | None:
    """Ask which run, or which pictures without one. None: there is neither.

    Raises: DataError. RunNotFound, RunDamaged: of the run that was asked for.
    """
    choice = state.chosen_data()
    with st.spinner(t("train.reading")):  # a practice set is drawn on its first use
        path = datasets.folder_of(choice) if choice else None
    by_name = {run.name: run for run in runs}
    names = ([NO_RUN] if choice else []) + list(by_name)
    if not names:
        return None
    labels = {name: run_picker.label(run) for name, run in by_name.items()}
    labels |= {NO_RUN: t("improve.no_run", name=data_name(choice))} if choice else {}
    run_picker.say_if_missing(runs)
    if st.session_state.get("improve_run") not in names or st.session_state.get("improve_for") != _asked():
        st.session_state["improve_run"] = _first_choice(by_name, path)
        st.session_state["improve_for"] = _asked()
    name = st.selectbox(
        t("improve.which"),
        names,
        index=None if st.session_state["improve_run"] is None else 0,
        placeholder=t("runs.choose"),
        format_func=labels.get,
        key="improve_run",
        on_change=_keep_run,
    )
    if name is None:
        return None
    _say_if_left_out(by_name, name)
    if name == NO_RUN and choice and path:
        return CheckedData(path, data_name(choice), overview.scanned(path), None)
    place = own_copy.pictures_of(by_name[name])
    known = choice if choice and place == path else datasets.at(place)
    called = data_name(known) if known else place.name
    return CheckedData(place, called, overview.scanned(place), by_name[name])


def _asked() -> tuple[str | None, str | None]:
    return state.read("data"), state.read("run")


def _keep_run() -> None:
    if name := st.session_state["improve_run"]:
        state.choose_run(name)
    st.session_state["improve_for"] = _asked()


def _say_if_left_out(by_name: dict[str, RunFolder], name: str) -> None:
    """Where the chosen run gives way to the chosen pictures, which it is not about."""
    asked = state.read("run")
    if asked in by_name and name != asked:
        words = t("runs.other_pictures", name=literal(about.name_of(by_name[asked])))
        st.info(words, icon=":material/info:")


def _first_choice(by_name: dict[str, RunFolder], path: Path | None) -> str | None:
    """The chosen run if it is on the chosen pictures, else the newest on them; without pictures the chosen
    run, or the newest where none was chosen. None: the chosen one is not here. A run whose configuration
    cannot be read is passed over unless it was chosen."""
    chosen = state.read("run")
    ours = [run for run in by_name.values() if _is_on(run, path)]
    if chosen in [run.name for run in ours]:
        return str(chosen)
    if path:
        return run_picker.default(ours).name if ours and chosen in (None, *by_name) else NO_RUN
    if chosen:
        return chosen if chosen in by_name else None
    return run_picker.default(ours or list(by_name.values())).name


def _is_on(run: RunFolder, path: Path | None) -> bool:
    """Whether the run is on these pictures; None: on any."""
    try:
        return own_copy.pictures_of(run) == path or path is None
    except TlError:
        return False


def root_to_write(place: CheckedData) -> Path:
    """Where a decision about these pictures is written. What is chosen above stays, also where this makes
    the person a copy of a practice set. Raises: OutputUnwritable."""
    root = own_copy.root_to_write(place.root)
    st.session_state["improve_for"] = _asked()
    return root


def checked(place: CheckedData, on_progress: OnStep | None = None) -> Checked | None:
    """What the checks found; None when they have not run and `on_progress` is None.

    Raises: DataError, WeightsError.
    """
    config = place.run.read_config() if place.run else RunConfig().to_dict()
    used = (config.get("weights_used") or {}).get("source", "auto")
    signature = overview.signature(place.dataset)
    # not of the place: a copy of a practice set is no news
    key = (signature, config["image_px"], config["seed"], used, config["library"])
    if on_progress is None and key not in _memo():
        return None
    return _memo().get(key, lambda: _check(place.path, config, used, on_progress))


@st.cache_resource(show_spinner=False)
def _memo() -> Memo:
    return Memo(max_entries=16)


def _check(path: Path, config: dict, source: str, on_progress: OnStep | None) -> Checked:
    from tl_core.data import quality
    from tl_core.data.prepare import prepare
    from tl_core.evaluation import label_issues
    from tl_core.models.weights.sources import choose as choose_weights

    def tell(step: str) -> Callable[[int, int], None]:
        return lambda done, total: on_progress(step, done, total) if on_progress else None

    prepared = prepare(
        path,
        image_px=config["image_px"],
        seed=config["seed"],
        val_fraction=config["val_fraction"],
        test_fraction=config["test_fraction"],
        decisions=(),
        on_progress=tell("reading"),
    )
    choice = choose_weights(source, library=config["library"])
    features = label_issues.pooled_features(prepared.images, choice, config["library"], tell("looking"))
    probabilities = label_issues.unseen_probabilities(
        features, prepared.labels, prepared.groups, config["seed"]
    )
    names = [picture.name for picture in prepared.dataset.pictures]
    split = prepared.split
    parts = {names[i]: part for part in SPLITS for i in getattr(split, part)}
    found = [*label_issues.flags(prepared, probabilities), *quality.flags(prepared)]
    sizes = np.bincount(prepared.groups)
    return Checked(found, parts, choice.source, int(sizes[sizes > 1].sum()))


@dataclass(frozen=True)
class Mistake:
    file: str
    truth: str
    said: str
    probability: float
    part: str


def mistakes(run: RunFolder) -> list[Mistake]:
    """Held-out pictures that the run's model answered wrongly, the surest first. Raises: RunDamaged."""
    summary = run.read_summary() or {}
    rows = predictions.read(run)
    held_out = predictions.reported(rows, summary)
    if summary["reported"]["split"] != predictions.CROSS_VALIDATION:
        held_out += predictions.select(rows, summary["reported"]["stage"], "val")
    held_out = said_by(decision_rule.read(run), held_out, summary["classes"])
    found = [
        Mistake(row["file"], row["truth"], row["predicted"], predictions.confidence(row), row["split"])
        for row in held_out
        if row["truth"] != row["predicted"]
    ]
    return sorted(found, key=lambda one: -one.probability)
