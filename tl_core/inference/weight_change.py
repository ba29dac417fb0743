"""How far training moved each part of a network from where it began: measured on the files of a run.

A run's beginning can be built again to the bit: the same weights file, and a head drawn from the run's
seed. So "frozen" is no claim here but a difference that is exactly zero.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tl_core.base.stages import STAGES
from tl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from torch import Tensor

    from tl_core.models.backbone import TransferModel


@dataclass(frozen=True)
class PartChange:
    part: str
    num_parameters: int
    num_changed: int
    # of these, numbers that are not bit-identical any more
    relative: float
    # length of the difference over length of the beginning (L2), of all parameters of the part
    num_statistics: int
    # BatchNorm's running means and variances
    num_statistics_changed: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def weight_change(run: RunFolder, stage: str) -> list[PartChange]:
    """Every part after `stage` (its best epoch) against the run's beginning. Loads torch.

    Raises: RunNotFound, RunDamaged, WeightsError: the weights it began with are not here any more.
    """
    from tl_core.models.files.checkpoint_files import load_weights

    start = beginning(run)
    classes = list(run.read_config()["class_to_idx"])
    return measure(start, load_weights(run.models / f"{STAGES[stage].best_file}.safetensors", classes))


def beginning(run: RunFolder) -> TransferModel:
    """The network as the run found it: its weights under its fresh head.

    Raises: RunNotFound, RunDamaged, WeightsError.
    """
    from tl_core.models.build import build
    from tl_core.models.weights.sources import reload

    config = run.read_config()
    choice = reload(config["weights_used"])
    return build(config["library"], len(config["class_to_idx"]), config["dropout"], choice, config["seed"])


def measure(start: TransferModel, end: dict[str, Tensor]) -> list[PartChange]:
    """Compare `start` with the state dict `end` of the same network, part by part."""
    found = []
    names = {id(tensor): name for name, tensor in start.state_dict(keep_vars=True).items()}
    for part in start.part_names:
        modules = start.part_modules(part)
        parameters = [(p.detach(), end[names[id(p)]]) for p in start.part_parameters(part)]
        buffers = [(b, end[names[id(b)]]) for m in modules for b in m.buffers() if b.is_floating_point()]
        moved = sum(float((b.double() - a.double()).square().sum()) for a, b in parameters)
        length = sum(float(a.double().square().sum()) for a, _ in parameters)
        found.append(
            PartChange(
                part=part,
                num_parameters=sum(a.numel() for a, _ in parameters),
                num_changed=_num_different(parameters),
                relative=(moved / length) ** 0.5 if length else 0.0,
                num_statistics=sum(a.numel() for a, _ in buffers),
                num_statistics_changed=_num_different(buffers),
            )
        )
    return found


def _num_different(pairs: list[tuple[Tensor, Tensor]]) -> int:
    return sum(int((a != b).sum()) for a, b in pairs)
