"""A whole run leaves a whole folder, agrees with itself, and survives being stopped anywhere."""

from __future__ import annotations

import csv
import json
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.core.drawn import write_classes
from tl_core.base.config import RunConfig, preset
from tl_core.base.errors import (
    ConfigError,
    OneClass,
    RunDamaged,
    RunExists,
    RunNotReady,
    TooFewGroups,
    TooFewPictures,
    UnknownClass,
)
from tl_core.base.events import EpochEnd, Evaluated, RunEnded, RunStarted, WarningRaised
from tl_core.data import curation
from tl_core.data.pixels import decode
from tl_core.inference.labelled_folder import evaluate_folder
from tl_core.inference.predictor import Predictor, predict_files
from tl_core.runs.execution import preparing, work, workflow
from tl_core.runs.report import comparison
from tl_core.runs.run_folder import EventLog, read_table

FAST = {
    "weights": "random",
    "image_px": 32,
    "target_per_class": 20,
    "views": 1,
    "batch_size": 16,
    "precision": "auto",
    "device": "cpu",
    "head": {"epochs": 2},
    "finetune": {"epochs": 2},
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("data") / "사진 모음", {"dots": 64, "stripes": 66})


@pytest.fixture(scope="module")
def finished(pictures: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = workflow.create_run(pictures, tmp_path_factory.mktemp("out") / "run", preset("casting", **FAST))
    events = []
    assert workflow.execute(folder, on_event=events.append) == "finished"
    return folder, events


def test_a_run_folder_holds_every_file_that_was_promised(finished):
    folder, _ = finished
    promised = """config.json logs/events.jsonl logs/training_log.json
        models/stage1_best.safetensors models/stage2_best.safetensors models/final.safetensors models/last.pt
        metrics/summary.json metrics/summary.txt metrics/predictions.csv metrics/pictures.csv
        plots/curves.png plots/confusion_matrix.png plots/probability_histogram.png"""
    for name in promised.split():
        assert (folder.path / name).stat().st_size > 0, name
    assert not list(folder.path.rglob("*.tmp"))


def test_whoever_listens_is_told_what_is_written_with_the_name_of_the_run(finished):
    folder, events = finished
    written = EventLog(folder.events_path).read()
    assert [(e.kind, e.run, e.time) for e in events] == [(e.kind, e.run, e.time) for e in written]
    assert {event.run for event in events} == {folder.name}


def test_config_names_the_weights_the_data_and_the_versions(finished, probed):
    folder, _ = finished
    config = folder.read_config()
    assert config["weights_used"]["source"] == "random" and config["weights_used"]["is_pretrained"] is False
    assert len(config["data_fingerprint"]) == 64
    assert config["class_to_idx"] == {"dots": 0, "stripes": 1}
    assert config["positive_class"] == "dots"
    assert config["versions"]["torch"]
    used = config["device_used"]
    layers = {"fp32": "library", "bf16": "split"}[probed]
    assert used == {
        "device": "cpu", "frozen_precision": probed, "tail_precision": probed, "depthwise": layers,
    }  # fmt: skip


def test_summary_holds_three_stages_by_three_splits_and_says_where_the_number_comes_from(finished):
    folder, _ = finished
    summary = folder.read_summary()
    assert {s: set(parts) for s, parts in summary["stages"].items()} == {
        s: {"train", "val", "test"} for s in ("before", "head", "finetune")
    }
    assert summary["reported"]["split"] == "test"
    assert summary["reported"]["metrics"] == summary["stages"][summary["final_stage"]]["test"]
    assert summary["reported"]["metrics"]["intervals"]["accuracy"]


def test_training_from_random_weights_is_never_called_transfer_learning(finished):
    folder, events = finished
    assert any(isinstance(e, WarningRaised) and e.code == "from_scratch" for e in events)
    assert "not transfer learning" in (folder.metrics / "summary.txt").read_text(encoding="utf-8")


def test_predictions_file_recomputes_the_summary(finished):
    folder, _ = finished
    with folder.predictions_path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "truth", "predicted", "split", "stage", "p_dots", "p_stripes"]
    chosen = [r for r in rows if r["stage"] == "head" and r["split"] == "test"]
    accuracy = np.mean([r["truth"] == r["predicted"] for r in chosen])
    assert accuracy == pytest.approx(folder.read_summary()["stages"]["head"]["test"]["accuracy"])


