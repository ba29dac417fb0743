"""Two or more finished runs side by side: what they set differently, and whether one answers better.

Answers are paired: only pictures that both runs held out count, each with one truth for both. Where a
label was mended between the runs, the truth of the run made last holds for both; what one of them left
out counts for neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_core.base.config import RunConfig
from tl_core.base.errors import NotComparable, RunDamaged
from tl_core.base.stages import STAGES
from tl_core.evaluation.metrics import evaluate
from tl_core.evaluation.paired import mcnemar, paired_interval
from tl_core.runs import decision_rule, predictions
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder

SETTINGS = [name for name in RunConfig.__dataclass_fields__ if name not in STAGES]
STAGE_SETTINGS = ("epochs", "learning_rate")
RECORDED = ("data", "pictures_fingerprint", "decisions", "device_used")
"""What a run's config.json records beside its settings and two runs may differ in."""


@dataclass(frozen=True)
class Paired:
    """How two runs answered the same held-out pictures."""

    files: list[str]
    # those both runs held out
    num_first: int
    num_second: int
    # held out by each
    num_mended: int
    # common pictures whose truth here is not the one that a run was judged by itself
    both_right: int
    only_first: int
    only_second: int
    neither: int
    first: dict[str, Any]
    second: dict[str, Any]
    # what `metrics.evaluate` says of each on the common pictures

    @property
    def num(self) -> int:
        return len(self.files)

    @property
    def is_same_split(self) -> bool:
        return self.num == self.num_first == self.num_second

    @property
    def p_value(self) -> float:
        return mcnemar(self.only_first, self.only_second)

    @property
    def difference(self) -> float:
        """Accuracy of the second minus accuracy of the first."""
        return (self.only_second - self.only_first) / self.num

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, of the difference."""
        return paired_interval(self.only_first, self.only_second, self.num)


def differing_settings(runs: Sequence[RunFolder]) -> dict[str, list[Any]]:
    """{setting: its value in each run}, only those in which not all agree.

    Stage settings are called "head.epochs"; the weights are those really used. Raises: RunDamaged.
    """
    rows = [_settings(run.read_config()) for run in runs]
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    return {name: values for name, values in columns.items() if any(v != values[0] for v in values)}


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    found = {name: config.get(name) for name in SETTINGS if name in config}
    used = config.get("weights_used") or {}
    found["weights"] = used.get("source", config.get("weights"))
    for stage in STAGES:
        values = config.get(stage) or {}
        found |= {f"{stage}.{name}": values.get(name) for name in STAGE_SETTINGS}
        if not values.get("epochs"):
            found[f"{stage}.learning_rate"] = None  # of a stage that is left out
    found["use_decisions"] = config.get("use_decisions", True)
    found |= {name: config.get(name) for name in RECORDED}
    found["pictures_fingerprint"] = pictures_of(config)
    found["decisions"] = {k: v for k, v in (config.get("decisions") or {}).items() if v} or None
    return found


def pictures_of(config: dict[str, Any]) -> str | None:
    """What the pictures as the folders give them add up to; older runs recorded it under another name."""
    return config.get("pictures_fingerprint") or config.get("data_fingerprint")


def held_out(run: RunFolder, summary: dict[str, Any], stage: str | None = None) -> dict[str, predictions.Row]:
    """{file: row of predictions.csv} of the pictures that the run is judged on.

    stage: None = the final model. Raises: RunDamaged: no such table.
    """
    rows = predictions.read(run)
    if not rows:
        raise RunDamaged(file=run.predictions_path, detail="no table of predictions")
    split = summary["reported"]["split"]
    chosen = predictions.select(rows, stage, split) if stage else predictions.reported(rows, summary)
    return {row["file"]: row for row in chosen}


def pair(
    first: RunFolder,
    second: RunFolder | Sequence[RunFolder],
    stage: str | None = None,
    others: Sequence[RunFolder] = (),
) -> Paired:
    """Compare two finished runs on the pictures that both held out. The order is the caller's.

    second: several runs answer together, by the mean of their probabilities, as `inference.ensemble` does.
    stage: compare this stage of both instead of the final models. others: more runs that are compared
    at the same time; the one made last of all of them says what is true.
    Raises: NotComparable: other classes, other pictures, or none in common. RunDamaged.
    """
    sides = [[first], [second] if isinstance(second, RunFolder) else list(second)]
    runs = list(dict.fromkeys(run for side in sides for run in side))
    summaries = {run: _summary(run) for run in runs}
    pictures = pictures_of(first.read_config())
    classes = summaries[first]["classes"]
    for other in runs[1:]:
        if summaries[other]["classes"] != classes:
            raise NotComparable(first=first.name, second=other.name, reason="other_classes")
        if pictures_of(other.read_config()) != pictures:
            raise NotComparable(first=first.name, second=other.name, reason="other_pictures")
    held = {run: held_out(run, summaries[run], stage) for run in runs}
    # of runs that answer together, those that all of them held out
    common = [set.intersection(*(set(held[run]) for run in side)) for side in sides]
    files = sorted(common[0] & common[1])
    if not files:
        raise NotComparable(first=first.name, second=runs[-1].name, reason="no_common_pictures")
    said = {file: row["truth"] for rows in held.values() for file, row in rows.items()}
    for run in sorted({*runs, *others}, key=lambda run: run.created()):
        said |= _truths(run, pictures)
    try:
        truth = np.array([classes.index(said[file]) for file in files])
        chances = [_mean([_chances(run, held[run], files, classes) for run in side]) for side in sides]
        if not np.isfinite(chances).all():
            raise ValueError("no probabilities")
    except (KeyError, TypeError, ValueError) as error:
        damaged = ", ".join(str(run.predictions_path) for run in runs)
        raise RunDamaged(file=damaged, detail=error) from None
    right = [p.argmax(axis=1) == truth for p in chances]
    positive = summaries[first]["positive_class"]
    scores = [evaluate(truth, p, classes, positive) for p in chances]
    return Paired(
        files=files,
        num_first=len(common[0]),
        num_second=len(common[1]),
        num_mended=sum(any(held[run][file]["truth"] != said[file] for run in runs) for file in files),
        both_right=int((right[0] & right[1]).sum()),
        only_first=int((right[0] & ~right[1]).sum()),
        only_second=int((~right[0] & right[1]).sum()),
        neither=int((~right[0] & ~right[1]).sum()),
        first=scores[0],
        second=scores[1],
    )


def _chances(
    run: RunFolder, rows: dict[str, predictions.Row], files: list[str], classes: list[str]
) -> tuple[DecisionRule, np.ndarray]:
    """The run's rule; (N, C) probabilities as the network gave them."""
    raw = np.array([[float(rows[file][f"p_{name}"]) for name in classes] for file in files])
    return decision_rule.read(run), raw


def _mean(answers: Sequence[tuple[DecisionRule, np.ndarray]]) -> np.ndarray:
    """(N, C): of one run as the network gave them, of several the mean, each after its temperature."""
    if len(answers) == 1:
        return answers[0][1]
    mean: np.ndarray = np.mean([decided.probabilities(raw) for decided, raw in answers], axis=0)
    return mean


def _truths(run: RunFolder, pictures: str | None) -> dict[str, str]:
    """{file: class} by which the run was judged; {} when it is about other pictures."""
    if pictures_of(run.read_config()) != pictures:
        return {}
    return {file: row["truth"] for file, row in held_out(run, _summary(run)).items()}


def _summary(run: RunFolder) -> dict[str, Any]:
    summary = run.read_summary()
    if summary is None:
        raise RunDamaged(file=run.summary_path, detail="no such file")
    return summary
