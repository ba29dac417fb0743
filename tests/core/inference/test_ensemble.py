"""Several runs that answer as one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.core.conftest import SETTINGS
from tests.core.drawn import write_classes
from tl_core.base.config import preset
from tl_core.base.errors import NotComparable
from tl_core.cli import main
from tl_core.inference.ensemble import Ensemble
from tl_core.inference.predictor import Predictor, predict_files
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.execution import workflow


@pytest.fixture(scope="module")
def other(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Of the same classes, but another size."""
    config = preset("casting", **{**SETTINGS, "image_px": 48, "seed": 7})
    run = workflow.create_run(drawn, tmp_path_factory.mktemp("other") / "other", config)
    assert workflow.execute(run) == "finished"
    return Predictor.load(run)


def chances(answers: list[dict]) -> np.ndarray:
    return np.array([list(answer["probabilities"].values()) for answer in answers])


def test_its_answers_are_the_mean_of_the_members_own(predictor, other, drawn):
    files = sorted(drawn.rglob("*.png"))[::5]
    ours, theirs = (chances(list(predict_files(one, files))) for one in (predictor, other))
    assert np.abs(ours - theirs).max() > 0.01, "two that say the same prove nothing"
    found = list(predict_files(Ensemble.of([predictor, other]), files))
    np.testing.assert_allclose(chances(found), (ours + theirs) / 2, atol=1e-6)
    labels = [predictor.classes[place] for place in ((ours + theirs) / 2).argmax(axis=1)]
    assert [answer["label"] for answer in found] == labels


def test_each_member_keeps_its_temperature_and_nobodys_threshold_holds(predictor, other, drawn):
    file = next(drawn.rglob("*.png"))
    before = chances(list(predict_files(other, [file])))
    decided = DecisionRule(positive_class=other.classes[0], threshold=0.999999, temperature=3.0)
    decision_rule.save(other.run, decided)
    try:
        (told,) = predict_files(other, [file])
        assert not np.allclose(chances([told]), before)
        (found,) = predict_files(Ensemble.of([predictor, other]), [file])
        (alone,) = predict_files(predictor, [file])
    finally:
        (other.run.path / decision_rule.FILE).unlink()
    np.testing.assert_allclose(chances([found]), (chances([alone]) + chances([told])) / 2, atol=1e-6)
    assert found["label"] == max(found["probabilities"], key=found["probabilities"].get)
    assert "unsure" not in found


def test_a_run_alone_is_itself(predictor, drawn):
    files = sorted(drawn.rglob("*.png"))[:3]
    alone = list(predict_files(Ensemble.of([predictor]), files))
    np.testing.assert_allclose(chances(alone), chances(list(predict_files(predictor, files))), atol=1e-7)


def test_runs_of_other_classes_do_not_answer_together(predictor, tmp_path):
    data = write_classes(tmp_path / "data", {"dots": 12, "rings": 12})
    run = workflow.create_run(data, tmp_path / "rings", preset("casting", **SETTINGS))
    assert workflow.execute(run) == "finished"
    with pytest.raises(NotComparable):
        Ensemble.of([predictor, Predictor.load(run)])
    assert main(["predict", str(predictor.run.path), str(run.path), str(data)]) == 2


def test_the_command_tells_runs_from_pictures_by_what_they_hold(predictor, other, drawn, capsys):
    runs = [str(one.run.path) for one in (predictor, other)]
    assert main(["predict", *runs, str(drawn / "dots"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ensemble"] == runs and len(told["predictions"]) == 24 and "decision" not in told
    assert main(["predict", runs[0], str(drawn / "dots"), "--json"]) == 0
    assert "ensemble" not in json.loads(capsys.readouterr().out)


def test_runs_without_pictures_are_one_sentence(predictor, other, capsys):
    runs = [str(one.run.path) for one in (predictor, other)]
    assert main(["predict", *runs]) == 2
    assert runs[1] in capsys.readouterr().err
