"""The measured change of weights: zero where frozen, to the bit, and nowhere else."""

from __future__ import annotations

import pytest
import torch

from tl_core.base.config import RunConfig
from tl_core.base.errors import WeightsUnavailable
from tl_core.inference import weight_change
from tl_core.models.build import build
from tl_core.models.files import checkpoint_files
from tl_core.models.weights.sources import choose
from tl_core.runs import run_folder


@pytest.fixture(scope="module")
def start():
    return build("timm", 2, 0.3, choose("random"), 7)


def trained(start, blocks: int) -> dict[str, torch.Tensor]:
    """The state after two steps with the last `blocks` unfrozen, by the product's own freezing."""
    model = build("timm", 2, 0.3, choose("random"), 7)
    model.unfreeze_last(blocks)
    model.train()
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    torch.manual_seed(0)
    for _ in range(2):
        optimiser.zero_grad()
        model(torch.rand(4, 3, 32, 32)).square().sum().backward()
        optimiser.step()
    return model.state_dict()


def test_an_untouched_network_has_not_changed(start):
    found = weight_change.measure(start, start.state_dict())
    assert [part.part for part in found] == list(start.part_names)
    assert all(p.num_changed == p.num_statistics_changed == 0 and p.relative == 0 for p in found)


def test_frozen_parts_are_exactly_zero_and_trained_ones_are_not(start):
    found = {part.part: part for part in weight_change.measure(start, trained(start, 3))}
    frozen = ["stem", "blocks.0", "blocks.1", "blocks.2", "blocks.3"]
    for name, part in found.items():
        assert (part.relative == 0) == (name in frozen), name
        assert (part.num_changed == 0) == (name in frozen), name
        assert (part.num_statistics_changed == 0) == (name in [*frozen, "classifier"]), name


def test_drifting_statistics_are_seen_even_where_no_parameter_changed(start):
    state = {key: value.clone() for key, value in start.state_dict().items()}
    state["backbone.bn1.running_mean"] += 1
    stem = weight_change.measure(start, state)[0]
    assert stem.num_changed == 0 and stem.num_statistics_changed == 32


def test_the_relative_change_is_a_ratio_of_lengths(start):
    state = {key: value.clone() for key, value in start.state_dict().items()}
    for key in state:
        if key.startswith("classifier"):
            state[key] *= 1.5
    assert weight_change.measure(start, state)[-1].relative == pytest.approx(0.5, rel=1e-5)


@pytest.fixture
def run(tmp_path, start):
    settings = RunConfig(weights="random", seed=7).to_dict()
    settings |= {"class_to_idx": {"a": 0, "b": 1}, "weights_used": choose("random").to_dict()}
    folder = run_folder.create(tmp_path / "run", settings)
    checkpoint_files.save_weights(folder.models / "stage1_best.safetensors", start.state_dict())
    return folder


def test_a_runs_beginning_is_built_again_to_the_bit(run):
    assert all(part.num_changed == 0 for part in weight_change.weight_change(run, "head"))


def test_weights_whose_file_has_moved_are_found_again_by_their_source(run, tmp_path):
    config = run.read_config()
    config["weights_used"] = choose("formula").to_dict() | {
        "path": str(tmp_path / "old home" / "f.safetensors")
    }
    run_folder.write_json(run.config_path, config)
    assert weight_change.beginning(run).num_classes == 2


def test_other_weights_than_the_run_began_with_are_refused(run):
    config = run.read_config()
    config["weights_used"]["sha256"] = "f" * 64
    run_folder.write_json(run.config_path, config)
    with pytest.raises(WeightsUnavailable):
        weight_change.weight_change(run, "head")
