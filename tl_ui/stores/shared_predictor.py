"""A finished run's model: loaded once, shared by all browsers, never trained or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_core.runs.run_folder import RunFolder
from tl_ui.stores.memo import cached_resource

if TYPE_CHECKING:
    from tl_core.inference.predictor import Predictor


@cached_resource(max_entries=4)
def predictor(run: RunFolder) -> Predictor:
    """Loaded anew when the file has changed. Raises: RunNotReady, RunDamaged."""
    from tl_core.inference.predictor import (
        Predictor,  # torch comes along only where ONNX Runtime cannot answer
    )

    return Predictor.load(run.path)
