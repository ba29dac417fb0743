"""Which device and number format a run gets, what the probe remembers, and what the machine has left."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tl_core.base.errors import DeviceError
from tl_core.compute import cpu_probe, device

ROOT = Path(__file__).parents[3]
GIB = 2**30


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Iterator[Path]:
    """A cache of this test's own, and the driver asked anew."""
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    device.nvidia_gpus.cache_clear()
    yield tmp_path / "cache"
    device.nvidia_gpus.cache_clear()


def pretend(monkeypatch, *, cuda: int = 0, has_mps: bool = False, has_bf16: bool = True) -> None:
    """What torch says about hardware that is not here."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device", contextlib.nullcontext)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: has_bf16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)


def in_a_new_process(code: str, **environment: str) -> Any:
    """What `code` prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- devices


@pytest.mark.parametrize(
    ("cuda", "has_mps", "chosen"),
    [(0, False, "cpu"), (0, True, "mps"), (2, False, "cuda"), (1, True, "cuda")],
)
def test_auto_prefers_cuda_then_mps_then_the_cpu(monkeypatch, cuda, has_mps, chosen):
    pretend(monkeypatch, cuda=cuda, has_mps=has_mps)
    assert device.pick_device("auto") == chosen


@pytest.mark.parametrize("name", ["gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:1 ", "", "tpu"])
def test_a_device_that_nobody_has_is_refused_by_its_name(monkeypatch, name):
    pretend(monkeypatch, cuda=8, has_mps=True)
    with pytest.raises(DeviceError) as caught:
        device.pick_device(name)
    assert caught.value.values["device"] == name


def test_a_card_counts_only_if_torch_sees_that_many(monkeypatch):
    pretend(monkeypatch, cuda=2)
    assert [device.pick_device(name) for name in ("cuda", "cuda:0", "cuda:1")] == ["cuda", "cuda:0", "cuda:1"]
    with pytest.raises(DeviceError, match="CUDA devices here: 2"):
        device.pick_device("cuda:2")
    pretend(monkeypatch, cuda=0)
    for name in ("cuda", "cuda:0", "mps"):
        with pytest.raises(DeviceError, match=name):
            device.pick_device(name)
    assert device.pick_device("cpu") == "cpu"


def test_the_guess_without_torch_is_what_torch_will_pick():
    # a torch built without CUDA is not seen through (said in the docstring)
    if device.nvidia_gpus() and not torch.cuda.is_available():
        pytest.skip("this torch cannot use this machine's card")
    assert device.guess_device().partition(":")[0] == device.pick_device().partition(":")[0]
    assert device.guess_device("cuda") == "cuda:0"
    assert [device.guess_device(name) for name in ("cpu", "mps", "cuda:1")] == ["cpu", "mps", "cuda:1"]


def test_guessing_and_describing_load_no_torch():
    code = (
        "import json, sys; from tl_core.compute import device;"
        "found = device.describe(); device.guess_device();"
        "print(json.dumps([found['precision'], [m for m in ('torch', 'timm', 'cv2') if m in sys.modules]]))"
    )
    precision, loaded = in_a_new_process(code, CUDA_VISIBLE_DEVICES="")
    assert loaded == []
    assert precision is None or sys.platform == "darwin"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the driver's program is a shell script")
