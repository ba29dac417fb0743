"""What every format of every run comes to: agreement, accuracy, size, speed; the table of docs/export.md.

    python -m benchmarks.exports OUT RUN … [--formats onnx,onnx-int8]

Exports each run in each format into OUT/<run>-<format>, with the check that belongs to it, and prints one row
each from their cards; what lies in OUT already is read, not made again. Times are of the machine that it
runs on, the two sides in turns.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tl_core.base.errors import TlError
from tl_core.export import formats, workflow

COLUMNS = (
    *("run", "network", "format", "equal labels", "probability off by (largest, mean)"),
    *("accuracy, run → export (95 %)", "size", "against PyTorch", "against fp32 ONNX", "check"),
)


def row(name: str, card: dict[str, Any]) -> str:
    check, accuracy, speed = card["check"], card["check"]["accuracy"], card["speed_ratio"]
    low, high = accuracy["export"]["interval"]
    shares = f"{accuracy['run']['accuracy']:.1%} → {accuracy['export']['accuracy']:.1%}"
    cells = [
        name,
        card["backbone"],
        card["format"],
        f"{check['num'] - check['num_labels_differ']} of {check['num']}",
        f"{check['largest_difference']:.1e}, {check['mean_difference']:.1e}",
        f"{shares} ({low:.0%} – {high:.0%}), p = {accuracy['p']:.2f}",
        f"{card['bytes'] / 2**20:.1f} MiB, 1/{card['size_ratio']:.1f}",
        *(f"{speed[rival]:.1f}×" if rival in speed else "–" for rival in ("torch", "onnx")),
        "passed" if check["passed"] else ", ".join(check["reasons"]),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--formats", default=",".join(name for name in formats.NAMES if name != "web"))
    args = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for run in args.runs:
        for name in args.formats.split(","):
            place = args.out / f"{run.name}-{name}"
            try:
                if not (place / "card.json").is_file():
                    workflow.export(run, name, place)
                print(
                    row(run.name, json.loads((place / "card.json").read_text(encoding="utf-8"))), flush=True
                )
            except TlError as error:
                print(f"| {run.name} | – | {name} | {error} |", flush=True)


if __name__ == "__main__":
    main()
