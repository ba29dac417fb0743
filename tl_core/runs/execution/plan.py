"""What a run will do, in order, and how long each step takes here: said before it starts, and the measure
of its one progress while it goes on. Loads nothing heavy.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tl_core.base.config import NUM_BLOCK_GROUPS, RunConfig
from tl_core.base.messages import say
from tl_core.base.stages import STAGES
from tl_core.compute import speeds
from tl_core.compute.device import guess_device, usable_cores
from tl_core.data.dataset import Picture

SOLVE_SECONDS = 0.004
"""For one picture of a solved head, its strength and its cross-validation included."""
SOLVE_START_SECONDS = 3.0
"""Of the same, whatever the number of pictures: loading its library, five folds, the first results."""
NUM_TIMED = 3
"""Pictures that are read to know how long reading takes."""
EVALUATE_SHARE = 0.35
"""Of a training step: the same picture forward only."""
SAID_SECONDS = 5
"""Times below 90 s are said in multiples of this."""


@dataclass(frozen=True)
class PlanStep:
    name: str
    # reading, starting, frozen, views, cross_validation, finishing, or a stage
    seconds: float
    count: int = 0
    unit: str = ""
    # pictures, epochs or folds
    is_extra: bool = False
    # not part of the run: can be asked for when the model stands


@dataclass(frozen=True)
class RunPlan:
    steps: tuple[PlanStep, ...]
    is_measured: bool
    # by runs on this machine; else guessed from its processor

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps if not step.is_extra)

    @property
    def first_answer_seconds(self) -> float | None:
        """Until the head stands; None where the run trains none."""
        names = [step.name for step in self.steps]
        if "head" not in names:
            return None
        return sum(step.seconds for step in self.steps[: names.index("head") + 1])

    def to_say(self) -> RunPlan:
        """The same in round times that add up: each step ends at a multiple of SAID_SECONDS, so that the
        whole and the first answer are the sums of what is said. 0: shorter than that."""
        ended, steps = 0.0, []
        for step in self.steps:
            began = _on_grid(ended)
            if step.is_extra:
                steps.append(step)
                continue
            ended += step.seconds
            steps.append(replace(step, seconds=_on_grid(ended) - began))
        return replace(self, steps=tuple(steps))

    @classmethod
    def from_list(cls, steps: list[dict[str, Any]], is_measured: bool) -> RunPlan:
        """Out of the event."""
        return cls(tuple(PlanStep(**step) for step in steps), is_measured)

    def to_list(self) -> list[dict[str, Any]]:
        """Plain values, for the event."""
        return [dict(vars(step)) for step in self.steps]


def setting(config: RunConfig, network: str, stage: str = "finetune") -> str:
    """What the speeds of this run belong to; those of training, in `stage`."""
    device = guess_device(config.device).partition(":")[0]
    num_trained = speeds.WHOLE if STAGES[stage].learns == "whole" else str(config.unfreeze_blocks)
    return speeds.setting(network, config.image_px, num_trained, device)


def network_of(config: RunConfig) -> str:
    """What `setting` calls the network, as far as it is known before the run: the source of its weights."""
    from tl_core.models.weights.sources import automatic, availability

    if config.weights != "auto":
        return config.weights.partition(":")[0]
    found = automatic(availability())
    return found.source if found else "formula"


def read_seconds(pictures: Sequence[Picture], image_px: int) -> float | None:
    """Of one of these pictures, read on all cores as a run does; None where none of those tried can be read.
    No other pictures can tell: a photograph of 3000 x 2000 takes fifty times as long as one of 300 x 300."""
    from tl_core.data.pixels import decode

    timed = pictures[:: max(len(pictures) // NUM_TIMED, 1)][:NUM_TIMED]
    started, num = time.perf_counter(), 0
    for picture in timed:
        try:
            decode.read_square(picture.path, picture.name, px=image_px)
        except decode.UnreadableImage:
            continue
        num += 1
    return (time.perf_counter() - started) / num / min(usable_cores(), 8) if num else None


def solve_seconds(num: int) -> float:
    """Of a head solved, checked and written down, on a machine with nothing else to do."""
    return SOLVE_START_SECONDS + num * SOLVE_SECONDS


def make(config: RunConfig, counts: list[int], network: str, read_seconds: float | None = None) -> RunPlan:
    """The plan of a run on pictures that have no parts of their own.

    counts: pictures per class. network: see `speeds.setting`.
    read_seconds: of one of these pictures, where that was measured: see the function of this name.
    """
    from tl_core.data.split import MIN_TEST_PER_CLASS  # brings scikit-learn along

    of = setting(config, network)
    pace = speeds.read(of)
    num = sum(counts)
    has_test = min(counts) * config.test_fraction >= MIN_TEST_PER_CLASS
    num_train = round(num * (1 - config.val_fraction - (config.test_fraction if has_test else 0)))
    fill = config.target_per_class if config.augment else 0
    entries = max(num_train, sum(max(round(count * num_train / num), fill) for count in counts))

    def views(epochs: int) -> int:
        if not config.augment:
            return 1
        return min(config.views, epochs) if config.views else epochs

    steps = [
        PlanStep("reading", num * (read_seconds or pace["read"]), num, "pictures"),
        PlanStep("starting", pace["start"]),
        PlanStep("frozen", num * pace["frozen"], num, "pictures"),
    ]
    training = []
    for name, epochs in ((name, stage.epochs) for name, stage in config.stages.items()):
        stage = STAGES[name]
        if not stage.moves_backbone and config.head_solver == "lbfgs":
            training.append(PlanStep(name, pace["solve"] * solve_seconds(num), num_train, "pictures"))
        elif not stage.moves_backbone:
            looked = entries * views(epochs) * pace["frozen"]
            training.append(PlanStep(name, looked + epochs * 0.2, epochs, "epochs"))
        else:
            if stage.num_units(config.unfreeze_blocks, NUM_BLOCK_GROUPS) < NUM_BLOCK_GROUPS:
                seen = entries * views(epochs)
                training.append(PlanStep("views", seen * pace["views"], seen, "pictures"))
            each = speeds.read(setting(config, network, name))["train"]
            # validation is in an epoch
            answers = EVALUATE_SHARE * num * each
            training.append(PlanStep(name, epochs * entries * each + answers, epochs, "epochs"))
    steps += training
    if not has_test:
        folds = 5 if min(counts) >= 5 else 3
        once = sum(step.seconds for step in training) + num * pace["frozen"]
        is_extra = not config.cross_validation
        steps.append(PlanStep("cross_validation", folds * once, folds, "folds", is_extra))
    return RunPlan((*steps, PlanStep("finishing", pace["finish"])), speeds.is_measured(of))


def rounded(seconds: float) -> tuple[str, int]:
    """A duration as a person says it: unit (`seconds`, `minutes`, `hours`) and a round number."""
    if seconds < 90:
        return "seconds", max(SAID_SECONDS, SAID_SECONDS * round(seconds / SAID_SECONDS))
    if seconds < 90 * 60:
        return "minutes", max(2, round(seconds / 60))
    return "hours", max(2, round(seconds / 3600))


def in_words(seconds: float, language: str) -> str:
    unit, count = rounded(seconds)
    return say(f"plan.about_{unit}", language, count=count)


def step_time(step: PlanStep, language: str) -> str:
    """How long a step of `to_say` takes."""
    if not step.seconds:
        return say("plan.under_seconds", language, count=SAID_SECONDS)
    return in_words(step.seconds, language)


def _on_grid(seconds: float) -> int:
    return SAID_SECONDS * int(seconds / SAID_SECONDS + 0.5)


def step_words(step: PlanStep, language: str) -> str:
    """What the step does, in a few words."""
    kind = f"head_{step.unit}" if step.name == "head" else step.name
    return say(f"plan.{kind}", language, count=f"{step.count:,}")
