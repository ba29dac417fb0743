"""All of an export or nothing: what falls short says so in its name, and mistakes leave nothing behind."""

from __future__ import annotations

import dataclasses
import errno
import json
from pathlib import Path

import numpy as np
import pytest

from tl_core.base.errors import (
    ConfigError,
    ExportExists,
    ExportFailed,
    OutputUnwritable,
    PackageMissing,
    RunNotFound,
    StageMissing,
)
from tl_core.base.messages import LANGUAGES, say
from tl_core.cli import main
from tl_core.export import card, formats, workflow
from tl_core.export.formats import onnx_file

TELLING = "model.failed-check.onnx"


def with_format(monkeypatch: pytest.MonkeyPatch, **changes) -> None:
    form = dataclasses.replace(onnx_file.FORMAT, **changes)
    monkeypatch.setattr(formats, "named", lambda name: form)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_card_and_readme_stand_beside_the_file(run, tmp_path):
    made = workflow.export(run, "onnx", tmp_path / "out")
    assert left_in(tmp_path / "out") == ["PICTURE-PATH.md", "README.md", "card.json", "model.onnx"]
    told = json.loads((tmp_path / "out" / "card.json").read_text(encoding="utf-8"))
    check = told["check"]
    assert check["passed"] and check["labels_equal"] == 1 and check["largest_difference"] < 1e-3
    assert check["num"] >= 200 and check["num_held_out"] + check["num_drawn"] == check["num"]
    accuracy = check["accuracy"]
    assert accuracy["split"] == "test" and accuracy["export"] == accuracy["run"]
    summary = run.read_summary()["reported"]["metrics"]
    assert accuracy["run"]["accuracy"] == pytest.approx(summary["accuracy"])
    assert accuracy["run"]["interval"] == pytest.approx(summary["intervals"]["accuracy"])
    assert told["files"]["model.onnx"]["bytes"] == told["bytes"] == made.models[0].stat().st_size
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for language in LANGUAGES:
        assert say("export.passed", language) in readme
        assert all(line in readme for line in card.lines(made.card, language))


def test_one_file_can_be_named(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("stays")
    workflow.export(run, "onnx", tmp_path / "out" / "parts.onnx")
    assert {"parts.onnx", "card.json", "README.md", "mine.txt"} <= {*left_in(tmp_path / "out")}
    with pytest.raises(ExportExists):
        workflow.export(run, "onnx", tmp_path / "out" / "others.onnx")


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (lambda p: p[:, ::-1], "labels_differ"),
        (lambda p: np.abs(p - 0.002), "probabilities_differ"),
        (lambda p: p * np.nan, "not_a_number"),
    ],
    ids=["other labels", "other probabilities", "no numbers"],
)
def test_what_falls_short_says_so_exits_1_and_takes_a_telling_name(
    run, tmp_path, monkeypatch, capsys, spoil, reason
):
    with_format(monkeypatch, answer=lambda folder, used: spoil(onnx_file.answer(folder, used)))
    status = main(["export", str(run.path), "--format", "onnx", "--output", str(tmp_path / "out"), "--json"])
    assert status == 1
    told = json.loads(capsys.readouterr().out)
    assert reason in told["card"]["check"]["reasons"] and not told["card"]["check"]["passed"]
    assert TELLING in left_in(tmp_path / "out") and "model.onnx" not in left_in(tmp_path / "out")
    assert say("export.failed") in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_an_8_bit_export_may_differ_a_little_but_not_be_worse(run, tmp_path, monkeypatch):
    def wrong_on(share):
        def answer(folder, used):
            p = onnx_file.answer(folder, used).copy()
            judged = np.flatnonzero(used.judged)
            flipped = judged[: round(share * len(judged))]
            p[flipped] = p[flipped, ::-1]
            return p

        return answer

    with_format(monkeypatch, answer=wrong_on(0.04), is_exact=False)
    assert workflow.export(run, "onnx", tmp_path / "little").passed
    with_format(monkeypatch, answer=wrong_on(0.5), is_exact=False)
    worse = workflow.export(run, "onnx", tmp_path / "much")
    assert worse.card["check"]["reasons"] == ["accuracy_lower", "labels_mostly_differ"]
    assert worse.card["check"]["accuracy"]["p"] < 0.05


def test_pictures_that_are_gone_are_replaced_by_drawn_ones(run, tmp_path):
    config = json.loads(run.config_path.read_text(encoding="utf-8"))
    run.config_path.write_text(json.dumps({**config, "data": str(tmp_path / "nowhere")}), encoding="utf-8")
    told = workflow.export(run, "onnx", tmp_path / "out").card["check"]
    assert (told["num"], told["num_drawn"], told["accuracy"]) == (200, 200, None)
    assert told["passed"]


def _full(subject, folder, options):
    (folder / "model.onnx").write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def _gives_up(subject, folder, options):
    (folder / "model.onnx").write_bytes(b"half")
    raise RuntimeError("no such operator")


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"make": _full}, OutputUnwritable),
        ({"make": _gives_up}, ExportFailed),
        ({"needs": ("no-such-package",)}, PackageMissing),
    ],
    ids=["full disk", "converter", "package"],
)
def test_what_goes_wrong_is_one_sentence_and_nothing_is_left(
    run, tmp_path, monkeypatch, capsys, changes, expected
):
    with_format(monkeypatch, **changes)
    before = left_in(tmp_path)
    with pytest.raises(expected):
        workflow.export(run, "onnx", tmp_path / "out")
    assert left_in(tmp_path) == before
    assert main(["export", str(run.path), "--format", "onnx", "--output", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()[-1:]) == 1


def test_mistakes_are_told_before_anything_is_made(run, tmp_path):
    with pytest.raises(ConfigError):
        workflow.export(run, "caffe", tmp_path / "out")
    with pytest.raises(RunNotFound):
        workflow.export(tmp_path / "data", "onnx", tmp_path / "out")
    with pytest.raises(StageMissing):
        workflow.export(run, "onnx", tmp_path / "out", stage="finetune")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(ExportExists):
        workflow.export(run, "onnx", tmp_path / "taken")
    assert not (tmp_path / "out").exists() and left_in(tmp_path / "taken") == ["file"]
