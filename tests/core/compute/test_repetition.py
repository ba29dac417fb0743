"""A run with another's settings computes as that one did, on the same machine and unless asked otherwise."""

import pytest

from tl_core.base.config import RunConfig
from tl_core.compute import cpu_probe, repetition
from tl_core.runs.execution import preparing

USED = {"device": "cpu", "frozen_precision": "bf16", "tail_precision": "fp32", "depthwise": "split"}
"""What no measurement of the tests' comes to."""


def other(config: RunConfig, **changed) -> dict:
    return config.to_dict() | {"device_used": USED, "machine": cpu_probe.machine()} | changed


def test_a_clone_computes_as_the_other_did_whatever_a_measurement_says_today():
    config = RunConfig(device="cpu")
    assert preparing.choose_device(config, {}) != USED
    assert preparing.choose_device(config, repetition.record(other(config), "first", config)) == USED


@pytest.mark.parametrize("asked", [{"precision": "fp32"}, {"deterministic": True}])
def test_who_asks_for_another_way_to_compute_gets_it_and_hears_that_it_differs(asked):
    config = RunConfig(device="cpu", **asked)
    begun = repetition.record(other(RunConfig(device="cpu")), "first", config)
    used = preparing.choose_device(config, begun)
    assert used["frozen_precision"] == "fp32"
    assert repetition.computed_otherwise(begun | {"device_used": used}) == ("first", USED)


def test_on_another_machine_it_is_measured_anew():
    config = RunConfig(device="cpu")
    begun = repetition.record(other(config, machine="elsewhere"), "first", config)
    assert "device_used" not in begun
    assert preparing.choose_device(config, begun) == preparing.choose_device(config, {})


def test_a_run_that_computes_alike_or_repeats_none_differs_from_none():
    config = RunConfig(device="cpu")
    assert repetition.computed_otherwise(repetition.record(other(config), "first", config)) is None
    assert repetition.computed_otherwise({"device_used": USED}) is None
    assert repetition.record(config.to_dict(), "not begun yet", config) == {}
