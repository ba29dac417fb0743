"""The report: complete in itself, with the run's own numbers, in both languages."""

from __future__ import annotations

import base64
import csv
import json
import re
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.core.data_drawing import scene
from tests.core.summary_drawing import summary_of
from tl_core.base.config import preset
from tl_core.base.errors import RunDamaged, RunNotReady
from tl_core.base.events import WarningRaised
from tl_core.base.messages import say
from tl_core.cli import main
from tl_core.evaluation import metrics
from tl_core.runs import decision_rule, predictions
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.event_log import EventWriter
from tl_core.runs.report.page import command, config_toml, percent, render
from tl_core.runs.run_folder import RunFolder, create, write_json

CLASSES = ["<b>bad", "좋음"]
WEIGHTS = {"source": "formula", "sha256": "ab" * 32, "why": "asked", "is_pretrained": True}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run on 40 pictures with a camera's notes in them, eight answered wrongly."""
    rng = np.random.default_rng(3)
    data = tmp_path / "my pictures"
    truth = np.repeat([0, 1], 20)
    p = rng.dirichlet([2, 2], 40)
    rows = []
    for index, label in enumerate(truth):
        name = f"{CLASSES[label]}/{index:02}.jpg"
        (data / CLASSES[label]).mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x010F] = "SECRET-CAMERA"
        Image.fromarray(scene(index)).save(data / name, exif=exif)
        said = CLASSES[int(p[index].argmax())]
        rows.append([name, CLASSES[label], said, "test", "head", *p[index]])
    config = preset("casting", weights="formula", seed=7, head={"epochs": 4}, finetune={"epochs": 0})
    recorded = config.to_dict() | {"data": str(data), "weights_used": WEIGHTS, "data_fingerprint": "f" * 64}
    folder = create(
        tmp_path / "run 1",
        recorded
        | {"positive_class": CLASSES[0], "class_to_idx": {name: i for i, name in enumerate(CLASSES)}},
    )
    scores = metrics.evaluate(truth, p, CLASSES, CLASSES[0])
    stages = {stage: {"train": scores, "val": scores, "test": scores} for stage in ("before", "head")}
    write_json(
        folder.summary_path,
        summary_of(
            CLASSES, CLASSES[0], stages=stages, weights=WEIGHTS, created="2026-01-31T12:00:00+00:00",
            reported={"stage": "head", "split": "test", "metrics": scores}, versions={"torch": "9.9"},
            split={"train": 80, "val": 20, "test": 40, "folds": 0},
            decisions={"excluded": 3, "relabelled": 2, "added": 0},
        ),
    )  # fmt: skip
    with folder.predictions_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "truth", "predicted", "split", "stage", *(f"p_{c}" for c in CLASSES)])
        writer.writerows(rows)
    log = {f"{part}_{m}": [0.7, 0.5, 0.4, 0.45] for part in ("train", "val") for m in ("loss", "acc")}
    write_json(folder.training_log_path, {"stage1": log, "stage2": {}})
    with EventWriter(folder.events_path) as events:
        events.write(WarningRaised(code="leak", values={"count": 41}))
    return folder


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_fetches_nothing_and_leads_nowhere(run: RunFolder, language: str):
    page = render(run, language)
    addresses = re.findall(r"(?:src|href|url|action)\s*[=(]\s*[\"']?([^\"'\s>)]+)", page)
    assert addresses and all(address.startswith(("data:image/jpeg;base64,", "#")) for address in addresses)
    assert not re.search(r"https?://|<script|<link|<iframe|@import", page)
    assert page.startswith("<!doctype html>") and f'<html lang="{language}">' in page


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_holds_the_numbers_of_the_summary(run: RunFolder, language: str):
    page, summary = render(run, language), run.read_summary()
    assert summary
    scores = summary["reported"]["metrics"]
    for name in ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "roc_auc"):
        assert percent(scores[name]) in page, name
        low, high = scores["intervals"][name]
        assert f"{100 * low:.1f} – {100 * high:.1f}" in page, name
    for count in np.ravel(scores["confusion_matrix"]):
        assert re.search(rf">{count}<br>", page)
    blind = say(
        "report.blind", language, chance=percent(scores["chance"]), majority=percent(scores["majority"])
    )
    assert blind in page
    assert "ab" * 32 in page and "f" * 64 in page and "torch 9.9" in page
    assert (
        page.count("<svg") == 2 and len(re.findall(r"stroke: #(?:0072b2|d55e00); stroke-width: 2", page)) == 4
    )
    assert "41" in page, "what the run warned of"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_run_that_looks_for_no_class_says_that_its_scores_are_averages(run: RunFolder, language: str):
    summary = json.loads(run.summary_path.read_text(encoding="utf-8")) | {"positive_class": None}
    summary["reported"]["metrics"]["positive_class"] = None
    write_json(run.summary_path, summary)
    page = render(run, language)
    assert say("report.averaged", language, count=len(CLASSES)) in page and "None" not in page


