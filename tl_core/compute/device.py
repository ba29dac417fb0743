"""Which processor trains, in which number format, and what the machine has to offer.

Nothing heavy is imported until a function needs torch; `guess_device` and `describe` never do.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from tl_core.base.errors import DeviceError
from tl_core.base.files.paths import cache_dir, runs_dir
from tl_core.compute.cpu_probe import cached_probe, cpu_name, cpu_probe

__all__ = [
    "cached_probe",
    "cpu_probe",
    "describe",
    "free_memory_bytes",
    "guess_device",
    "pick_device",
    "pick_precision",
]

CGROUP = Path("/sys/fs/cgroup")


def pick_device(name: str = "auto") -> str:
    """What torch is to be told: "cpu", "cuda", "cuda:1" or "mps"; `auto` prefers CUDA, then MPS.

    Raises: DeviceError: no such device here.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cpu":
        return name
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError(device=name, detail="not available here")
        return name
    number = re.fullmatch(r"cuda(?::(\d+))?", name)
    if number is None:
        raise DeviceError(device=name, detail="unknown")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number[1] or 0) >= count:
        raise DeviceError(device=name, detail=f"CUDA devices here: {count}")
    return name


def pick_precision(device: str, asked: str = "auto") -> str:
    """ "fp32", "bf16" or "fp16" for the training step on `device`.

    `auto`: on CUDA bf16 where the card computes it, else fp16; on a CPU what was measured
    (`cpu_probe`, whose "frozen" answers for the part that only runs forward); elsewhere fp32.
    Raises: DeviceError: the format asked for is not computed there.
    """
    kind = device.partition(":")[0]
    if asked == "fp32" or (asked == "auto" and kind == "mps"):
        return "fp32"
    if kind == "cuda":
        import torch

        with torch.cuda.device(device):  # the question takes no card
            has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        if asked == "bf16" and not has_bf16:
            raise DeviceError(device=device, detail="no bf16")
        return asked if asked != "auto" else "bf16" if has_bf16 else "fp16"
    if asked == "auto":
        return cpu_probe()["tail"]
    if asked == "fp16" or kind == "mps":
        raise DeviceError(device=device, detail=f"no {asked} there")
    return asked


def free_memory_bytes() -> int:
    """Memory a new process may take: what the system has left, or a container's limit leaves."""
    available = psutil.virtual_memory().available
    with contextlib.suppress(OSError, ValueError):
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        stat = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        # file pages are given back on demand
        available = min(available, max(0, limit - used + int(stat.get("inactive_file", 0))))
    return int(available)


def guess_device(name: str = "auto") -> str:
    """The device that `pick_device(name)` would use, without importing torch: "cpu", "cuda:0", "mps".

    Used to queue before torch is loaded and to tell the Start page. A torch built without
    CUDA on a machine with a card is not seen through.
    """
    if name == "auto":
        if nvidia_gpus():
            return "cuda:0"
        is_apple = sys.platform == "darwin" and platform.machine() == "arm64"
        return "mps" if is_apple else "cpu"
    return "cuda:0" if name == "cuda" else name


@functools.cache
def nvidia_gpus() -> tuple[tuple[str, int], ...]:
    """(name, memory in MiB) of each card that the driver lists and CUDA_VISIBLE_DEVICES leaves."""
    program = shutil.which("nvidia-smi")
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if program is None or allowed in ("", "-1"):
        return ()
    query = [program, "--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        rows = [line.split(",", 2) for line in answer.splitlines() if line.strip()]
        cards = [
            (index.strip(), uuid.strip(), name.strip(), int(mib))
            for index, uuid, rest in rows
            for name, mib in [rest.rsplit(",", 1)]
        ]
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()
    return tuple((name, mib) for _, _, name, mib in _visible(cards, allowed))


def _visible(cards: list[tuple[str, str, str, int]], allowed: str | None) -> list[tuple[str, str, str, int]]:
    """Those that CUDA_VISIBLE_DEVICES names by number or by UUID, in its order."""
    # a part of a card (MIG) is not in the driver's list of cards
    if allowed is None or "MIG-" in allowed:
        return cards
    visible = []
    for name in (part.strip() for part in allowed.split(",")):
        found = [card for card in cards if name == card[0] or (name and card[1].startswith(name))]
        if not found:
            # CUDA, too, ends the list at the first name that is none
            break
        visible += found
    return visible


def describe(*, use_torch: bool = False) -> dict[str, Any]:
    """What this machine has: plain values for the Start page and `doctor`.

    `precision` is None on a CPU that has not been measured yet. With `use_torch`, device and
    precision are what torch itself says, and the CPU is measured if need be (a few seconds).
    """
    device = pick_device() if use_torch else guess_device()
    precision: str | None
    if device == "cpu":
        probe = cpu_probe() if use_torch else cached_probe()
        precision, frozen_precision = (probe["tail"], probe["frozen"]) if probe else (None, None)
    else:
        # without torch, a card is taken to be one that computes bf16 (since 2020)
        guess = "fp32" if device == "mps" else "bf16"
        precision = frozen_precision = pick_precision(device) if use_torch else guess
    gpus = nvidia_gpus()
    return {
        "os": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "gpus": [name for name, _ in gpus],
        "gpu_memory_mib": [mib for _, mib in gpus],
        "device": device,
        "precision": precision,
        "frozen_precision": frozen_precision,
        "memory_total_bytes": psutil.virtual_memory().total,
        "memory_free_bytes": free_memory_bytes(),
        "runs_dir": str(runs_dir()),
        "runs_disk_free_bytes": disk_free_bytes(runs_dir()),
        "cache_dir": str(cache_dir()),
        "cache_disk_free_bytes": disk_free_bytes(cache_dir()),
    }


def usable_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def disk_free_bytes(folder: Path) -> int:
    """Free space where `folder` is, or would be made."""
    return shutil.disk_usage(nearest(folder)).free


def nearest(folder: Path) -> Path:
    """`folder`, or the one above it that is there and can be looked at."""
    # os.access says no where Path.exists raises: no permission, a name too long
    while not os.access(folder, os.F_OK) and folder != folder.parent:
        folder = folder.parent
    return folder


def versions() -> dict[str, str | None]:
    """Installed versions of what a result may depend on; None for what is missing."""
    names = "torch torchvision timm albumentations scikit-learn numpy opencv-python-headless pillow"
    names += " safetensors huggingface-hub streamlit plotly"
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in names.split():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
