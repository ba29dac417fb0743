"""How fast this machine works, as its own runs have measured it. Loads nothing heavy.

A speed is seconds for one piece of work: `frozen`, one picture sent through the frozen part; `views`, one
varied picture through it up to the trained part; `train`, one picture's step; `start` and `finish`, what
comes before and after; `solve`, how many times as long as usual solving the head takes. They belong to a
network, a size and a device: `setting` names them. Where nothing has been measured yet, the processor's probe
answers, and before that, a guess. `read`, one picture decoded, is always a guess: it belongs to the pictures.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from tl_core.base.errors import OutputUnwritable, RunDamaged
from tl_core.base.files.atomic import write_json
from tl_core.base.files.reading import read_json
from tl_core.compute.cpu_probe import BATCH, probe_path, probe_seconds
from tl_core.compute.device import usable_cores

GUESS = {
    "start": 10.0,
    "finish": 8.0,
    "solve": 1.0,
    "read": 0.03,
    "frozen": 0.08,
    "views": 0.02,
    "train": 0.14,
}
"""Seconds, the last four on one core: of a laptop with other work to do. Only until it is measured."""
REST_OF_BACKBONE = 1.4
"""The whole network's forward pass over that of the part which the probe measures, by multiplications."""
WHOLE = "all"
WHOLE_TRAINED = 3.0
"""A training step of the whole network over that of the part which the probe measures, roughly."""
NEW_SHARE = 0.7
"""Of the newest measurement; what was known before keeps the rest, so that one disturbed run is forgotten."""


def setting(network: str, image_px: int, num_trained: str, device: str) -> str:
    """What a speed belongs to. network: its name, or its weights'. num_trained: block groups that are
    trained, or WHOLE."""
    return f"{image_px} {num_trained} {device} {network}"


def read(of: str) -> dict[str, float]:
    """Seconds of each piece of work, for a `setting`; always all of them."""
    known = _kept()
    return {**_guessed(of), **known.get(of, {})}


def is_measured(of: str) -> bool:
    """Whether a run with this `setting` has been timed here."""
    return of in _kept()


def learn(of: str, seconds: dict[str, float]) -> None:
    """Keep what a run has measured; a cache that cannot be written costs nothing else."""
    known = _kept()
    before = known.get(of, {})
    new = {name: seconds[name] for name in GUESS if name != "read" and seconds.get(name, 0) > 0}
    mixed = {name: NEW_SHARE * s + (1 - NEW_SHARE) * before.get(name, s) for name, s in new.items()}
    known[of] = {**before, **mixed}
    with contextlib.suppress(OSError, OutputUnwritable):
        _place().parent.mkdir(parents=True, exist_ok=True)
        write_json(_place(), known)


def _place() -> Path:
    return probe_path().with_name(f"speeds-{probe_path().stem}.json")


def _kept() -> dict[str, dict[str, float]]:
    try:
        return read_json(_place(), dict[str, dict[str, float]]) or {}
    except RunDamaged:
        return {}


def _guessed(of: str) -> dict[str, float]:
    """From the probe, which measures a fixed network at 224 pixels; else GUESS over the cores."""
    area = (int(of.split()[0]) / 224) ** 2
    probe = probe_seconds()
    if probe is None:
        each = {name: GUESS[name] / min(usable_cores(), 4) for name in ("read", "frozen", "views", "train")}
    else:
        frozen, train = (min(s for s in times.values() if s) for times in (probe["frozen"], probe["tail"]))
        each = {
            "read": GUESS["read"] / min(usable_cores(), 4),
            "frozen": (probe["frozen"].get("fp32") or frozen) / BATCH * REST_OF_BACKBONE,
            "views": frozen / BATCH,
            "train": train / BATCH,
        }
    scaled = {name: each[name] * area for name in ("frozen", "views", "train")}
    if of.split()[1] == WHOLE:
        scaled["train"] *= WHOLE_TRAINED
    return {**GUESS, **each, **scaled}
