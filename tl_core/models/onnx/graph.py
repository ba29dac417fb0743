"""A network as an ONNX graph: uint8 pictures in, probabilities out, for any number of pictures of one size.

By torch's older exporter: the same graph in a tenth of the time, and without the source lines that the newer
one writes into every node. What it leaves behind (constants, shapes that are known) is taken out by ONNX
Runtime's own basic pass, so that every runtime gets the short graph.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    import onnx
    from tl_core.models.backbone import TransferModel

OPSET = 17
"""Old enough for the runtimes of phones and browsers, new enough for layer normalisation as one node."""
INPUT, PROBABILITIES, FEATURES = "pictures", "probabilities", "features"
"""uint8 (num, px, px, 3) RGB; float32 (num, C); float32 (num, feature_dim)."""


def whole_network(
    model: TransferModel,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    *,
    after: torch.nn.Module | None = None,
    with_features: bool = False,
) -> torch.nn.Module:
    """The network with what comes before and after it, in eval mode: (N, px, px, 3) uint8 -> (N, C)
    probabilities, and the pooled features (N, feature_dim) where they are asked for.

    after: what is done to the probabilities (N, C) -> the same shape, such as a temperature.
    """
    import torch

    class PixelsToProbabilities(torch.nn.Module):
        mean: torch.Tensor
        std: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.model, self.after = model, after
            self.register_buffer("mean", 255 * torch.tensor(mean).reshape(1, 3, 1, 1))
            self.register_buffer("std", 255 * torch.tensor(std).reshape(1, 3, 1, 1))

        def forward(self, pictures: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
            # as `data.pixels.normalise`, in the three nodes that every runtime does quickly
            x = (pictures.permute(0, 3, 1, 2).float() - self.mean) / self.std
            pooled = self.model.forward_until(x, "pooled")
            p = torch.softmax(self.model.classify(pooled), dim=1)
            p = p if self.after is None else self.after(p)
            return (p, pooled) if with_features else p

    return PixelsToProbabilities().eval()


def graph_of(network: torch.nn.Module, image_px: int, outputs: tuple[str, ...]) -> onnx.ModelProto:
    """`whole_network`'s graph, without a trace of where it was made: equal networks give equal bytes."""
    import torch

    import onnx

    one = torch.zeros((1, image_px, image_px, 3), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch 2.15 recommends the newer one
        traced, short = Path(folder) / "traced.onnx", Path(folder) / "short.onnx"
        torch.onnx.export(
            network,
            (one,),
            str(traced),
            input_names=[INPUT],
            output_names=list(outputs),
            dynamic_axes={name: {0: "num"} for name in (INPUT, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
        _shorten(traced, short)
        graph = onnx.load(str(short))
    return _without_origin(graph)


def _shorten(traced: Path, short: Path) -> None:
    """ONNX Runtime's basic pass: standard operators only, for any processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(short)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(traced), options, providers=["CPUExecutionProvider"])


def _without_origin(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Names, notes and versions that say where and with what a graph was made are no part of it."""
    graph.doc_string = graph.graph.doc_string = ""
    graph.producer_name, graph.producer_version = "headswap", ""
    del graph.metadata_props[:]
    inner: Any
    for inner in (*graph.graph.node, *graph.graph.value_info, *graph.graph.initializer):
        inner.doc_string = ""
        del inner.metadata_props[:]
    used = {node.domain for node in graph.graph.node}
    kept = [one for one in graph.opset_import if one.domain in used]
    del graph.opset_import[:]
    graph.opset_import.extend(kept)
    return graph
