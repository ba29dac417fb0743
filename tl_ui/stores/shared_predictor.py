"""A finished run's model: loaded once, shared by all browsers, never trained or changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tl_core.runs.run_folder import RunFolder
from tl_ui.stores.memo import cached_resource

if TYPE_CHECKING:
    from tl_core.inference.ensemble import Ensemble
    from tl_core.inference.predictor import Predictor

    Model = Predictor | Ensemble


def model_of(runs: Sequence[RunFolder]) -> Model:
    """One run's, or several as one. Raises: RunNotReady, RunDamaged, NotComparable."""
    from tl_core.inference.ensemble import Ensemble

    members = [predictor(run) for run in runs]
    return Ensemble.of(members) if len(members) > 1 else members[0]


@cached_resource(max_entries=4)
def predictor(run: RunFolder) -> Predictor:
    """Loaded anew when the file has changed. Raises: RunNotReady, RunDamaged."""
    from tl_core.inference.predictor import (
        Predictor,  # torch comes along only where ONNX Runtime cannot answer
    )

    return Predictor.load(run.path)