def test_predict_and_evaluate_agree_with_the_run_on_the_same_files(finished, pictures):
    folder, _ = finished
    predictor = Predictor.load(folder)
    with folder.predictions_path.open(encoding="utf-8", newline="") as file:
        final = folder.read_summary()["final_stage"]
        known = {r["file"]: float(r["p_dots"]) for r in csv.DictReader(file) if r["stage"] == final}
    answers = list(predict_files(predictor, [pictures / name for name in known]))
    found = [answer["probabilities"]["dots"] for answer in answers]
    np.testing.assert_allclose(found, list(known.values()), atol=1e-4)
    scores = evaluate_folder(predictor, pictures)
    right = [(a["label"] == Path(a["file"]).parent.name) for a in answers]
    assert scores["accuracy"] == pytest.approx(np.mean(right))


def test_one_bad_picture_never_stops_the_others(finished, pictures, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    good = min((pictures / "dots").iterdir())
    answers = list(
        predict_files(Predictor.load(finished[0]), [tmp_path / "bad.jpg", good, tmp_path / "none.png"])
    )
    assert ["error" in answer for answer in answers] == [True, False, True]
    assert sum(answers[1]["probabilities"].values()) == pytest.approx(1)


def test_evaluating_on_a_class_the_run_does_not_know_names_it(finished, tmp_path):
    write_classes(tmp_path, {"dots": 2, "rings": 2})
    with pytest.raises(UnknownClass, match="rings"):
        evaluate_folder(Predictor.load(finished[0]), tmp_path)


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_run_stopped_after_any_epoch_resumes_to_the_same_final_weights(
    finished, pictures, tmp_path, stop_after
):
    folder = workflow.create_run(pictures, tmp_path / "run", preset("casting", **FAST))
    seen: list[EpochEnd] = []

    def listen(event):
        if isinstance(event, EpochEnd):
            seen.append(event)

    state = workflow.execute(folder, should_stop=lambda: len(seen) == stop_after, on_event=listen)
    assert state == "stopped"
    started: list[RunStarted] = []
    again = lambda event: started.append(event) if isinstance(event, RunStarted) else listen(event)  # noqa: E731
    assert workflow.execute(folder, on_event=again) == "finished"
    assert (started[0].resumed_stage, started[0].resumed_epoch) == (
        seen[stop_after - 1].stage,
        seen[stop_after - 1].epoch,
    )
    assert [(e.stage, e.epoch) for e in seen] == [("head", 1), ("head", 2), ("finetune", 1), ("finetune", 2)]
    # the whole file, so that a checksum tells equal runs
    ours, theirs = ((f.models / "final.safetensors").read_bytes() for f in (folder, finished[0]))
    assert ours == theirs


def test_a_damaged_checkpoint_is_named_and_not_trusted(pictures, tmp_path):
    folder = workflow.create_run(pictures, tmp_path / "run", preset("casting", **FAST))
    seen = []
    workflow.execute(
        folder, should_stop=lambda: any(isinstance(e, EpochEnd) for e in seen), on_event=seen.append
    )
    folder.last_checkpoint.write_bytes(folder.last_checkpoint.read_bytes()[:1000])
    with pytest.raises(RunDamaged, match="last.pt"):
        workflow.execute(folder)


def test_pictures_that_changed_since_the_run_began_stop_a_resume(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 64, "stripes": 64})
    folder = workflow.create_run(data, tmp_path / "run", preset("casting", **FAST))
    seen = []
    workflow.execute(
        folder, should_stop=lambda: any(isinstance(e, EpochEnd) for e in seen), on_event=seen.append
    )
    (data / "dots" / "000.png").unlink()
    with pytest.raises(ConfigError, match="the pictures the run began with"):
        workflow.execute(folder)


@pytest.mark.parametrize("layout", ["{name}", "train/{name}"])
def test_a_class_of_three_pictures_is_refused_before_a_run_is_made(tmp_path, layout):
    write_classes(tmp_path / "drawn", {"dots": 9, "stripes": 3})
    for name in ("dots", "stripes"):
        into = tmp_path / "data" / layout.format(name=name)
        into.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "drawn" / name).rename(into)
    with pytest.raises(TooFewPictures) as caught:
        workflow.create_run(tmp_path / "data", tmp_path / "run", preset("expression", **FAST))
    assert caught.value.values == {"name": "stripes", "count": 3, "need": 4}
    assert not (tmp_path / "run").exists()


