"""A run's model in ONNX Runtime: on a CPU about twice as fast as torch, and there without loading torch.

    made = make(model, key, squares, mean, std)      once, by the worker when a run has ended
    fast = open_fast(key)                            afterwards, in any process
    probabilities, features = fast.predict_with_features(squares)

The file lies in the cache folder under a key of everything its answers depend on. It is used only if
its answers agreed with torch's on real pictures, and if it was the faster of the two; whatever fails
here is logged and leaves torch to answer.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.base.files import cache_folder
from tl_core.base.files.paths import cache_dir
from tl_core.compute.device import usable_cores
from tl_core.models.onnx import graph

if TYPE_CHECKING:
    import torch

    from tl_core.models.backbone import TransferModel

log = logging.getLogger(__name__)

FORMAT = 2
"""Goes up when the graph's inputs or outputs change."""
TOLERANCE = 1e-3
"""Largest difference to torch's probabilities on the pictures it is checked with."""
BATCH = 2
"""Pictures at a time: 32 take half as long again per picture, since they fall out of the cache."""
NUM_TIMED = 5
MAX_BYTES = 512 << 20
"""About 30 models are kept; the one unused for longest goes first."""


@dataclass(frozen=True)
class FastModel:
    """Shared by whoever asks: ONNX Runtime's sessions may be called from several threads."""

    session: Any

    @property
    def feature_dim(self) -> int:
        return self.session.get_outputs()[1].shape[1]

    def predict_with_features(self, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (N, px, px, 3) RGB -> probabilities (N, C), pooled features (N, 1280); float32."""
        pieces = [squares[i : i + BATCH] for i in range(0, len(squares), BATCH)]
        answers = [self.session.run(None, {graph.INPUT: piece}) for piece in pieces]
        return np.concatenate([a[0] for a in answers]), np.concatenate([a[1] for a in answers])


def key_of(
    model_file: Path, backbone: str, image_px: int, mean: tuple[float, ...], std: tuple[float, ...]
) -> str:
    """Everything that the answers depend on, as a name for a file. Raises: OSError."""
    digest = hashlib.blake2b(model_file.read_bytes(), digest_size=16)
    settings = [FORMAT, backbone, image_px, list(mean), list(std), _version()]
    digest.update(json.dumps(settings).encode())
    return digest.hexdigest()


def _version() -> str:
    try:
        return metadata.version("onnxruntime")
    except metadata.PackageNotFoundError:  # a build for a graphics card goes by another name
        return ""


def open_fast(key: str) -> FastModel | None:
    """The model kept under `key`; None when there is none that may be used."""
    path = _place(key)
    try:
        told = cache_folder.read_checked(path.with_suffix(".json"))
        if told is None or not json.loads(told)["is_used"]:
            return None
        content = cache_folder.read_checked(path)
        return FastModel(open_session(content)) if content else None
    except Exception as error:  # onnxruntime raises its own classes; a cache is never worth a failure
        log.warning("ONNX model %s is thrown away, torch answers: %s", path.name, error)
        cache_folder.forget(path, path.with_suffix(".json"))
        return None


def export_checked(
    model: TransferModel, key: str, squares: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]
) -> FastModel | None:
    """Export, check on `squares` (uint8 (N, px, px, 3), real pictures), time against torch, keep.

    model: on the CPU; neither changed nor kept. Returns None where torch is to answer.
    """
    try:
        network = graph.whole_network(model.for_size(squares.shape[1]), mean, std, with_features=True)
        outputs = (graph.PROBABILITIES, graph.FEATURES)
        content = graph.graph_of(network, squares.shape[1], outputs).SerializeToString()
        fast = FastModel(open_session(content))
        difference, seconds = _compared(network, fast, squares)
        if not difference <= TOLERANCE:
            raise ValueError(f"answers differ by {difference:.2g}")
        is_used = seconds["onnx"] < seconds["torch"]
        told = {
            "largest_difference": difference,
            "seconds_per_picture": seconds,
            "is_used": is_used,
        }
        path = _place(key)
        cache_folder.write_checked(path, content)
        cache_folder.write_checked(path.with_suffix(".json"), json.dumps(told).encode())
        cache_folder.prune(path.parent, MAX_BYTES)
    except Exception as error:  # the exporter, the runtime, a full disk: torch still answers
        log.warning("No ONNX model, torch answers: %s", " ".join(str(error).split())[:300])
        return None
    return fast if is_used else None


def _place(key: str) -> Path:
    return cache_dir() / "onnx" / f"{key}.onnx"


def num_threads() -> int:
    """As torch counts: OMP_NUM_THREADS, or one per core."""
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(asked) if asked.isdigit() and int(asked) else usable_cores()


def open_session(content: bytes) -> Any:
    """An onnxruntime.InferenceSession on the processor, which leaves the machine to others while it waits."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads()
    # a thread that waits spins, and everything else on the machine waits with it
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _compared(
    network: torch.nn.Module, fast: FastModel, squares: np.ndarray
) -> tuple[float, dict[str, float]]:
    """(largest difference of a probability, median seconds for one picture); both take turns."""
    import torch

    with torch.inference_mode():
        expected = network(torch.from_numpy(squares))[0].numpy()
        difference = float(np.abs(fast.predict_with_features(squares)[0] - expected).max())
        seconds: dict[str, list[float]] = {"torch": [], "onnx": []}
        for _ in range(NUM_TIMED):
            for name, step in (
                ("torch", lambda x: network(torch.from_numpy(x))),
                ("onnx", fast.predict_with_features),
            ):
                start = time.perf_counter()
                step(squares[:1])
                seconds[name].append(time.perf_counter() - start)
    return difference, {name: median(times) for name, times in seconds.items()}
