"""Train the runs that ship with the lesson and keep what they said: `python scripts/record_runs.py [NAME …]`.

Each is trained by the product's own command on practice pictures, on the processor with one thread. Of
the run folder the events (without the progress ticks), settings, summary, answers on the test pictures and
the measured change of the weights are kept under tl_ui/lesson/recorded/NAME/: small, without paths of the
machine. At most two minutes of one processor core each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tl_core.base.stages import STAGES  # noqa: E402 - found beside this folder
from tl_core.inference.weight_change import weight_change  # noqa: E402 - found beside this folder
from tl_core.runs.run_folder import RunFolder  # noqa: E402

TARGET = ROOT / "tl_ui" / "lesson" / "recorded"

# small pictures and few epochs, so that a class-room could repeat each in one lesson
ALIKE = """
library = "timm"
threads = 1
deterministic = true
"""
# every epoch of each curve is wanted, so nothing stops early; no copies, so that an epoch is short
CURVES = """
image_px = 160
early_stopping_patience = 0
target_per_class = 0
"""
WHOLE = "unfreeze_blocks = 7\nhead.epochs = 3\nfinetune = { epochs = 10, learning_rate = 1e-3 }\n"
# few pictures, the whole network, large steps: what learning by heart looks like
BY_HEART = """
image_px = 112
target_per_class = 0
views = 0
positive_weight = 1.0
unfreeze_blocks = 7
head.epochs = 3
finetune = { epochs = 22, learning_rate = 1e-3 }
"""


LITE0 = 'backbone = "tf_efficientnet_lite0"\n'


@dataclass(frozen=True)
class Recipe:
    weights: str
    data: str = "casting"
    preset: str = "casting"
    settings: str = CURVES


RUNS = {
    "transfer": Recipe("imagenet-lite0", settings=LITE0 + CURVES + WHOLE),
    "scratch": Recipe("random", settings=LITE0 + CURVES + WHOLE),
    "head_only": Recipe("imagenet-lite0", settings=CURVES + "head.epochs = 20\nfinetune.epochs = 0\n"),
    "gradual": Recipe("imagenet-lite0", settings=CURVES + "head.epochs = 15\nfinetune.epochs = 12\n"),
    "faces": Recipe("imagenet-lite0", "expression", "expression", BY_HEART),
    # one recipe, that of own pictures as it stands, and three beginnings
    "from_nothing": Recipe("random", preset="standard", settings=LITE0),
    "from_drawings": Recipe("formula", preset="standard", settings=""),
    "from_photographs": Recipe("imagenet-lite0", preset="standard", settings=LITE0),
}


def record(name: str, folder: Path) -> None:
    """Train the run called `name` inside `folder` and keep its words."""
    recipe = RUNS[name]
    data, run, settings = folder / recipe.data, folder / name, folder / f"{name}.toml"
    settings.write_text(ALIKE + recipe.settings, encoding="utf-8")
    command = [sys.executable, "-m", "tl_core"]
    if not data.exists():
        subprocess.run([*command, "sample-data", recipe.data, str(data)], cwd=ROOT, check=True)
    options = ["--preset", recipe.preset, "--weights", recipe.weights, "--device", "cpu", "--seed", "42"]
    options += ["--config", str(settings), "--output", str(run)]
    subprocess.run([*command, "train", str(data), *options], cwd=ROOT, check=True)
    keep(run, TARGET / name)


def keep(run: Path, target: Path) -> None:
    """Copy what the lesson reads, laid out like a run folder, without paths, ticks and models."""
    lines = (run / "logs" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [clean(json.loads(line)) for line in lines]
    kept = [json.dumps(event) for event in events if event["kind"] != "progress"]
    write(target / "logs" / "events.jsonl", "\n".join(kept) + "\n")
    for name in ("config.json", "metrics/summary.json"):
        content = clean(json.loads((run / name).read_text(encoding="utf-8")))
        write(target / name, json.dumps(content, indent=1) + "\n")
    rows = (run / "metrics" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    tested = [row for row in rows[1:] if ",test," in row]
    write(target / "metrics" / "predictions.csv", "\n".join([rows[0], *tested]) + "\n")
    found = RunFolder(run)
    stages = [
        name for name, stage in STAGES.items() if (found.models / f"{stage.best_file}.safetensors").is_file()
    ]
    measured = {stage: [part.to_dict() for part in weight_change(found, stage)] for stage in stages}
    write(target / "metrics" / "changes.json", json.dumps(measured, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def clean(value: Any) -> Any:
    """The same record with absolute paths replaced by the last part of their names."""
    if isinstance(value, dict):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(RUNS), metavar="NAME", help=f"of {', '.join(RUNS)}")
    parser.add_argument("--folder", type=Path, help="keep data and run folders here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in args.names:
            record(name, folder)


if __name__ == "__main__":
    main()
