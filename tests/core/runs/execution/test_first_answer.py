"""The recipe for a person's own pictures: an answer as soon as the head stands, kept through a stop."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.base.errors import NothingToResume, RunNotReady
from tl_core.base.events import EpochEnd, ModelReady, Progress, RunStarted, StageStarted
from tl_core.inference.predictor import Predictor, predict_files
from tl_core.models.files import checkpoint_files
from tl_core.runs.execution import workflow
from tl_core.runs.run_folder import read_table

FAST = {
    "weights": "random",
    "image_px": 32,
    "views": 1,
    "batch_size": 16,
    "precision": "fp32",
    "device": "cpu",
}
FAST |= {"finetune": {"epochs": 2}}


def settings(**changes):
    return preset("standard", **{**FAST, **changes})


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return write_classes(tmp_path_factory.mktemp("data") / "mine", {"dots": 20, "stripes": 22})


@pytest.fixture(scope="module")
def stopped(pictures, tmp_path_factory):
    """A run stopped in the first epoch of fine-tuning, and what it had said until then."""
    folder = workflow.create_run(pictures, tmp_path_factory.mktemp("out") / "run", settings())
    events = []
    is_over = lambda: any(isinstance(e, StageStarted) and e.stage == "finetune" for e in events)  # noqa: E731
    assert workflow.execute(folder, should_stop=is_over, on_event=events.append) == "stopped"
    return folder, events


def test_no_class_is_sought_and_the_averages_stand_for_both(stopped):
    summary = stopped[0].read_summary()
    assert stopped[0].read_config()["positive_class"] is None is summary["positive_class"]
    assert summary["loss_weights"] == {"dots": 1.0, "stripes": 1.0}
    scores = summary["reported"]["metrics"]
    recalls = [one["recall"] for one in scores["per_class"].values()]
    assert scores["recall"] == pytest.approx(np.mean(recalls)) == pytest.approx(scores["balanced_accuracy"])


def test_the_first_answer_can_be_asked_before_fine_tuning_has_begun(stopped, pictures):
    folder, events = stopped
    kinds = [(e.kind, e.stage) for e in events]
    assert kinds.index(("model_ready", "head")) < kinds.index(("stage_started", "finetune"))
    ready = next(e for e in events if isinstance(e, ModelReady))
    assert ready.best_stage == "head" and ready.seconds > 0
    predictor = Predictor.load(folder)
    rows = [row for row in read_table(folder.predictions_path) if row["split"] in ("train", "val")]
    known = {row["file"]: row for row in rows if row["stage"] == "head"}
    answers = list(predict_files(predictor, [pictures / name for name in list(known)[:5]]))
    for answer in answers:
        name = f"{Path(answer['file']).parent.name}/{Path(answer['file']).name}"
        assert answer["probabilities"]["dots"] == pytest.approx(float(known[name]["p_dots"]), abs=1e-4)


def test_a_stop_leaves_a_whole_folder_that_says_it_is_not_complete(stopped):
    folder, _ = stopped
    summary = folder.read_summary()
    assert (summary["final_stage"], summary["is_complete"]) == ("head", False)
    assert "The best model so far" in (folder.metrics / "summary.txt").read_text(encoding="utf-8")
    assert (folder.plots / "curves.png").stat().st_size > 0
    assert (folder.models / "stage1_best.safetensors").is_file()


def test_the_interval_of_few_pictures_comes_from_heads_that_never_saw_them(stopped):
    folder, events = stopped
    summary = folder.read_summary()
    assert (summary["reported"]["split"], summary["reported"]["stage"]) == ("cross_validation", "head")
    assert summary["cross_validated"] == "head" and summary["reported"]["metrics"]["num"] == 42
    assert any(isinstance(e, Progress) and e.phase == "checking_head" for e in events)
    crossed = [r for r in read_table(folder.predictions_path) if r["split"] == "cross_validation"]
    assert {row["stage"] for row in crossed} == {"before", "head", "final"}


def test_a_solved_head_leaves_the_backbone_bit_identical(stopped):
    folder, _ = stopped
    from tl_core.inference import stage_models

    before = stage_models.load(folder, "before").model.state_dict()
    head = checkpoint_files.load_weights(folder.models / "stage1_best.safetensors")
    for key, tensor in head.items():
        is_same = bool((tensor == before[key]).all())
        assert is_same == ("classifier" not in key), key


def test_a_resume_ends_in_the_same_weights_and_solves_nothing_again(stopped, pictures, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(stopped[0].path, folder)
    from tl_core.runs.run_folder import open_run

    run, events = open_run(folder), []
    assert workflow.execute(run, on_event=events.append) == "finished"
    assert next(e for e in events if isinstance(e, RunStarted)).resumed_stage == "head"
    assert not any(isinstance(e, EpochEnd) and e.stage == "head" for e in events)
    assert not any(isinstance(e, Progress) and e.phase in ("solving", "checking_head") for e in events)
    whole = workflow.create_run(pictures, tmp_path / "whole", settings())
    workflow.execute(whole)
    ours, theirs = (f.read_summary() for f in (run, whole))
    assert ours["is_complete"] is True
    assert (run.models / "final.safetensors").read_bytes() == (
        whole.models / "final.safetensors"
    ).read_bytes()
    assert ours["reported"] == theirs["reported"] and ours["stages"] == theirs["stages"]


def test_a_stop_in_a_trained_head_leaves_its_best_epoch(pictures, tmp_path):
    folder = workflow.create_run(pictures, tmp_path / "run", settings(head_solver="adam", head={"epochs": 4}))
    seen = []
    workflow.execute(
        folder, on_event=seen.append, should_stop=lambda: sum(isinstance(e, EpochEnd) for e in seen) == 2
    )
    summary = folder.read_summary()
    assert (summary["final_stage"], summary["is_complete"]) == ("head", False)
    final = checkpoint_files.load_weights(folder.models / "final.safetensors")
    best = checkpoint_files.load_weights(folder.models / "stage1_best.safetensors")
    assert all((final[key] == best[key]).all() for key in best)


def test_unequal_classes_are_weighed_and_it_is_said(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 12, "stripes": 30})
    folder = workflow.create_run(data, tmp_path / "run", settings(finetune={"epochs": 0}))
    events = []
    workflow.execute(folder, on_event=events.append)
    said = [e for e in events if e.kind == "warning" and e.code == "class_balance"]
    weights = folder.read_summary()["loss_weights"]
    assert [e.values["name"] for e in said] == ["dots"] and said[0].values["times"] == round(
        weights["dots"], 1
    )
    assert weights["dots"] > 2 and weights["stripes"] == 1


def test_a_run_of_own_pictures_is_called_after_them(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_RUNS", str(tmp_path))
    assert workflow.create_run(pictures, None, settings()).name.endswith("-mine")


def test_the_whole_recipe_is_cross_validated_on_request_and_nothing_else_is_done_again(pictures, tmp_path):
    run = workflow.create_run(pictures, tmp_path / "run", settings())
    with pytest.raises(RunNotReady):
        workflow.ask_cross_validation(run)
    workflow.execute(run)
    run.write_status(state="finished")
    final, events = (run.models / "final.safetensors").read_bytes(), []
    workflow.ask_cross_validation(run)
    assert run.read_status()["state"] == "stopped"
    assert workflow.execute(run, on_event=events.append) == "finished"
    summary = run.read_summary()
    assert (summary["cross_validated"], summary["is_complete"]) == ("recipe", True)
    assert set(summary["cross_validation"]) == {"before", "head", "finetune", "final"}
    assert not any(isinstance(e, EpochEnd | StageStarted) for e in events), "no stage of the run itself"
    assert (run.models / "final.safetensors").read_bytes() == final
    with pytest.raises(NothingToResume):
        workflow.ask_cross_validation(run)
