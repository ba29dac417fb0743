"""What a finished run can say about itself: the facts of "explain it yourself", read from its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tl_core.base.errors import RunNotReady
from tl_core.base.events import StageStarted
from tl_core.base.stages import STAGES
from tl_core.data.dataset import SPLITS
from tl_core.models.families.registry import architecture
from tl_core.models.weights.record import B0
from tl_core.runs.run_folder import EventLog, RunFolder


@dataclass(frozen=True)
class StageFacts:
    name: str
    # of `tl_core.base.stages`
    num_epochs: int
    # really run
    num_planned: int
    best_epoch: int
    rate: float
    # at the start
    last_rate: float
    # at the end, after drops


@dataclass(frozen=True)
class Facts:
    """Every number was recorded by the run; None where the run has not recorded it."""

    run: str
    created: str
    # ISO 8601
    library: str
    weights: dict[str, Any]
    # as in summary.json: source, why, is_pretrained …
    num_old: int | None
    # classes of the head that was taken out
    width: int | None
    # numbers that the head reads: 1,280
    num_head: int | None
    # parameters of the new head
    classes: list[str]
    positive: str | None
    pictures: dict[str, dict[str, int]]
    # class -> split -> how many
    stages: list[StageFacts]
    unfreeze_blocks: int
    final_stage: str
    split: str
    # where the reported numbers are from: test, val or cross_validation
    folds: int
    metrics: dict[str, Any]
    # as `tl_core.evaluation.metrics.evaluate` returns them
    leak_exact: int
    leak_near: int

    @property
    def num_right(self) -> int:
        return sum(row[i] for i, row in enumerate(self.metrics["confusion_matrix"]))

    @property
    def is_whole_network(self) -> bool:
        return self.unfreeze_blocks == architecture(self.weights.get("backbone", B0)).num_units


def read_facts(run: RunFolder) -> Facts:
    """Raises: RunNotReady: the run has no results yet. RunNotFound, RunDamaged."""
    summary = run.read_summary()
    if summary is None:
        raise RunNotReady(path=run.path)
    config = run.read_config()
    num_head = _head_parameters(run)
    num_classes = len(summary["classes"])
    return Facts(
        run=summary["run"],
        created=str(summary.get("created") or ""),
        library=summary["library"],
        weights=summary["weights"],
        num_old=summary["weights"].get("num_classes") or None,
        # a Linear from `width` to n classes has width × n + n parameters
        width=num_head // num_classes - 1 if num_head else None,
        num_head=num_head,
        classes=summary["classes"],
        positive=summary["positive_class"],
        pictures=_pictures(summary),
        stages=_stages(run, config, summary),
        unfreeze_blocks=config["unfreeze_blocks"],
        final_stage=summary["final_stage"],
        split=summary["reported"]["split"],
        folds=summary["split"].get("folds", 0),
        metrics=summary["reported"]["metrics"],
        leak_exact=summary["leak"]["exact"],
        leak_near=summary["leak"]["near"],
    )


def _head_parameters(run: RunFolder) -> int | None:
    for event in EventLog(run.events_path).read():
        if isinstance(event, StageStarted):
            return event.parameters.get("classifier")
    return None


def _pictures(summary: dict[str, Any]) -> dict[str, dict[str, int]]:
    """How many pictures of each class each split has: what the final stage was judged on."""
    judged = summary["stages"][summary["final_stage"]]
    return {
        name: {split: judged[split]["per_class"][name]["support"] for split in SPLITS if split in judged}
        for name in summary["classes"]
    }


def _stages(run: RunFolder, config: dict[str, Any], summary: dict[str, Any]) -> list[StageFacts]:
    """The stages that were really run, from the run's own training log."""
    log = run.read_training_log()
    found = []
    for name, stage in STAGES.items():
        rates = (log.get(stage.log_name) or {}).get("lr") or []
        best = (summary.get("best") or {}).get(name)
        if rates and best:
            planned = config[name]["epochs"]
            found.append(StageFacts(name, len(rates), planned, best["epoch"], rates[0], rates[-1]))
    return found
