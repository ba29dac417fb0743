"""Transfer learning without a page: data, models, training, metrics, runs.

`__all__` is what other programs may rely on; README shows each name at work. Everything else may move.
Importing this package is cheap: nothing heavy (torch, timm, OpenCV) is loaded until a name that needs it
is asked for.
"""

import importlib
import os
from typing import Any

from tl_core.base.files.paths import cache_dir

__version__ = "0.2.0"

# GNU's OpenMP reads this once, when torch is loaded: how long a thread spins before it sleeps while it
# waits for the others. With its default, anything else busy on a machine of two cores made a training
# step 5 times slower than with this; on a quiet machine the two take the same time.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Read by libraries when they are imported, and handed on to every process that is started from here.
for _name, _value in {
    "ORT_DISABLE_TELEMETRY": "1",  # else onnxruntime keeps an id of the machine at home and reports usage
    "NO_ALBUMENTATIONS_UPDATE": "1",  # else it asks for its newest version whenever it is imported
    "HF_HUB_DISABLE_TELEMETRY": "1",  # else the hub's client says what it is used for
    "MPLCONFIGDIR": str(cache_dir() / "matplotlib"),  # else its list of fonts goes to the home folder
}.items():
    os.environ.setdefault(_name, _value)

_HOMES = {
    "Predictor": "inference.predictor",
    "predict_files": "inference.predictor",
    "evaluate_folder": "inference.labelled_folder",
    "preset": "base.config",
    "create_run": "runs.execution.workflow",
    "execute": "runs.execution.workflow",
    "open_run": "runs.run_folder",
    "TlError": "base.errors",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
