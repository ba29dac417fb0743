"""Measures which number format, and whose gradients, this CPU is fastest with.

"frozen": stem to blocks.3, forward only. "tail": a training step from there on, with torch's own
gradients ("library") and with `kernels.fast_gradients` ("split"). Naive bf16 training is often slower
even where the forward pass is twice as fast, so nothing is guessed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypedDict

from tl_core.base.errors import RunDamaged
from tl_core.base.files.paths import cache_dir
from tl_core.base.files.reading import read_json

if TYPE_CHECKING:
    import torch

Found = dict[str, Any]
"""{"frozen": format, "tail": format, "depthwise": {format: "library" | "split"}}"""

FORMATS = ("fp32", "bf16")
DEPTHWISE = ("library", "split")

BATCH = 8
NUM_ROUNDS = 3
FASTER = 1.15
# bf16 must win by this much: below it, noise would decide, and fp32 rounds less
TOO_SLOW_SECONDS = 5.0
# for one step of BATCH pictures


class Seconds(TypedDict):
    """Of BATCH pictures; None: too slow. frozen: {format: s}. tail: {"format, layer": s}."""

    frozen: dict[str, float | None]
    tail: dict[str, float | None]


class _Timed(TypedDict):
    seconds: Seconds


class _Kept(TypedDict):
    frozen: str
    tail: str
    depthwise: dict[str, str]


def cpu_probe() -> Found:
    """The faster format of the frozen part and of the tail, and the faster gradients in each format.

    Measured once per processor and torch. The answer is kept in the cache folder, so that the same
    machine trains in the same format tomorrow. Draws no number from torch's generator.
    """
    known = cached_probe()
    if known is not None:
        return known
    seconds = _measure()
    tail = seconds["tail"]
    depthwise = {form: min(DEPTHWISE, key=lambda layer: tail[f"{form}, {layer}"]) for form in FORMATS}
    best = {form: tail[f"{form}, {layer}"] for form, layer in depthwise.items()}
    found = {"frozen": _format(seconds["frozen"]), "tail": _format(best), "depthwise": depthwise}
    _remember(found, seconds)
    return found


def _format(seconds: dict[str, float]) -> str:
    return "bf16" if seconds["fp32"] >= FASTER * seconds["bf16"] else "fp32"


def cached_probe() -> Found | None:
    """What was measured before, without importing torch; None when nothing was."""
    try:
        kept = read_json(probe_path(), _Kept) or {}
        formats = [kept["frozen"], kept["tail"]]
        layers = {form: kept["depthwise"][form] for form in FORMATS}
    except (RunDamaged, KeyError):
        return None
    if not all(form in FORMATS for form in formats) or not all(kind in DEPTHWISE for kind in layers.values()):
        return None
    return {"frozen": formats[0], "tail": formats[1], "depthwise": layers}


@functools.cache
def cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def probe_seconds() -> Seconds | None:
    """What `cpu_probe` has measured; None before. Loads nothing heavy."""
    try:
        return (read_json(probe_path(), _Timed) or {}).get("seconds")
    except RunDamaged:
        return None


def probe_path() -> Path:
    """Of the file that keeps what was measured."""
    return cache_dir() / "probes" / f"cpu-{machine()}.json"


def machine() -> str:
    """16 hex digits, others on another machine, processor or torch: measurements hold no longer there."""
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        version = "none"
    parts = (platform.node(), sys.platform, platform.machine(), cpu_name(), version)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _remember(found: Found, seconds: dict[str, dict[str, float]]) -> None:
    from tl_core.base.errors import OutputUnwritable
    from tl_core.base.files.atomic import write_json

    place = probe_path()
    # a read-only cache costs a second at each start, nothing else
    with contextlib.suppress(OSError, OutputUnwritable):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_json(
            place, {**found, "seconds": seconds, "cpu": cpu_name(), "torch": metadata.version("torch")}
        )


def _measure() -> dict[str, dict[str, float]]:
    """Median seconds: {"frozen": {format: s}, "tail": {"format, depthwise": s}}."""
    import torch

    with torch.random.fork_rng(devices=[]):
        return {work: _race(candidates) for work, candidates in _workloads().items()}


def _race(candidates: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The candidates take turns, so that whatever else the machine does meets them all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for attempt in range(NUM_ROUNDS + 1):
        for name, step in candidates.items():
            if seconds[name] == [math.inf]:
                continue
            start = time.perf_counter()
            step()
            took = time.perf_counter() - start
            if attempt:
                seconds[name].append(took)
            elif took > TOO_SLOW_SECONDS and name.startswith("bf16"):
                # a processor that emulates bf16: the first step has answered
                seconds[name] = [math.inf]
    return {name: median(times) for name, times in seconds.items()}


def _workloads() -> dict[str, dict[str, Callable[[], Any]]]:
    """{work: {candidate: step}} on the real layers with random weights: only their sizes matter."""
    import copy

    import timm
    import torch
    from torch import nn

    from tl_core.compute.kernels.batchnorm_folding import folded
    from tl_core.compute.kernels.fast_gradients import give_fast_gradients

    net: Any = timm.create_model("efficientnet_b0", pretrained=False, num_classes=2)
    net = net.to(memory_format=torch.channels_last)
    frozen = nn.Sequential(net.conv_stem, net.bn1, *net.blocks[:4])
    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16}
    short = {form: folded(frozen, dtype) for form, dtype in dtypes.items()}
    library = nn.Sequential(
        *net.blocks[4:], net.conv_head, net.bn2, net.global_pool, nn.Dropout(0.3), net.classifier
    ).train()
    split = copy.deepcopy(library)
    give_fast_gradients(split)
    pictures = torch.rand(BATCH, 3, 224, 224).to(memory_format=torch.channels_last)
    activations = torch.rand(BATCH, 80, 14, 14).to(memory_format=torch.channels_last)
    truth = torch.arange(BATCH) % 2

    def forward(form: str) -> torch.Tensor:
        with torch.inference_mode():
            return short[form](pictures.to(dtypes[form]))

    def train(form: str, tail: nn.Module) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=form == "bf16"):
            loss = nn.functional.cross_entropy(tail(activations), truth)
        loss.backward()
        tail.zero_grad(set_to_none=True)

    tails = {"library": library, "split": split}
    return {
        "frozen": {form: partial(forward, form) for form in FORMATS},
        "tail": {
            f"{form}, {layer}": partial(train, form, tail)
            for form in FORMATS
            for layer, tail in tails.items()
        },
    }
