"""What to try next, from what a run shows: the guides' troubleshooting, asked of the run's own numbers.

    too little memory        smaller batches, a smaller number format
    too few pictures         more augmented views; more photographs
    one class overlooked     a higher loss weight for it
    learnt by heart          more dropout, an earlier stop
    not learnt enough        more blocks, more epochs
    fine-tuning did harm     a smaller rate

Each rule names the numbers it saw and the settings it would change. They look at the training and the
validation pictures only: whoever changes settings by the test score has no test any more. Thresholds are
rules of thumb and stand here as constants; a result that is out of their reach gets no advice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tl_core.base.config import setting_named
from tl_core.base.stages import STAGES
from tl_core.models.families.registry import architecture
from tl_core.models.weights.record import B0

GOAL = 0.85
"""Accuracy and F1 that the expression guide aims at."""
OVERFIT_GAP = 0.10
"""Training accuracy above validation accuracy."""
RECALL_GAP = 0.15
"""Between the class found best and the one found worst."""
FEW_PICTURES = 100
"""Training pictures per class below which every photograph counts."""
MAX_DROPOUT = 0.5
"""What the expression guide raises it to against overfitting."""


@dataclass(frozen=True)
class Advice:
    code: str
    values: dict[str, Any] = field(default_factory=dict)
    # the numbers that it rests on
    changes: dict[str, Any] = field(default_factory=dict)
    # settings of RunConfig to change; {} where no setting helps


def advise(
    config: dict[str, Any], summary: dict[str, Any] | None, error: dict[str, Any] | None = None
) -> list[Advice]:
    """Most pressing first; [] when nothing stands out.

    Args: config: of the run. summary: None unless it has finished. error: of a failed run's status,
      {"code", "values"}.
    """
    found = [*_memory(config, error)]
    if summary is not None:
        for rule in (_overfitting, _overlooked, _few_pictures, _stage_did_harm, _weak):
            found += rule(config, summary)
    return [replace(one, changes=_within_bounds(one.changes)) for one in found]


def _within_bounds(changes: dict[str, Any]) -> dict[str, Any]:
    """No advice leads to a setting that would be refused."""
    return {name: setting_named(name).nearest(value) for name, value in changes.items()}


def _memory(config: dict[str, Any], error: dict[str, Any] | None) -> Iterator[Advice]:
    if not error or error.get("code") != "out_of_memory":
        return
    size = config["batch_size"]
    fits = (error.get("values") or {}).get("fits") or max(size // 2, 1)
    yield Advice("memory", {"batch_size": size, "fits": fits}, {"batch_size": int(fits), "precision": "auto"})


def _overfitting(config: dict[str, Any], summary: dict[str, Any]) -> Iterator[Advice]:
    scores = summary["stages"][summary["final_stage"]]
    train, val = scores["train"]["accuracy"], scores["val"]["accuracy"]
    if train - val < OVERFIT_GAP:
        return
    changes: dict[str, Any] = {}
    if config["dropout"] < MAX_DROPOUT:
        changes["dropout"] = MAX_DROPOUT
    if config["early_stopping_patience"] > 3 or not config["early_stopping_patience"]:
        changes["early_stopping_patience"] = 3
    if config["views"] == 1 or not config["augment"]:
        changes |= {"augment": True, "views": 0}
    yield Advice("overfitting", {"train": train, "val": val}, changes)


def _overlooked(config: dict[str, Any], summary: dict[str, Any]) -> Iterator[Advice]:
    """A class whose pictures are found far less often than those of the best one."""
    per_class = _validation(summary)["per_class"]
    recalls = {name: scores["recall"] for name, scores in per_class.items() if scores["support"]}
    if len(recalls) < 2:
        return
    worst, best = min(recalls, key=recalls.__getitem__), max(recalls, key=recalls.__getitem__)
    if recalls[best] - recalls[worst] < RECALL_GAP:
        return
    weights = (
        config["class_weights"]
        or summary.get("loss_weights")
        or {
            n: config["positive_weight"] if n == summary["positive_class"] else 1.0
            for n in summary["classes"]
        }
    )
    # the expression guide goes from 2 to 3; never down, so the best class is left as it is
    weights = {**weights, worst: weights.get(worst, 1.0) + 1.0}
    values = {"worst": worst, "best": best, "low": recalls[worst], "high": recalls[best]}
    yield Advice("overlooked", values, {"class_weights": weights})


def _few_pictures(config: dict[str, Any], summary: dict[str, Any]) -> Iterator[Advice]:
    per_class = summary["split"]["train"] / len(summary["classes"])
    if per_class >= FEW_PICTURES:
        return
    target = max(2 * config["target_per_class"], 500) if config["target_per_class"] < 500 else None
    changes = {"augment": True, **({"target_per_class": target} if target else {})}
    yield Advice("few_pictures", {"per_class": round(per_class)}, changes)


def _stage_did_harm(config: dict[str, Any], summary: dict[str, Any]) -> Iterator[Advice]:
    final, last = summary["final_stage"], [name for name in STAGES if name in summary["best"]][-1]
    if final == last:
        return
    rate = config[last]["learning_rate"]
    values = {"kept": STAGES[final].number, "last": STAGES[last].number, "rate": rate}
    losses = {"before": summary["best"][final]["val_loss"], "after": summary["best"][last]["val_loss"]}
    yield Advice("stage_did_harm", values | losses, {f"{last}.learning_rate": rate / 3})


def _weak(config: dict[str, Any], summary: dict[str, Any]) -> Iterator[Advice]:
    scores = _validation(summary)
    if min(scores["accuracy"], scores["f1"]) >= GOAL:
        return
    changes: dict[str, Any] = {}
    network = architecture(summary.get("weights", {}).get("backbone", B0))
    later = [name for name, stage in STAGES.items() if stage.moves_backbone and config[name]["epochs"]]
    if not later:
        usual = STAGES["finetune"].epochs
        changes |= {"finetune.epochs": usual, "unfreeze_blocks": network.family.default_unfreeze}
    elif STAGES[later[-1]].num_units(config["unfreeze_blocks"], network.num_units) < network.num_units:
        changes["unfreeze_blocks"] = network.num_units
    else:
        changes[f"{later[-1]}.epochs"] = config[later[-1]]["epochs"] * 2
    yield Advice("weak", {"accuracy": scores["accuracy"], "f1": scores["f1"], "goal": GOAL}, changes)


def _validation(summary: dict[str, Any]) -> dict[str, Any]:
    return summary["stages"][summary["final_stage"]]["val"]
