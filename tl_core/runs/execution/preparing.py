"""What stands before training: the pictures, the weights and the device of a run, as it was begun with."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.base.config import RunConfig
from tl_core.base.errors import ConfigError
from tl_core.base.events import Progress, WarningRaised
from tl_core.compute import device
from tl_core.data import curation, folders
from tl_core.data.layouts import name_groups
from tl_core.data.prepare import Prepared, prepare
from tl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from tl_core.models.weights.record import WeightsRecord

GROUPS = "groups.csv"
"""In a run folder: which pictures were to stay on one side of the split."""
DECISIONS = "decisions.csv"
"""In a run folder: the decisions that were in force when the run was made."""


class _NotWanted(Exception):
    """Ends the reading of a run that was stopped meanwhile."""


def read_pictures(folder: RunFolder, config: RunConfig, data: Path) -> Generator[Progress, None, Prepared]:
    """Reading reports its progress through a callback, so it runs beside and is asked for news.

    Raises: DataError.
    """
    news = {"done": 0, "total": 0, "is_wanted": True}

    def on_progress(done: int, total: int) -> None:
        if not news["is_wanted"]:
            raise _NotWanted
        news.update(done=done, total=total)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(
            prepare,
            data,
            image_px=config.image_px,
            seed=config.seed,
            val_fraction=config.val_fraction,
            test_fraction=config.test_fraction,
            decisions=curation.read(folder.path / DECISIONS),
            groups=name_groups.read(folder.path / GROUPS, is_optional=True),
            on_progress=on_progress,
        )
        try:
            while not reading.done():
                time.sleep(0.1)
                yield Progress(phase="reading", done=news["done"], total=news["total"])
        finally:  # a stop leaves from within the loop, and the pool waits for its thread
            news["is_wanted"] = False
        return reading.result()


def fingerprints(prepared: Prepared, recorded: dict[str, Any]) -> dict[str, Any]:
    """What config.json keeps of the pictures.

    Raises: ConfigError: they are not the pictures or the classes that the run was made for.
    """
    found = prepared.found or prepared.dataset
    of_pictures = folders.fingerprint(found)
    fingerprint = curation.fingerprint(found, prepared.dataset, of_pictures)
    is_other = recorded.get("data_fingerprint") not in (None, fingerprint)
    # a class folder renamed while the run waited would put its answers under another's name
    if is_other or prepared.dataset.class_to_idx != recorded["class_to_idx"]:
        raise ConfigError(name="data", value=recorded["data"], need="the pictures the run began with")
    return {
        "data_fingerprint": fingerprint,
        "pictures_fingerprint": of_pictures,
        "decisions": prepared.decision_counts,
        "whites": dataclasses.asdict(prepared.whites),
    }


def choose_weights(config: RunConfig, recorded: dict[str, Any]) -> WeightsRecord:
    """Those that the run began with, else as its settings ask.

    Raises: WeightsError. ConfigError: their network cannot be trained with these settings.
    """
    from tl_core.models.families import registry
    from tl_core.models.weights import sources

    if used := recorded.get("weights_used"):
        return sources.reload(used)
    choice = sources.choose(config.weights, library=config.library, backbone=config.backbone)
    registry.refuse(choice.backbone, config.unfreeze_blocks, config.image_px)
    return choice


def choose_device(config: RunConfig, recorded: dict[str, Any]) -> dict[str, Any]:
    """Decided once per run: the number format changes the last digits, and a resumed run must agree.

    Returns {"device", "frozen_precision", "tail_precision", "depthwise"}. Raises: DeviceError.
    """
    used = recorded.get("device_used")
    if used:
        device.pick_device(used["device"])
        return used
    name = device.pick_device(config.device)
    if config.deterministic:
        # a measurement may come out otherwise tomorrow, and with it the last digits of every weight
        plain = device.pick_precision(name, "fp32" if config.precision == "auto" else config.precision)
        return {"device": name, "frozen_precision": plain, "tail_precision": plain, "depthwise": "library"}
    tail = device.pick_precision(name, config.precision)
    is_measured = (name, config.precision) == ("cpu", "auto")
    layers = device.cpu_probe()["depthwise"] if name == "cpu" else {}
    return {
        "device": name,
        "frozen_precision": device.cpu_probe()["frozen"] if is_measured else tail,
        "tail_precision": tail,
        "depthwise": layers.get(tail, "library"),
    }


def warnings(
    prepared: Prepared, config: RunConfig, is_pretrained: bool, loss_weights: dict[str, float]
) -> Iterator[WarningRaised]:
    """What a person should know before the numbers come. loss_weights: {class: weight}, those in force."""
    if not is_pretrained:
        yield WarningRaised(code="from_scratch")
    if any(prepared.decision_counts.values()):
        yield WarningRaised(code="decisions", values=prepared.decision_counts)
    if prepared.dataset.refused:
        yield WarningRaised(code="refused", values={"count": len(prepared.dataset.refused)})
    if prepared.dataset.empty:
        yield WarningRaised(code="empty_classes", values={"names": ", ".join(prepared.dataset.empty)})
    if prepared.leak.pairs:
        yield WarningRaised(code="leak", values={"count": len(prepared.leak.pairs)})
    num, num_groups = len(prepared.groups), len(set(prepared.groups.tolist()))
    if num_groups < 0.8 * num and not prepared.leak.pairs:  # with these, copies are on both sides
        yield WarningRaised(code="near_duplicates", values={"count": num, "distinct": num_groups})
    if prepared.split.folds:
        code = "cross_validation" if config.cross_validation else "head_cross_validation"
        yield WarningRaised(code=code, values={"folds": len(prepared.split.folds)})
    weighted = {name: weight for name, weight in loss_weights.items() if weight != 1}
    if config.class_balance == "auto" and config.class_weights is None:
        for name, weight in weighted.items():
            yield WarningRaised(code="class_balance", values={"name": name, "times": round(weight, 1)})
        return
    classes = range(len(prepared.dataset.classes))
    counts = [sum(prepared.labels[i] == c for i in prepared.split.train) for c in classes]
    is_filled = config.augment and min(counts) < config.target_per_class
    if is_filled and weighted and max(counts) > 1.2 * min(counts):
        yield WarningRaised(code="double_correction")