def test_too_few_pictures_for_a_test_part_are_cross_validated(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 9, "stripes": 9, "rings": 8})
    config = preset(
        "expression", **{**FAST, "head": {"epochs": 1}, "finetune": {"epochs": 0}, "target_per_class": 0}
    )
    folder = workflow.create_run(data, tmp_path / "run", config)
    events = []
    assert workflow.execute(folder, on_event=events.append) == "finished"
    summary = folder.read_summary()
    assert summary["reported"]["split"] == "cross_validation"
    assert summary["reported"]["metrics"]["num"] == 26
    assert set(summary["cross_validation"]) == {"before", "head", "final"}
    assert not any(isinstance(e, Evaluated) and e.split == "test" for e in events)
    assert isinstance(events[-1], RunEnded)


def test_cross_validation_goes_on_with_the_next_fold_after_a_stop(tmp_path):
    settings = {**FAST, "head": {"epochs": 1}, "finetune": {"epochs": 0}, "target_per_class": 0}
    data = write_classes(tmp_path / "data", {"dots": 9, "stripes": 9})
    whole, broken = (
        workflow.create_run(data, tmp_path / name, preset("expression", **settings))
        for name in ("whole", "broken")
    )
    workflow.execute(whole)
    first, second = [], []

    def into(seen):
        return lambda event: (
            seen.append(event.done) if getattr(event, "phase", "") == "cross_validating" else None
        )

    # told of the second fold's epoch, the first is home, however often progress was told before
    stop = lambda: bool(first) and max(first) - min(first) > 1  # noqa: E731
    assert workflow.execute(broken, on_event=into(first), should_stop=stop) == "stopped"
    assert workflow.execute(broken, on_event=into(second)) == "finished"
    assert min(second) > min(first), "what is home is not done again"
    assert broken.read_summary()["cross_validation"] == whole.read_summary()["cross_validation"]
    assert not (broken.models / work.FOLDS).exists()


def test_a_correction_is_in_no_fold_and_so_no_held_out_answer_of_it_is_told(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 9, "stripes": 9})
    correction = data / curation.CORRECTIONS / "stripes" / "mine.png"
    correction.parent.mkdir(parents=True)
    write_classes(tmp_path / "more", {"stripes": 1}, seed=5)
    shutil.copy(min((tmp_path / "more" / "stripes").iterdir()), correction)
    config = preset(
        "expression", **{**FAST, "head": {"epochs": 1}, "finetune": {"epochs": 0}, "target_per_class": 0}
    )
    folder = workflow.create_run(data, tmp_path / "run", config)
    workflow.execute(folder)
    rows = read_table(folder.predictions_path)
    crossed = [row for row in rows if (row["split"], row["stage"]) == ("cross_validation", "final")]
    assert len(crossed) == folder.read_summary()["reported"]["metrics"]["num"] == 18
    assert any("mine" in row["file"] for row in rows)


def test_a_class_renamed_while_the_run_waited_is_refused_before_anything_is_learnt(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 62, "stripes": 62})
    folder = workflow.create_run(data, tmp_path / "run", preset("casting", **FAST))
    (data / "dots").rename(data / "zebras")  # dots was 0, now stripes would be
    with pytest.raises(ConfigError) as caught:
        workflow.execute(folder)
    assert caught.value.values["name"] == "data"


def test_a_stop_ends_the_reading_too(tmp_path, monkeypatch):
    data = write_classes(tmp_path / "data", {"dots": 62, "stripes": 62})
    folder = workflow.create_run(data, tmp_path / "run", preset("casting", **FAST))
    read, read_square, is_asked = [], decode.read_square, threading.Event()

    def slowly(path, *rest, **options):
        read.append(path)
        is_asked.wait(60)
        time.sleep(0.05)
        return read_square(path, *rest, **options)

    monkeypatch.setattr(decode, "read_square", slowly)
    assert workflow.execute(folder, should_stop=lambda: is_asked.set() or True) == "stopped"
    assert len(read) < 124