@pytest.mark.parametrize(
    ("allowed", "names"),
    [
        (None, ["A", "B, rev 2", "C"]),
        ("", []),
        ("-1", []),
        ("1", ["B, rev 2"]),
        ("2,0", ["C", "A"]),
        ("0,-1,2", ["A"]),
        ("GPU-cc", ["C"]),
        ("7", []),
        ("MIG-1234", ["A", "B, rev 2", "C"]),
    ],
)
def test_only_the_cards_that_the_environment_leaves_are_listed(tmp_path, monkeypatch, allowed, names):
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    lines = "0, GPU-aa11, A, 1000\\n1, GPU-bb22, B, rev 2, 2000\\n2, GPU-cc33, C, 3000\\n"
    program.write_text(f"#!/bin/sh\nprintf '{lines}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if allowed is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    memory = {"A": 1000, "B, rev 2": 2000, "C": 3000}
    assert device.nvidia_gpus() == tuple((name, memory[name]) for name in names)
    assert (device.guess_device() == "cuda:0") == bool(names)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the driver's program is a shell script")
@pytest.mark.parametrize("script", ["exit 9", "echo NVIDIA-SMI has failed", "echo '0, GPU-a, A, [N/A]'"])
def test_a_driver_that_fails_or_babbles_means_no_card(tmp_path, monkeypatch, script):
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert device.nvidia_gpus() == ()


# --- number formats


@pytest.mark.parametrize(
    ("name", "asked", "has_bf16", "chosen"),
    [
        ("cuda", "auto", True, "bf16"),
        ("cuda:1", "auto", False, "fp16"),
        ("cuda", "fp16", True, "fp16"),
        ("cuda", "bf16", True, "bf16"),
        ("cuda", "fp32", False, "fp32"),
        ("mps", "auto", True, "fp32"),
        ("mps", "fp32", True, "fp32"),
        ("cpu", "bf16", True, "bf16"),
        ("cpu", "fp32", True, "fp32"),
    ],
)
def test_a_format_is_chosen_that_the_device_computes(monkeypatch, name, asked, has_bf16, chosen):
    pretend(monkeypatch, cuda=2, has_mps=True, has_bf16=has_bf16)
    assert device.pick_precision(name, asked) == chosen


@pytest.mark.parametrize(
    ("name", "asked"), [("cpu", "fp16"), ("mps", "fp16"), ("mps", "bf16"), ("cuda", "bf16")]
)
def test_a_format_that_the_device_does_not_compute_is_refused(monkeypatch, name, asked):
    pretend(monkeypatch, cuda=1, has_mps=True, has_bf16=False)
    with pytest.raises(DeviceError, match=asked) as caught:
        device.pick_precision(name, asked)
    assert caught.value.values["device"] == name


# --- the probe


def measured(monkeypatch, frozen: float, tail: float) -> list[int]:
    """The probe's stop-watch, reading 1 s for fp32 / that many for bf16; counts how often it is asked."""
    asked = []

    def stop_watch():
        asked.append(1)
        tails = {"fp32, library": tail, "fp32, split": 2 * tail, "bf16, library": 3.0, "bf16, split": 1.0}
        return {"frozen": {"fp32": frozen, "bf16": 1.0}, "tail": tails}

    monkeypatch.setattr(cpu_probe, "_measure", stop_watch)
    return asked


def chosen(frozen: str, tail: str) -> dict[str, Any]:
    return {"frozen": frozen, "tail": tail, "depthwise": {"fp32": "library", "bf16": "split"}}


def kept_file(cache: Path) -> Path:
    (path,) = (cache / "probes").iterdir()
    return path


def test_the_processor_is_measured_really_and_draws_no_number(cache):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    found = cpu_probe.cpu_probe()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert {found["frozen"], found["tail"]} <= {"fp32", "bf16"}
    kept = json.loads(kept_file(cache).read_text(encoding="utf-8"))
    assert kept["torch"] == device.versions()["torch"] and kept["cpu"] == cpu_probe.cpu_name()
    # JSON has no infinity: what was too slow to measure is kept as null
    times = {
        work: {name: math.inf if s is None else s for name, s in seconds.items()}
        for work, seconds in kept["seconds"].items()
    }
    tail = times["tail"]
    for form in ("fp32", "bf16"):
        faster = min(("library", "split"), key=lambda layer: tail[f"{form}, {layer}"])
        assert found["depthwise"][form] == faster
    best = {form: min(tail[f"{form}, library"], tail[f"{form}, split"]) for form in ("fp32", "bf16")}
    for work, seconds in (("frozen", times["frozen"]), ("tail", best)):
        assert (found[work] == "bf16") == (seconds["fp32"] >= cpu_probe.FASTER * seconds["bf16"])


def test_what_was_measured_once_is_read_back_and_decides_the_format(monkeypatch):
    asked = measured(monkeypatch, frozen=2.0, tail=0.5)
    assert cpu_probe.cached_probe() is None
    assert cpu_probe.cpu_probe() == cpu_probe.cpu_probe() == chosen("bf16", "fp32")
    assert cpu_probe.cached_probe() == chosen("bf16", "fp32")
    assert device.pick_precision("cpu", "auto") == "fp32"
    assert len(asked) == 1


def test_bf16_must_win_clearly(monkeypatch):
    measured(monkeypatch, frozen=1.1, tail=1.2)
    assert cpu_probe.cpu_probe() == chosen("fp32", "bf16")
    assert device.pick_precision("cpu", "auto") == "bf16"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"frozen": "bf16", "ta',
        b"[1, 2]",
        b"null",
        b"\xff\xfe\x00",
        b'{"frozen": "bf16"}',
        b'{"frozen": "int8", "tail": "fp32"}',
        b'{"frozen": ["bf16"], "tail": {}}',
        b'{"frozen": null, "tail": 1}',
        b'{"frozen": "bf16", "tail": "fp32"}',
        b'{"frozen": "bf16", "tail": "fp32", "depthwise": {"fp32": "split"}}',
        b'{"frozen": "bf16", "tail": "fp32", "depthwise": {"fp32": "split", "bf16": []}}',
    ],
)
def test_a_damaged_probe_file_is_measured_anew(cache, monkeypatch, content):
    asked = measured(monkeypatch, frozen=2.0, tail=2.0)
    cpu_probe.cpu_probe()
    kept_file(cache).write_bytes(content)
    assert cpu_probe.cached_probe() is None
    assert cpu_probe.cpu_probe() == chosen("bf16", "bf16")
    assert len(asked) == 2
    assert json.loads(kept_file(cache).read_text(encoding="utf-8"))["tail"] == "bf16"


