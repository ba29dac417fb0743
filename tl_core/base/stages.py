"""The stages of training, in order: what learns in each, the guides' numbers for it, and what it is called.

A run trains those of them that its settings give epochs. Whoever writes, reads or draws a run goes through
this table or through what the run has recorded; nobody counts to two.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    name: str
    # its field of RunConfig, its name in events and results; its words are `stage_<name>`, `now_<name>` …
    number: int
    # from 1: what the command line, the training log and file names count
    learns: str
    # besides the head. "head": nothing; "last": the last `unfreeze_blocks` units; "whole": the whole network
    epochs: int
    learning_rate: float
    # where a recipe has the stage and says no others

    @property
    def moves_backbone(self) -> bool:
        return self.learns != "head"

    @property
    def log_name(self) -> str:
        """The expression guide numbers its stages in the training log and in file names."""
        return f"stage{self.number}"

    @property
    def best_file(self) -> str:
        """Its best epoch's model, among the run's models, without the suffix."""
        return f"{self.log_name}_best"

    def num_units(self, unfreeze_blocks: int, most: int) -> int:
        """How many of the network's `most` units learn in it, counted from the end."""
        return {"head": 0, "last": unfreeze_blocks, "whole": most}[self.learns]


STAGES = {
    stage.name: stage
    for stage in (
        Stage("head", 1, "head", 15, 1e-3),
        Stage("finetune", 2, "last", 20, 1e-4),
        Stage("whole", 3, "whole", 10, 1e-5),
    )
}
"""Sources: the expression guide's two stages; the casting guide's gradual strategy, which names the third and
gives it no numbers: a tenth of the rate before it, as the second's is a tenth of the first's."""

BEFORE = "before"
"""What is evaluated first: the untouched network under its new head."""
