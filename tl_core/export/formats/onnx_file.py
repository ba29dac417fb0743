"""`onnx`: one file in 32 bits. uint8 pictures in, probabilities out, and what they mean in its metadata."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.export.formats.record import Ask, Format
from tl_core.export.subject import Subject

if TYPE_CHECKING:
    import onnx

    from tl_core.export.pictures import CheckPictures

FILE = "model.onnx"
BATCH = 8


def graph_of(subject: Subject) -> onnx.ModelProto:
    """The run's network, pictures of its size in, probabilities out, with `subject.metadata`."""
    import onnx

    from tl_core.models.onnx import graph as onnx_graph

    graph = onnx_graph.graph_of(subject.network(), subject.predictor.image_px, (onnx_graph.PROBABILITIES,))
    onnx.helper.set_model_props(graph, subject.metadata())
    return graph


def make(subject: Subject, folder: Path, options: dict[str, Any]) -> None:
    content = graph_of(subject).SerializeToString(deterministic=True)
    (folder / FILE).write_bytes(content)


def open_file(folder: Path) -> Ask:
    from tl_core.models.onnx import cached
    from tl_core.models.onnx import graph as onnx_graph

    session = cached.open_session((folder / FILE).read_bytes())
    return lambda squares: session.run(None, {onnx_graph.INPUT: squares})[0]


def answer(folder: Path, pictures: CheckPictures) -> np.ndarray:
    return in_batches(open_file(folder), pictures.squares)


def in_batches(ask: Ask, squares: np.ndarray) -> np.ndarray:
    """Squares (N, px, px, 3) -> (N, C)."""
    return np.concatenate([ask(squares[i : i + BATCH]) for i in range(0, len(squares), BATCH)])


def runtime() -> str:
    return f"onnxruntime {metadata.version('onnxruntime')}"


USAGE = """import numpy as np, onnxruntime
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
# pictures: uint8 (num, px, px, 3), RGB, as PICTURE-PATH.md says
(probabilities,) = session.run(None, {"pictures": pictures})
about = session.get_modelmeta().custom_metadata_map  # classes, threshold, positive_class …"""

FORMAT = Format(
    name="onnx",
    models=(FILE,),
    make=make,
    answer=answer,
    runtime=runtime,
    open=open_file,
    usage=USAGE,
)
