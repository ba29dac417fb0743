"""Measures whether this CPU is faster in bf16 than in fp32 at the two kinds of work that count.

"frozen": stem to blocks.3, forward only. "tail": a training step from there on. Naive bf16
training is often slower even where the forward pass is twice as fast, so neither is guessed
(docs: the 5×5 depthwise weight gradient takes most of the step).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tl_core.paths import cache_dir

if TYPE_CHECKING:
    import torch

Precisions = dict[str, str]

BATCH = 4
NUM_ROUNDS = 3
FASTER = 1.15
# bf16 must win by this much: below it, noise would decide, and fp32 rounds less


def cpu_probe() -> Precisions:
    """{"frozen": "fp32"|"bf16", "tail": "fp32"|"bf16"}, measured once per processor and torch.

    The answer is kept in the cache folder, so that the same machine trains in the same format
    tomorrow. Draws no number from torch's generator.
    """
    known = cached_probe()
    if known is not None:
        return known
    seconds = _measure()
    found = {
        work: "bf16" if times["fp32"] >= FASTER * times["bf16"] else "fp32" for work, times in seconds.items()
    }
    _remember(found, seconds)
    return found


def cached_probe() -> Precisions | None:
    """What was measured before, without importing torch; None when nothing was."""
    try:
        kept = json.loads(_place().read_text(encoding="utf-8"))
        found = {work: kept[work] for work in ("frozen", "tail")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if all(value in ("fp32", "bf16") for value in found.values()) else None


@functools.cache
def cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _place() -> Path:
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        version = "none"
    machine = "|".join((platform.node(), sys.platform, platform.machine(), cpu_name(), version))
    return cache_dir() / "probes" / f"cpu-{hashlib.sha256(machine.encode()).hexdigest()[:16]}.json"


def _remember(found: Precisions, seconds: dict[str, dict[str, float]]) -> None:
    from tl_core.atomic import write_json
    from tl_core.errors import OutputUnwritable

    place = _place()
    # a read-only cache costs a second at each start, nothing else
    with contextlib.suppress(OSError, OutputUnwritable):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            place, {**found, "seconds": seconds, "cpu": cpu_name(), "torch": metadata.version("torch")}
        )


def _measure() -> dict[str, dict[str, float]]:
    """Median seconds, {work: {"fp32": s, "bf16": s}}; the two formats take turns."""
    import torch

    with torch.random.fork_rng(devices=[]):
        return {work: _race(step) for work, step in _workloads().items()}


def _race(step: Callable[[bool], Any]) -> dict[str, float]:
    seconds: dict[str, list[float]] = {"fp32": [], "bf16": []}
    for attempt in range(NUM_ROUNDS + 1):
        for precision, times in seconds.items():
            start = time.perf_counter()
            step(precision == "bf16")
            if attempt:
                times.append(time.perf_counter() - start)
            elif time.perf_counter() - start > 5:
                # a processor that emulates bf16: the first step has answered
                return {"fp32": 0.0, "bf16": 1.0} if precision == "bf16" else {"fp32": 1.0, "bf16": 1.0}
    return {precision: median(times) for precision, times in seconds.items()}


def _workloads() -> dict[str, Callable[[bool], Any]]:
    """{work: step(use_bf16)} on the real layers with random weights: only their sizes matter."""
    import timm
    import torch
    from torch import nn

    net: Any = timm.create_model("efficientnet_b0", pretrained=False, num_classes=2)
    net = net.to(memory_format=torch.channels_last)
    frozen = nn.Sequential(net.conv_stem, net.bn1, *net.blocks[:4]).eval()
    tail = nn.Sequential(
        *net.blocks[4:], net.conv_head, net.bn2, net.global_pool, nn.Dropout(0.3), net.classifier
    ).train()
    pictures = torch.rand(BATCH, 3, 224, 224).to(memory_format=torch.channels_last)
    activations = torch.rand(BATCH, 80, 14, 14).to(memory_format=torch.channels_last)
    truth = torch.arange(BATCH) % 2

    def forward(use_bf16: bool) -> torch.Tensor:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
            return frozen(pictures)

    def train(use_bf16: bool) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
            loss = nn.functional.cross_entropy(tail(activations), truth)
        loss.backward()
        tail.zero_grad(set_to_none=True)

    return {"frozen": forward, "tail": train}
