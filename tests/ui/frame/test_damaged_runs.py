"""A damaged file of one run never breaks a page: it is said, and the other runs are there."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from tests.mutated import mutate
from tests.ui.explorable_run import explorable_run
from tests.ui.open_page import app_of
from tests.ui.run_folder_builder import finished_run
from tl_core.runs import decision_rule
from tl_ui.frame.steps import PAGES
from tl_ui.screens.explore.view import VIEW

NUM_FILES = int(os.environ.get("HEADSWAP_SOAK_PAGES", "12"))
"""`make soak` asks for more."""
VIEWS = ("race", "pictures", "threshold", "calibration")
DECISION = {"positive_class": "good", "threshold": 0.31, "temperature": 1.4, "sure_from": 0.8}


def test_no_page_breaks_over_a_damaged_file(own_runs_folder: Path, tmp_path: Path):
    sound = explorable_run(tmp_path / "sound", tmp_path / "pictures")
    (sound.path / decision_rule.FILE).write_text(json.dumps(DECISION), encoding="utf-8")
    explorable_run(own_runs_folder / "other", tmp_path / "others")
    files = [
        path.relative_to(sound.path)
        for path in sorted(sound.path.rglob("*"))
        if path.suffix in (".json", ".csv", ".jsonl")
    ]
    bad = []
    for seed in range(NUM_FILES):
        rng = random.Random(seed)
        run = own_runs_folder / "damaged"
        shutil.copytree(sound.path, run)
        how = mutate(run / rng.choice(files), rng)
        for name in ("results", "explore", *rng.sample(list(PAGES), 2)):
            app = app_of(name, run="damaged", **{VIEW: rng.choice(VIEWS)})
            app.run()
            bad += [f"{seed}: {how}: {name}: {one.value}"[:200] for one in app.exception]
        shutil.rmtree(run)
    assert bad == []


@pytest.mark.parametrize("state", ["finished", "stopped"])
def test_train_says_that_a_summary_is_damaged(own_runs_folder: Path, state: str):
    run = finished_run(own_runs_folder / "damaged")
    run.write_status(state=state)
    content = json.loads(run.summary_path.read_text(encoding="utf-8"))
    content["stages"]["finetune"]["val"]["per_class"] = 40
    run.summary_path.write_text(json.dumps(content), encoding="utf-8")
    app = app_of("train", run="damaged")
    app.run()
    assert not app.exception
    assert any("per_class" in one.value for one in app.error)
