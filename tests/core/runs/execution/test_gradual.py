"""A run of three stages, the head, its last blocks, all: as whole, as readable and as easily stopped."""

from __future__ import annotations

import json

import pytest

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.base.events import EpochEnd, ModelReady, PlanMade, StageStarted
from tl_core.inference import stage_models
from tl_core.runs.execution import workflow
from tl_core.runs.report import page, run_facts
from tl_core.runs.run_folder import EventLog, read_table

STAGES = ["head", "finetune", "whole"]
FAST = {
    "weights": "random", "image_px": 32, "target_per_class": 0, "views": 1, "batch_size": 16, "device": "cpu",
    "head": {"epochs": 1}, "finetune": {"epochs": 1}, "whole": {"epochs": 2},
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("data") / "pictures", {"dots": 64, "stripes": 66})


@pytest.fixture(scope="module")
def finished(pictures, tmp_path_factory):
    folder = workflow.create_run(pictures, tmp_path_factory.mktemp("out") / "run", preset("gradual", **FAST))
    assert workflow.execute(folder) == "finished"
    return folder


def test_each_stage_is_told_planned_and_ends_in_a_model(finished):
    events = EventLog(finished.events_path).read()
    assert [e.stage for e in events if isinstance(e, StageStarted)] == STAGES
    assert [e.stage for e in events if isinstance(e, ModelReady)] == STAGES
    planned = next(e for e in events if isinstance(e, PlanMade)).steps
    assert [step["name"] for step in planned if step["name"] in STAGES] == STAGES
    started = [e for e in events if isinstance(e, StageStarted)]
    assert started[0].trainable_parts == ["classifier"]
    assert started[2].frozen_parts == [] and started[2].num_trainable == started[2].num_parameters
    assert len(started[1].trainable_parts) < len(started[2].trainable_parts)


def test_files_summary_and_table_hold_all_three(finished):
    for name in ("models/stage3_best.safetensors", "models/final.safetensors", "plots/curves.png"):
        assert (finished.path / name).stat().st_size > 0, name
    assert {name: len(log["lr"]) for name, log in finished.read_training_log().items()} == {
        "stage1": 1, "stage2": 1, "stage3": 2,
    }  # fmt: skip
    summary = finished.read_summary()
    assert list(summary["stages"]) == ["before", *STAGES] and list(summary["best"]) == STAGES
    assert {row["stage"] for row in read_table(finished.predictions_path)} == {"before", *STAGES}
    text = (finished.metrics / "summary.txt").read_text(encoding="utf-8")
    assert "\nwhole " in text


def test_report_facts_and_stage_models_speak_of_the_third(finished):
    assert "Stage 3: whole network" in page.render(finished, "en")
    assert "3단계: 네트워크 전체" in page.render(finished, "ko")
    assert [stage.name for stage in run_facts.read_facts(finished).stages] == STAGES
    assert stage_models.available(finished) == ["before", *STAGES]
    assert stage_models.load(finished, "whole").stage == "whole"


@pytest.mark.parametrize("stop_after", [2, 3])
def test_a_stop_before_or_in_the_third_stage_changes_nothing(finished, pictures, tmp_path, stop_after):
    folder = workflow.create_run(pictures, tmp_path / "run", preset("gradual", **FAST))
    seen: list[EpochEnd] = []

    def listen(event):
        if isinstance(event, EpochEnd):
            seen.append(event)

    stop = lambda: len(seen) == stop_after  # noqa: E731
    assert workflow.execute(folder, should_stop=stop, on_event=listen) == "stopped"
    assert workflow.execute(folder, on_event=listen) == "finished"
    assert [(e.stage, e.epoch) for e in seen] == [("head", 1), ("finetune", 1), ("whole", 1), ("whole", 2)]
    for name in ("stage1_best", "stage2_best", "stage3_best", "final"):
        ours, theirs = ((f.models / f"{name}.safetensors").read_bytes() for f in (folder, finished))
        assert ours == theirs, name


def test_a_stage_that_nobody_knows_is_a_damaged_summary(finished, tmp_path):
    from tl_core.base.errors import RunDamaged
    from tl_core.runs.run_folder import RunFolder

    summary = json.loads(finished.summary_path.read_text(encoding="utf-8"))
    (tmp_path / "metrics").mkdir()
    summary["final_stage"] = "fourth"
    (tmp_path / "metrics" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    with pytest.raises(RunDamaged, match="fourth"):
        RunFolder(tmp_path).read_summary()
