"""One tiny run for all who only ask it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.inference.predictor import Predictor
from tl_core.runs.execution import workflow

SETTINGS = {
    "weights": "formula",
    "image_px": 32,
    "augment": False,
    "target_per_class": 0,
    "device": "cpu",
    "head": {"epochs": 3, "learning_rate": 0.05},
    "finetune": {"epochs": 0},
}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("drawn"), {"dots": 24, "stripes": 24})


@pytest.fixture(scope="session")
def predictor(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    config = preset("casting", **SETTINGS)
    folder = workflow.create_run(drawn, tmp_path_factory.mktemp("out") / "run", config)
    assert workflow.execute(folder) == "finished"
    return Predictor.load(folder)
