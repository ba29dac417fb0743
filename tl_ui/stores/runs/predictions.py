"""What Explore looks at: the run's answers to every picture at every stage, as arrays. Read once, shared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tl_core.base.errors import TlError
from tl_core.data.folders import Dataset
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.predictions import CROSS_VALIDATION, EVALUATED, FINAL, Row, read, stage_in_table
from tl_core.runs.run_folder import RunFolder
from tl_ui.stores.memo import cached_data
from tl_ui.stores.sets import overview


@dataclass(frozen=True)
class SplitPredictions:
    """One stage's answers to one split; every stage has the same pictures in the same order."""

    files: np.ndarray
    # (N,) str, names inside the data set
    truth: np.ndarray
    # (N,) int, index of the class
    p: np.ndarray
    # (N, C) float64, as the network gave them
    by_rule: np.ndarray | None = None
    # (N,) int, what a saved threshold says

    @property
    def said(self) -> np.ndarray:
        """(N,) index of the class that is said: the most probable one, or the rule's."""
        return self.p.argmax(axis=1) if self.by_rule is None else self.by_rule

    def answered_by(self, decided: DecisionRule, classes: list[str]) -> SplitPredictions:
        return replace(self, by_rule=decided.answers(decided.probabilities(self.p), classes))


@dataclass(frozen=True)
class Predictions:
    classes: list[str]
    positive: str
    # "": none is named
    final_stage: str
    parts: dict[tuple[str, str], SplitPredictions]
    # {(stage, split): answers}

    @property
    def judged(self) -> str:
        """The split that no choice was made on: the test part, or the rounds of cross-validation."""
        splits = {split for _, split in self.parts}
        return next((name for name in ("test", CROSS_VALIDATION, "val") if name in splits), "train")

    @property
    def splits(self) -> list[str]:
        """Those there are, the judged one first."""
        found = {split for _, split in self.parts}
        return [self.judged, *(s for s in ("val", "train") if s in found and s != self.judged)]

    def stages(self, split: str) -> list[str]:
        return [stage for stage in EVALUATED if (stage, split) in self.parts]

    def final_of(self, split: str) -> str:
        """Where the model's own answers to `split` stand; in cross-validation each round's own best stage."""
        return stage_in_table(self.final_stage, split)

    def answered(self, split: str) -> list[str]:
        """The stages, and behind them the model's own answers where those are no stage's."""
        final = [FINAL] if (FINAL, split) in self.parts else []
        return self.stages(split) + final

    def final(self, split: str) -> SplitPredictions | None:
        """The model's own answers."""
        return self.parts.get((self.final_of(split), split))


def predictions(run: RunFolder, summary: dict[str, Any]) -> Predictions | None:
    """None when predictions.csv is gone, damaged or holds other classes."""
    parts = _parts(run.predictions_path, tuple(summary["classes"]))
    if parts is None:
        return None
    return Predictions(summary["classes"], summary["positive_class"] or "", summary["final_stage"], parts)


def rows(run: RunFolder) -> list[Row]:
    """Of predictions.csv as they stand there; [] when it is gone."""
    return _rows(run.predictions_path)


@cached_data(max_entries=16)
def _rows(path: Path) -> list[Row]:
    return read(RunFolder(path.parents[1]))


@cached_data(max_entries=8)
def _parts(path: Path, classes: tuple[str, ...]) -> dict[tuple[str, str], SplitPredictions] | None:
    columns = [f"p_{name}" for name in classes]
    table = pd.DataFrame(read(RunFolder(path.parents[1])))
    try:
        table = table.astype(dict.fromkeys(columns, np.float64))
    except (KeyError, ValueError):
        return None
    is_sound = (
        len(table) and np.isfinite(table[columns]).all(axis=None) and table["truth"].isin(classes).all()
    )
    if not is_sound:
        return None
    table = table.drop_duplicates(["stage", "split", "file"])
    # a picture that one stage lacks cannot be compared
    stages_of = table.groupby(["split", "file"])["stage"].transform("count")
    table = table[stages_of == table.groupby("split")["stage"].transform("nunique")]
    table = table.sort_values("file", kind="stable")
    index = {name: number for number, name in enumerate(classes)}
    parts = {}
    for (stage, split), part in table.groupby(["stage", "split"], sort=False):
        parts[(str(stage), str(split))] = SplitPredictions(
            files=part["file"].to_numpy(dtype=object),
            truth=part["truth"].map(index).to_numpy(dtype=np.int64),
            p=part[columns].to_numpy(dtype=np.float64),
        )
    return parts


def picture_paths(run: RunFolder) -> dict[str, Path]:
    """{name: file} of the run's data set as it lies on the disk now; {} when it is gone."""
    try:
        dataset: Dataset = overview.scanned(run.data())
    except TlError:
        return {}
    return {picture.name: picture.path for picture in dataset.pictures}
