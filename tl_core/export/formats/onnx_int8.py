"""`onnx-int8`: the same file in 8 bits, calibrated on training pictures as training varies them.

Weights per channel, activations unsigned: the library's defaults (per tensor, signed) cost up to half of
the labels and two thirds of the speed. The first layers stay in 32 bits: they see raw pixels, some of their
channels are far wider than the rest, and they are next to nothing of the size. How many is tried out on
training pictures that took no part in the calibration: Lite0 needs 8, B0 16 to 24.
Source of the method: Krishnamoorthi 2018, arXiv:1806.08342.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.base.errors import CalibrationGone
from tl_core.export import pictures as choosing
from tl_core.export.formats import onnx_file
from tl_core.export.subject import Subject

if TYPE_CHECKING:
    import onnx

QUANTISED = ("Conv", "Gemm", "MatMul", "Add", "Clip", "Relu", "GlobalAveragePool", "MaxPool")
"""Everything else (normalisation, softmax, SiLU, attention's softmax) stays in 32 bits."""
WEIGHTED = ("Conv", "Gemm", "MatMul")
FIRST = (8, 16, 24)
"""How many of the first layers stay in 32 bits, at most a third of all: fewer first."""
GOOD_ENOUGH = 0.01
"""Mean difference of a probability on the pictures that choose: the first below it is taken."""
LEAST_PICTURES = 16


def make(subject: Subject, folder: Path, options: dict[str, Any]) -> None:
    """Raises: CalibrationGone: the training pictures are no longer there."""
    squares = choosing.for_calibration(subject)
    if len(squares) < LEAST_PICTURES:
        raise CalibrationGone(path=subject.predictor.run.path)
    whole = onnx_file.graph_of(subject)
    content = _best(whole, squares[::2], squares[1::2])
    (folder / onnx_file.FILE).write_bytes(content)


def _best(whole: onnx.ModelProto, calibrating: np.ndarray, choosing_by: np.ndarray) -> bytes:
    """As few layers in 32 bits as are good enough, else the best of what was tried."""
    expected = _answers(whole.SerializeToString(), choosing_by)
    layers = [node.name for node in whole.graph.node if node.op_type in WEIGHTED]
    tried: list[tuple[float, bytes]] = []
    for num_first in sorted({min(number, len(layers) // 3) for number in FIRST}):
        content = _quantised(whole, calibrating, layers[:num_first])
        gap = float(np.abs(_answers(content, choosing_by) - expected).mean())
        tried.append((gap, content))
        if gap < GOOD_ENOUGH:
            break
    return min(tried, key=lambda one: one[0])[1]


def _quantised(whole: onnx.ModelProto, squares: np.ndarray, kept: list[str]) -> bytes:
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder, _silent():
        given, path = Path(folder) / "whole.onnx", Path(folder) / "int8.onnx"
        given.write_bytes(whole.SerializeToString())  # given the model itself, it empties it
        quantize_static(
            str(given),
            str(path),
            _Reader(squares),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=kept,
        )
        made = onnx.load(str(path))
    made.producer_name, made.producer_version = whole.producer_name, ""
    onnx.helper.set_model_props(made, {one.key: one.value for one in whole.metadata_props})
    return made.SerializeToString(deterministic=True)


class _Reader:
    """What the library asks for calibration data: a batch per call, then None."""

    def __init__(self, squares: np.ndarray) -> None:
        size = onnx_file.BATCH
        self._batches: Iterator[np.ndarray] = iter(np.array_split(squares, max(len(squares) // size, 1)))

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"pictures": batch}


def _answers(content: bytes, squares: np.ndarray) -> np.ndarray:
    from tl_core.models.onnx import cached

    session = cached.open_session(content)
    return onnx_file.in_batches(lambda some: session.run(None, {"pictures": some})[0], squares)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Its advice to pre-process is followed already: the graph is folded."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


FORMAT = dataclasses.replace(onnx_file.FORMAT, name="onnx-int8", make=make, is_exact=False)
