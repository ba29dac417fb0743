"""`python`: a folder for anybody with Python: model.onnx and a script of its own, nothing of ours."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.base.errors import ExportFailed
from tl_core.export.formats import onnx_file
from tl_core.export.formats.record import Format
from tl_core.export.subject import Subject

if TYPE_CHECKING:
    from tl_core.export.pictures import CheckPictures

SCRIPT = "classify.py"
PACKAGES = ("onnxruntime", "pillow", "numpy")
FILES_AT_ONCE = 100
OURS = ("PYTHON", "HEADSWAP")
# of the environment, what would lead a fresh Python back to us


def make(subject: Subject, folder: Path, options: dict[str, Any]) -> None:
    onnx_file.make(subject, folder, options)
    (folder / SCRIPT).write_bytes(files("tl_core.export.handout").joinpath(SCRIPT).read_bytes())
    lines = (f"{name}=={metadata.version(name)}\n" for name in PACKAGES)
    (folder / "requirements.txt").write_text("".join(lines), encoding="utf-8")


def answer(folder: Path, pictures: CheckPictures) -> np.ndarray:
    """From the files' bytes, in a Python of its own that does not find this package. Raises: ExportFailed."""
    script, rows = str((folder / SCRIPT).absolute()), []
    for start in range(0, len(pictures), FILES_AT_ONCE):
        named = map(str, pictures.files[start : start + FILES_AT_ONCE])
        told = run_alone(script, "--json", *named, cwd=folder)
        for one in json.loads(told)["predictions"]:
            if "error" in one:
                raise ExportFailed(detail=f"{Path(one['file']).name}: {one['error']}")
            rows.append(list(one["probabilities"].values()))
    return np.array(rows, np.float32)


def read(pictures: CheckPictures, subject: Subject) -> np.ndarray:
    from tl_core.export.handout import classify

    px, whites = subject.predictor.image_px, dataclasses.asdict(subject.predictor.whites)
    return np.stack(
        [classify.resized(classify.read(file.read_bytes(), px, whites), px) for file in pictures.files]
    )


def run_alone(*arguments: str, cwd: Path) -> str:
    """What a Python that finds what is installed, and nothing of ours, prints. Raises: ExportFailed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    # -I: neither this folder nor PYTHONPATH is looked through
    command = [sys.executable, "-I", "-B", "-X", "utf8", *arguments]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise ExportFailed(detail=lines[-1])
    return done.stdout


def runtime() -> str:
    return f"Python {sys.version.split()[0]}, " + ", ".join(f"{n} {metadata.version(n)}" for n in PACKAGES)


FORMAT = Format(
    name="python",
    models=(onnx_file.FILE,),
    make=make,
    answer=answer,
    runtime=runtime,
    open=onnx_file.open_file,
    read=read,
    usage="""pip install -r requirements.txt
python classify.py photo.jpg another.png
python classify.py --json photo.jpg""",
)