def test_words_are_said_in_the_language_asked_for(run: RunFolder):
    english, korean = render(run, "en"), render(run, "ko")
    assert "held-out pictures were answered correctly" in english
    assert "장을 맞혔습니다" in korean and "held-out" not in korean
    assert "report." not in english and "report." not in korean, "every sentence is known"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_answers_by_the_saved_threshold_and_names_the_other_rule(run: RunFolder, language: str):
    probable = run.read_summary()["reported"]["metrics"]
    rule = DecisionRule(positive_class=CLASSES[0], threshold=0.2)
    decision_rule.save(run, rule)
    scores = decision_rule.scores_by(rule, predictions.read(run), probable)
    assert scores and scores["recall"] > probable["recall"], "else the test says nothing"
    page = render(run, language)
    assert f'<div class="verdict"><b>{percent(scores["accuracy"])}</b>' in page
    assert f"<b>{percent(scores['recall'])}</b>" in page
    assert percent(probable["recall"]) in page and "20.0\u00a0%" in page
    for count in np.ravel(scores["confusion_matrix"]):
        assert re.search(rf">{count}<br>", page)


def test_a_run_of_one_stage_compares_no_stages(run: RunFolder):
    page = render(run, "en")
    assert "the only stage that was trained" in page and "lower validation loss" not in page


def test_names_are_text_and_never_markup(run: RunFolder):
    assert "<b>bad" not in render(run)
    assert "&lt;b&gt;bad" in render(run)


def test_pictures_are_small_and_without_what_the_camera_wrote(run: RunFolder):
    pictures = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", render(run))
    assert len(pictures) >= 8
    for coded in pictures:
        data = base64.b64decode(coded)
        assert b"SECRET-CAMERA" not in data and b"Exif" not in data
        assert max(cv2.imdecode(np.frombuffer(data, np.uint8), 1).shape) <= 160


def test_a_report_is_made_without_the_pictures_too(run: RunFolder, tmp_path: Path):
    (tmp_path / "my pictures").rename(tmp_path / "gone")
    assert "<img" not in render(run) and "<figcaption>" in render(run)


def test_what_makes_the_run_again_is_exact(run: RunFolder):
    settings = tomllib.loads(config_toml(run))
    config = preset(settings.pop("preset"), **settings)
    recorded = run.read_config()
    assert config.to_dict() == {name: recorded[name] for name in config.to_dict()}
    assert (
        command(run) == "python -m tl_core train 'my pictures' --output 'run 1'-again --config settings.toml"
    )


def test_an_unfinished_run_has_no_report_and_a_damaged_one_is_named(run: RunFolder, tmp_path: Path):
    with pytest.raises(RunNotReady):
        render(create(tmp_path / "fresh", {}))
    summary = json.loads(run.summary_path.read_text(encoding="utf-8"))
    del summary["stages"]
    write_json(run.summary_path, summary)
    with pytest.raises(RunDamaged):
        render(run)


def test_the_command_writes_one_file(run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "새 폴더" / "보고서.html"
    assert main(["report", str(run.path), "--output", str(path), "--language", "ko", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(path)
    assert path.read_text(encoding="utf-8") == render(run, "ko")
    assert main(["report", str(tmp_path / "none")]) == 2
