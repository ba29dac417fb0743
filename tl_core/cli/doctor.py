"""What this machine has, what is missing, and what to do about it."""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from collections.abc import Iterator
from typing import Any

from tl_core import __version__
from tl_core.base.files import paths
from tl_core.base.messages import FALLBACK, say
from tl_core.cli.text_table import table
from tl_core.compute import device
from tl_core.models.families.registry import ARCHITECTURES
from tl_core.models.weights import locate
from tl_core.models.weights.record import source_name
from tl_core.models.weights.sources import automatic, availability

GIB = 2**30
LOW_MEMORY_GIB = 1.5
LOW_DISK_GIB = 1.0
LOADED = ("torch", "torchvision", "timm", "albumentations", "cv2", "sklearn", "PIL", "safetensors")
# loaded for trial: builds that do not fit each other show it only then
PLACES = ((paths.runs_dir, "HEADSWAP_RUNS"), (paths.cache_dir, "HEADSWAP_CACHE"))


def examine(language: str = FALLBACK) -> dict[str, Any]:
    """{"version", "machine", "weights": [...], "auto": source or None, "backbones": [...], "versions",
    "problems": [...]}.

    Loads torch and measures the processor if that has not been done (a few seconds); asks the
    weights' hub for at most three. `machine` is as `device.describe` says.
    """
    broken = list(_broken_imports(language))
    machine = device.describe(use_torch=not broken)
    sources = availability(check_network=True)
    weights = [
        {
            "source": status.source,
            "is_usable": status.is_usable,
            "reason": status.reason,
            "detail": status.detail,
            "message": say(f"reason.{status.reason}", language, detail=status.detail)
            if status.reason
            else "",
        }
        for status in sources
    ]
    auto = automatic(sources)
    problems = [*broken, *_shortages(machine, language), *_unwritable(language)]
    if not any(status.is_usable for status in sources if status.source != "random"):
        problems.append(say("doctor.no_pretrained", language))
    return {
        "version": __version__,
        "machine": machine,
        "weights": weights,
        "auto": auto.source if auto else None,
        "backbones": [
            {"name": one.name, "label": one.label, "here": locate.sources_here(one.name), "hub": one.hub_repo}
            for one in ARCHITECTURES.values()
        ],
        "versions": device.versions(),
        "problems": problems,
    }


def _broken_imports(language: str) -> Iterator[str]:
    for name in LOADED:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            yield say("doctor.not_installed", language, name=error.name or name)
        except Exception as error:
            # whatever a mismatched library raises: RuntimeError, OSError, AttributeError …
            detail = " ".join(str(error).split())[:200].rstrip(".")
            yield say("doctor.import_failed", language, name=name, detail=detail)


def _shortages(machine: dict[str, Any], language: str) -> Iterator[str]:
    free = machine["memory_free_bytes"] / GIB
    if free < LOW_MEMORY_GIB:
        yield say("doctor.low_memory", language, free=f"{free:.1f}")
    for place in ("runs", "cache"):
        free = machine[f"{place}_disk_free_bytes"] / GIB
        if free < LOW_DISK_GIB:
            path = machine[f"{place}_dir"]
            yield say("doctor.low_disk", language, free=f"{free:.1f}", path=path)


def _unwritable(language: str) -> Iterator[str]:
    for place, variable in PLACES:
        try:
            # what is not there yet may be made, unless its name cannot be
            with contextlib.suppress(FileNotFoundError):
                place().stat()
            with tempfile.TemporaryFile(dir=device.nearest(place())):
                pass
        except OSError:
            yield say("doctor.not_writable", language, path=place(), variable=variable)


def text(found: dict[str, Any], language: str = FALLBACK) -> str:
    """The findings for a person: sections with aligned lines, problems last."""

    def word(key: str, **values: Any) -> str:
        return say(f"doctor.{key}", language, **values)

    def section(name: str, rows: list[tuple[str, str]]) -> list[str]:
        return ["", word(name), *_columns(rows)]

    sources = [
        (
            item["source"],
            f"{word('usable' if item['is_usable'] else 'not_usable')}. {item['message']}".strip(),
        )
        for item in found["weights"]
    ]
    auto = found["auto"]
    sources.append(("auto", f"{auto}: {source_name(auto, language)}" if auto else word("none")))
    versions = [(name, version or word("missing")) for name, version in found["versions"].items()]
    lines = [word("title", version=found["version"])]
    lines += section("computing", _machine_rows(found["machine"], word))
    backbones = [
        (one["name"], ", ".join(one["here"]) or word("not_here", hub=one["hub"]))
        for one in found["backbones"]
    ]
    for name, rows in (("weights", sources), ("backbones", backbones), ("versions", versions)):
        lines += section(name, rows)
    problems = found["problems"] or [word("no_problems")]
    return "\n".join([*lines, "", word("problems"), *(f"  {problem}" for problem in problems)])


def _machine_rows(machine: dict[str, Any], word: Any) -> list[tuple[str, str]]:
    def gib(amount: int) -> str:
        return f"{amount / GIB:.1f}"

    gpus = ", ".join(
        word("gpu_memory", name=name, gib=f"{mib / 1024:.0f}")
        for name, mib in zip(machine["gpus"], machine["gpu_memory_mib"], strict=True)
    )
    tail, frozen = machine["precision"], machine["frozen_precision"]
    is_measured = machine["device"] == "cpu" and tail
    precision = word("precision_cpu", tail=tail, frozen=frozen) if is_measured else tail or "?"
    memory = {
        "free": gib(machine["memory_free_bytes"]),
        "total": gib(machine["memory_total_bytes"]),
    }
    rows = [
        ("device", machine["device"]),
        ("precision", precision),
        ("cpu", word("cores", name=machine["cpu"], count=machine["cores"])),
        ("gpu", gpus or word("none")),
        ("memory", word("free_of", **memory)),
    ]
    for place in ("runs", "cache"):
        free = gib(machine[f"{place}_disk_free_bytes"])
        rows.append((f"disk_{place}", word("free_at", free=free, path=machine[f"{place}_dir"])))
    return [("OS", f"{machine['os']}, Python {machine['python']}")] + [
        (word(name), value) for name, value in rows
    ]


def _columns(rows: list[tuple[str, str]]) -> list[str]:
    return [f"  {line}" for line in table(rows)]
