"""A finished run's model: loaded once, shared by all browsers, never trained or changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from tl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from tl_core.inference.predictor import Predictor


def predictor(run: RunFolder) -> Predictor:
    """Loaded anew when the file has changed. Raises: RunNotReady, RunDamaged."""
    file = run.models / "final.safetensors"
    return _predictor(str(run.path), file.stat().st_mtime_ns if file.is_file() else 0)


@st.cache_resource(max_entries=4, show_spinner=False)
def _predictor(path: str, changed_ns: int) -> Predictor:
    from tl_core.inference.predictor import (
        Predictor,  # torch comes along only where ONNX Runtime cannot answer
    )

    return Predictor.load(Path(path))
