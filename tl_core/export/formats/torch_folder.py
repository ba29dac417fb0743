"""`torch`: the weights under the library's own names with a loader that needs timm alone, and torch.export's
whole model."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.base.errors import ExportFailed
from tl_core.export.formats import onnx_file, python_folder
from tl_core.export.formats.record import Ask, Format
from tl_core.export.subject import Subject
from tl_core.models.files.file_checks import ABOUT

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from tl_core.export.pictures import CheckPictures

WEIGHTS, WHOLE, LOADER = "model.safetensors", "model.pt2", "load.py"
APART = 1e-5
"""Largest difference between the two files' probabilities."""
TRACES = ("stack_trace", "source_fn_stack", "from_node", "custom")
# what torch.export notes of a node and nobody needs: files and lines of whoever made it
ASKED = """import sys, numpy, torch
sys.path.insert(0, sys.argv[1])
from load import load
model, squares = load(), torch.from_numpy(numpy.load(sys.argv[2]))
with torch.inference_mode():
    answers = [model(some).numpy() for some in squares.split(8)]
numpy.save(sys.argv[3], numpy.concatenate(answers))
"""


def make(subject: Subject, folder: Path, options: dict[str, Any]) -> None:
    from safetensors.torch import save

    about = {ABOUT: json.dumps(subject.about(), ensure_ascii=False)}
    (folder / WEIGHTS).write_bytes(save(library_weights(subject), about))
    (folder / WHOLE).write_bytes(_whole(subject))
    (folder / LOADER).write_bytes(files("tl_core.export.handout").joinpath(LOADER).read_bytes())
    library = subject.predictor.model.library
    lines = (f"{name}=={metadata.version(name)}\n" for name in ("torch", library, "safetensors", "numpy"))
    (folder / "requirements.txt").write_text("".join(lines), encoding="utf-8")


def library_weights(subject: Subject) -> dict[str, Tensor]:
    """The network's tensors as timm or torchvision name them, head included."""
    model = subject.predictor.model
    if model.library == "torchvision":
        own = model.state_dict()
    else:
        from timm import get_pretrained_cfg

        # a vision transformer's positions are those of the run's size; the others' weights know no size
        sized: Any = model.for_size(subject.predictor.image_px) if _has_places(model) else model
        known = get_pretrained_cfg(model.name)
        head = known.classifier if known else "classifier"
        own = {key.removeprefix("backbone."): one for key, one in sized.state_dict().items()}
        own = {key.replace("classifier.1.", f"{head}."): one for key, one in own.items()}
    return {key: own[key].detach().cpu().contiguous() for key in sorted(own)}


def _has_places(model: torch.nn.Module) -> bool:
    return any(name.endswith("pos_embed") for name, _ in model.named_parameters())


def _whole(subject: Subject) -> bytes:
    import torch

    px = subject.predictor.image_px
    pair = torch.zeros((2, px, px, 3), dtype=torch.uint8)
    buffer = io.BytesIO()
    about = {"about.json": json.dumps(subject.about(), ensure_ascii=False)}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of weights on other devices: ours are on the processor
        made = torch.export.export(subject.network(), (pair,), dynamic_shapes=({0: torch.export.Dim("num")},))
        for module in made.graph_module.modules():
            for node in getattr(getattr(module, "graph", None), "nodes", ()):
                for trace in TRACES:
                    node.meta.pop(trace, None)
        torch.export.save(made, buffer, extra_files=about)
    return buffer.getvalue()


def open_folder(folder: Path) -> Ask:
    import torch

    whole = torch.export.load(str(folder / WHOLE)).module()

    def ask(squares: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            answers: np.ndarray = whole(torch.from_numpy(np.ascontiguousarray(squares))).numpy()
        return answers

    return ask


def answer(folder: Path, pictures: CheckPictures) -> np.ndarray:
    """Of load.py in a Python of its own; model.pt2 has to say the same. Raises: ExportFailed."""
    with tempfile.TemporaryDirectory() as scratch:
        given, told = Path(scratch) / "squares.npy", Path(scratch) / "answers.npy"
        np.save(given, pictures.squares)
        python_folder.run_alone("-c", ASKED, str(folder.absolute()), str(given), str(told), cwd=folder)
        answers: np.ndarray = np.load(told)
    gap = float(np.abs(onnx_file.in_batches(open_folder(folder), pictures.squares) - answers).max())
    if not gap <= APART:
        raise ExportFailed(detail=f"{WHOLE} ≠ {LOADER}: {gap:.1e}")
    return answers


def runtime() -> str:
    return f"torch {metadata.version('torch')}, timm {metadata.version('timm')}"


FORMAT = Format(
    name="torch",
    models=(WEIGHTS, WHOLE),
    make=make,
    answer=answer,
    runtime=runtime,
    open=open_folder,
    usage="""pip install -r requirements.txt
python
>>> from load import load
>>> model = load()
>>> probabilities = model(pictures)  # uint8 (num, px, px, 3), RGB, as PICTURE-PATH.md says
>>> whole = torch.export.load("model.pt2").module()  # the same without timm""",
)
