"""One tiny run whose answers are far apart, and a copy of it for whoever changes something."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.runs.execution import workflow
from tl_core.runs.run_folder import RunFolder, open_run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("exported")
    data = write_classes(folder / "data", {"dots": 62, "stripes": 63})
    config = preset(
        "casting", weights="formula", library="timm", image_px=32, augment=False, target_per_class=0, views=1,
        precision="fp32", device="cpu", head={"epochs": 3, "learning_rate": 0.05}, finetune={"epochs": 0},
    )  # fmt: skip
    run = workflow.create_run(data, folder / "run", config)
    assert workflow.execute(run) == "finished"
    return run


@pytest.fixture
def run(finished: RunFolder, tmp_path: Path) -> RunFolder:
    return open_run(Path(shutil.copytree(finished.path, tmp_path / "run")))