def test_another_torch_or_processor_is_measured_for_itself(cache, monkeypatch):
    asked = measured(monkeypatch, frozen=2.0, tail=2.0)
    cpu_probe.cpu_probe()
    monkeypatch.setattr(cpu_probe, "cpu_name", lambda: "another processor")
    assert cpu_probe.cached_probe() is None
    cpu_probe.cpu_probe()
    monkeypatch.setattr(cpu_probe.metadata, "version", lambda name: "99.0")
    assert cpu_probe.cached_probe() is None
    cpu_probe.cpu_probe()
    assert len(asked) == 3 and len(list((cache / "probes").iterdir())) == 3


def test_a_cache_that_cannot_be_made_costs_a_measurement_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "file" / "cache"))
    asked = measured(monkeypatch, frozen=2.0, tail=0.5)
    assert cpu_probe.cpu_probe() == cpu_probe.cpu_probe() == chosen("bf16", "fp32")
    assert len(asked) == 2
    assert (tmp_path / "file").read_text(encoding="utf-8") == "not a folder"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_costs_a_measurement_and_nothing_else(cache, monkeypatch):
    cache.mkdir()
    cache.chmod(0o555)
    asked = measured(monkeypatch, frozen=2.0, tail=0.5)
    try:
        assert cpu_probe.cpu_probe() == cpu_probe.cpu_probe() == chosen("bf16", "fp32")
    finally:
        cache.chmod(0o755)
    assert len(asked) == 2 and not list(cache.iterdir())


def test_description_tells_the_measured_formats_only_once_they_are_known(monkeypatch):
    pretend(monkeypatch)
    monkeypatch.setattr(device, "guess_device", lambda: "cpu")
    asked = measured(monkeypatch, frozen=2.0, tail=0.5)
    known = device.describe()
    assert (known["device"], known["precision"], known["frozen_precision"]) == ("cpu", None, None)
    assert not asked
    known = device.describe(use_torch=True)
    assert (known["precision"], known["frozen_precision"]) == ("fp32", "bf16")
    known = device.describe()
    assert (known["precision"], known["frozen_precision"]) == ("fp32", "bf16")
    assert len(asked) == 1


# --- memory, disk, versions


def container(folder: Path, *, limit: str, used: int, file_pages: int | None = 0) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n", encoding="utf-8")
    (folder / "memory.current").write_text(f"{used}\n", encoding="utf-8")
    pages = "" if file_pages is None else f"inactive_file {file_pages}\n"
    (folder / "memory.stat").write_text(f"anon 123\n{pages}", encoding="utf-8")
    return folder


@pytest.fixture
def plenty(monkeypatch) -> int:
    """A system with 1000 GiB free, so that only a container's limit can be less."""
    memory = namedtuple("memory", "available total")
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: memory(1000 * GIB, 2000 * GIB))
    return 1000 * GIB


@pytest.mark.parametrize(
    ("limit", "used", "file_pages", "free"),
    [
        (f"{8 * GIB}", 3 * GIB, 0, 5 * GIB),
        (f"{8 * GIB}", 7 * GIB, 2 * GIB, 3 * GIB),
        (f"{8 * GIB}", 7 * GIB, None, 1 * GIB),
        (f"{8 * GIB}", 9 * GIB, 0, 0),
        (f"{4000 * GIB}", 0, 0, 1000 * GIB),
        ("max", 3 * GIB, 0, 1000 * GIB),
    ],
)
def test_a_containers_limit_is_respected_and_file_pages_count_as_free(
    tmp_path, monkeypatch, plenty, limit, used, file_pages, free
):
    folder = container(tmp_path, limit=limit, used=used, file_pages=file_pages)
    monkeypatch.setattr(device, "CGROUP", folder)
    assert device.free_memory_bytes() == free


@pytest.mark.parametrize("missing", ["memory.max", "memory.current", "memory.stat"])
def test_a_machine_without_a_container_has_what_the_system_says(tmp_path, monkeypatch, plenty, missing):
    folder = container(tmp_path, limit=f"{8 * GIB}", used=0)
    (folder / missing).unlink()
    monkeypatch.setattr(device, "CGROUP", folder)
    assert device.free_memory_bytes() == plenty


@pytest.mark.parametrize("below", ["a/b/c", "x" * 300, "x" * 300 + "/y"])
def test_the_disk_of_a_folder_to_be_made_is_the_disk_it_would_be_made_on(tmp_path, monkeypatch, below):
    usage = namedtuple("usage", "free")
    asked = []
    monkeypatch.setattr(device.shutil, "disk_usage", lambda place: asked.append(place) or usage(7))
    assert device.disk_free_bytes(tmp_path / below) == 7
    assert asked == [tmp_path]


def test_every_library_that_a_result_depends_on_is_found():
    assert [name for name, version in device.versions().items() if not version] == []


def test_a_library_that_is_missing_has_no_version(monkeypatch):
    real = device.metadata.version

    def without_timm(name):
        if name == "timm":
            raise device.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(device.metadata, "version", without_timm)
    found = device.versions()
    assert found["timm"] is None and found["numpy"] == real("numpy")


@pytest.mark.parametrize(
    ("given", "found"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)
def test_waiting_threads_soon_sleep_unless_the_person_says_otherwise(given, found):
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    env = {name: value for name, value in os.environ.items() if name not in names}
    code = "import tl_core.compute.device, os; print(os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=env | given, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == found