def test_bad_pictures_are_listed_with_their_reason_and_left_out(tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 62, "stripes": 62})
    (data / "dots" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    (data / "dots" / "empty.png").write_bytes(b"")
    folder = workflow.create_run(
        data, tmp_path / "run", preset("casting", **{**FAST, "finetune": {"epochs": 0}})
    )
    events = []
    workflow.execute(folder, on_event=events.append)
    refused = {item["name"]: item["reason"] for item in folder.read_summary()["refused"]}
    assert refused["dots/empty.png"] == "empty_file" and "dots/broken.jpg" in refused
    assert any(
        isinstance(e, WarningRaised) and e.code == "refused" and e.values == {"count": 2} for e in events
    )


def test_one_class_one_picture_and_a_full_folder_are_refused_with_the_mend(tmp_path):
    write_classes(tmp_path / "one", {"dots": 5})
    with pytest.raises(OneClass):
        workflow.create_run(tmp_path / "one", tmp_path / "r1", preset("casting", **FAST))
    write_classes(tmp_path / "few", {"dots": 4, "stripes": 30})
    first, *copies = sorted((tmp_path / "few" / "dots").iterdir())
    for copy in copies:
        copy.write_bytes(first.read_bytes())  # four files, one picture: seen only when they are opened
    folder = workflow.create_run(tmp_path / "few", tmp_path / "r2", preset("casting", **FAST))
    with pytest.raises(TooFewGroups, match="dots"):
        workflow.execute(folder)
    with pytest.raises(RunNotReady):
        Predictor.load(folder)
    with pytest.raises(RunExists):
        workflow.create_run(tmp_path / "few", tmp_path / "r2", preset("casting", **FAST))
    with pytest.raises(ConfigError, match="rings"):
        workflow.create_run(tmp_path / "few", tmp_path / "r3", preset("casting", positive_class="rings"))


def test_summary_is_plain_json(finished):
    json.loads(
        finished[0].summary_path.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(name)
    )


def test_a_run_follows_the_decisions_that_were_in_force_when_it_was_made(pictures: Path, tmp_path: Path):
    data = tmp_path / "data"
    shutil.copytree(pictures, data)
    config = preset("expression", **FAST | {"finetune": {"epochs": 0}})
    plain = workflow.create_run(data, tmp_path / "plain", config)
    workflow.execute(plain)
    tested = [row["file"] for row in rows_of(plain) if row["split"] == "test" and row["stage"] == "head"]
    curation.decide(data, tested[0], "exclude")
    curation.decide(data, tested[1], "relabel", "stripes" if tested[1].startswith("dots") else "dots")
    mended = workflow.create_run(data, tmp_path / "mended", config)
    curation.decide(data, tested[2], "exclude")  # too late for this run
    events = []
    workflow.execute(mended, on_event=events.append)
    counts = {"excluded": 1, "relabelled": 1, "added": 0}
    assert [e.values for e in events if isinstance(e, WarningRaised) and e.code == "decisions"] == [counts]
    assert mended.read_summary()["decisions"] == mended.read_config()["decisions"] == counts
    rows = {r["file"]: r for r in rows_of(mended) if r["split"] == "test" and r["stage"] == "head"}
    assert set(rows) == set(tested) - {tested[0]}
    assert rows[tested[1]]["truth"] != tested[1].split("/")[0]
    first, second = plain.read_config(), mended.read_config()
    assert first["pictures_fingerprint"] == second["pictures_fingerprint"] == first["data_fingerprint"]
    assert second["data_fingerprint"] != first["data_fingerprint"]
    paired = comparison.pair(plain, mended)
    assert (paired.num, paired.num_mended) == (len(tested) - 1, 1)


def test_decisions_can_be_ignored(pictures: Path, tmp_path: Path):
    data = tmp_path / "data"
    shutil.copytree(pictures, data)
    curation.decide(data, "dots/000.png", "exclude")
    config = preset("expression", **FAST | {"finetune": {"epochs": 0}, "use_decisions": False})
    run = workflow.create_run(data, tmp_path / "run", config)
    workflow.execute(run)
    assert run.read_summary()["decisions"] == {"excluded": 0, "relabelled": 0, "added": 0}
    assert any(row["file"] == "dots/000.png" for row in rows_of(run))


def rows_of(run) -> list[dict[str, str]]:
    with run.predictions_path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("asked", "taken"), [("auto", "fp32"), ("fp32", "fp32"), ("bf16", "bf16")])
def test_deterministic_fixes_how_to_compute_without_a_measurement(monkeypatch, asked, taken):
    monkeypatch.setattr(preparing.device, "cpu_probe", lambda: pytest.fail("measured"))
    used = preparing.choose_device(RunConfig(device="cpu", deterministic=True, precision=asked), {})
    assert used == {
        "device": "cpu",
        "frozen_precision": taken,
        "tail_precision": taken,
        "depthwise": "library",
    }
