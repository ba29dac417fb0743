"""The networks of a run's stages: put together again, explained, and their features kept."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
import torch

from tests.core.drawn import write_classes
from tl_core import cli
from tl_core.base.config import preset
from tl_core.base.errors import RunDamaged, RunNotReady
from tl_core.data.pixels.decode import read_image
from tl_core.inference import feature_cache, reference_features, stage_models
from tl_core.inference.labelled_folder import evaluate_folder
from tl_core.inference.predictor import Predictor, predict_files
from tl_core.models import gradcam
from tl_core.models.backbone import CLASSIFIER
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.execution import workflow
from tl_core.runs.run_folder import open_run

STAGES = ("before", "head", "finetune")
SETTINGS = {
    "weights": "formula", "image_px": 64, "augment": False, "target_per_class": 0, "views": 1,
    "precision": "auto", "device": "cpu", "head": {"epochs": 2, "learning_rate": 0.05},
    "finetune": {"epochs": 1, "learning_rate": 0.001},
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """With a test part of its own: few pictures without one would be cross-validated."""
    root = tmp_path_factory.mktemp("data")
    write_classes(root / "train", {"dots": 24, "stripes": 24})
    write_classes(root / "test", {"dots": 10, "stripes": 10}, seed=1)
    return root


@pytest.fixture(scope="module", params=["timm", "torchvision"])
def run(request, data, tmp_path_factory):
    config = preset("casting", **SETTINGS, library=request.param)
    folder = workflow.create_run(data, tmp_path_factory.mktemp("out") / "run", config)
    assert workflow.execute(folder) == "finished"
    return folder


@pytest.fixture
def copy(run, tmp_path):
    return open_run(shutil.copytree(run.path, tmp_path / "copy"))


def answers_of(run, stage):
    """{file: probabilities} as the run wrote them."""
    with run.predictions_path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["stage"] == stage and row["split"] == "test"]
    return {row["file"]: [float(row["p_dots"]), float(row["p_stripes"])] for row in rows}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_answers_as_it_did_in_the_run(run, data, stage):
    expected = answers_of(run, stage)
    assert len(expected) > 5
    model = stage_models.load(run, stage)
    found = model.predict([read_image(data / name, max_px=64) for name in expected])
    np.testing.assert_allclose(found, list(expected.values()), atol=1e-4)


def test_the_untouched_network_comes_from_its_weights_when_the_head_was_not_trained(data, tmp_path):
    config = preset("casting", **SETTINGS | {"head": {"epochs": 0}, "finetune": {"epochs": 1}})
    run = workflow.create_run(data, tmp_path / "run", config)
    assert workflow.execute(run) == "finished"
    assert stage_models.available(run) == ["before", "finetune"]
    expected = answers_of(run, "before")
    found = stage_models.load(run, "before").predict(
        [read_image(data / name, max_px=64) for name in expected]
    )
    np.testing.assert_allclose(found, list(expected.values()), atol=1e-4)


def test_stages_without_their_files_are_not_offered(copy):
    assert stage_models.available(copy) == list(STAGES)
    (copy.models / "stage2_best.safetensors").unlink()
    assert stage_models.available(copy) == ["before", "head"]
    (copy.models / "stage1_best.safetensors").unlink()
    assert stage_models.available(copy) == []
    with pytest.raises(RunNotReady):
        stage_models.load(copy, "before")


def test_a_run_killed_before_it_had_a_final_model_answers_with_its_latest_stage(copy, picture):
    assert Predictor.load(copy).stage is None
    (copy.models / "final.safetensors").unlink()
    for stage, name in (("finetune", "stage2_best"), ("head", "stage1_best")):
        found = Predictor.load(copy)
        assert (found.stage, found.path.stem) == (stage, name)
        np.testing.assert_allclose(
            found.predict([picture]), stage_models.load(copy, stage).predict([picture]), atol=1e-6
        )
        found.path.unlink()
    with pytest.raises(RunNotReady):
        Predictor.load(copy)


# --- Grad-CAM


@pytest.fixture
def picture(data):
    return read_image(data / "test" / "dots" / "000.png")


@pytest.mark.parametrize("stage", STAGES)
def test_a_map_adds_up_to_the_score_where_nothing_speaks_against_it(run, picture, stage):
    """What makes the map exact: mean pool and one Linear. Only its positive part is kept, so it is at least
    the score without the bias."""
    model = stage_models.load(run, stage)
    x = model.enter([picture])
    linear = model.model.classifier[-1]
    pooled = model.model.forward_until(x, "head_conv")[0]
    for target in (0, 1):
        heat = gradcam.gradcam(model.model, x, target)
        assert heat.shape == (1, 2, 2) and heat.dtype == np.float32
        weights = linear.weight[target].detach()
        by_hand = torch.einsum("k,khw->hw", weights, pooled).clamp(min=0) / (2 * 2)
        np.testing.assert_allclose(heat[0], by_hand.detach().numpy(), atol=1e-5)


def test_the_map_changes_with_the_class_and_the_picture(run, data, picture):
    model = stage_models.load(run, "finetune")
    one, other = (gradcam.gradcam(model.model, model.enter([picture]), target) for target in (0, 1))
    assert not np.allclose(one, other)
    stripes = model.enter([read_image(data / "test" / "stripes" / "000.png")])
    assert not np.allclose(one, gradcam.gradcam(model.model, stripes, 0))


def test_explaining_works_on_a_frozen_backbone_and_leaves_the_shared_model_as_it_was(run, picture):
    model = stage_models.load(run, "head")
    model.model.freeze_backbone()
    model.model.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in model.model.state_dict().items()}
    asks = [p.requires_grad for p in model.model.parameters()]
    heat = gradcam.gradcam(model.model, model.enter([picture]), 0)
    heat2 = gradcam.gradcam(model.model, model.enter([picture]), 1)
    assert heat.max() > 0 or heat2.max() > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.model.state_dict().items())
    assert [p.requires_grad for p in model.model.parameters()] == asks
    assert all(p.grad is None for p in model.model.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in model.model.modules())
    assert not model.model.training


def test_enlarging_keeps_the_place_of_the_maximum():
    heat = np.zeros((7, 7), np.float32)
    heat[2, 5] = 1
    large = gradcam.enlarge(heat, 70, 140)
    y, x = np.unravel_index(large.argmax(), large.shape)
    assert large.shape == (70, 140) and y // 10 == 2 and x // 20 == 5 and large.min() >= 0


# --- features


def test_features_are_kept_and_found_again(run, data, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    model = stage_models.load(run, "head")
    asked = [(f"{i}", path) for i, path in enumerate(sorted(data.rglob("*.png"))[:40])]
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"none")
    asked.insert(3, ("broken", broken))
    told = []
    found = feature_cache.embed(model, "head", asked, lambda done, total: told.append((done, total)))
    assert found.names == [name for name, _ in asked if name != "broken"]
    assert found.features.shape == (40, 1280) and told[-1] == (41, 41)
    logits = model.model.forward_between(torch.from_numpy(found.features), "pooled", CLASSIFIER)
    expected = model.predict([read_image(path) for name, path in asked if name != "broken"])
    np.testing.assert_allclose(torch.softmax(logits, 1).detach(), expected, atol=1e-5)
    again = feature_cache.kept(run, "head", asked)
    assert again is not None and np.array_equal(again.features, found.features)
    assert feature_cache.kept(run, "head", asked[:-1]) is None
    assert feature_cache.kept(run, "finetune", asked) is None


def test_distances_to_the_kept_training_pictures(copy):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20, 1280)).astype(np.float32)
    reference_features.save(copy, features)
    assert reference_features.distance_to_training(copy, features).max() < 1e-3
    assert reference_features.distance_to_training(copy, rng.normal(size=(3, 1280))).min() > 0.5
    reference_features.path_of(copy).write_bytes(b"broken")
    with pytest.raises(RunDamaged, match="known_features"):
        reference_features.distance_to_training(copy, features)


# --- what is decided is what is answered


def test_predict_follows_the_saved_threshold_and_temperature(copy, data, capsys):
    model = Predictor.load(copy)
    files = sorted(data.rglob("*.png"))
    plain = list(predict_files(model, files))
    middle = float(np.median([answer["probabilities"]["dots"] for answer in plain]))
    decision_rule.save(copy, DecisionRule(positive_class="dots", threshold=middle, temperature=1.0))
    decided = list(predict_files(model, files))
    for answer in decided:
        assert answer["label"] == ("dots" if answer["probabilities"]["dots"] >= middle else "stripes")
    assert 0 < sum(answer["label"] == "dots" for answer in decided) < len(files)

    decision_rule.save(copy, DecisionRule(temperature=3.0))
    warm = list(predict_files(model, files))
    assert [a["label"] for a in warm] == [a["label"] for a in plain]
    sure = [max(a["probabilities"].values()) for a in warm]
    assert all(s <= max(a["probabilities"].values()) + 1e-6 for s, a in zip(sure, plain, strict=True))

    # evaluate judges the network itself, as the run's summary does
    scores = evaluate_folder(model, data)
    assert scores["accuracy"] == pytest.approx(np.mean([a["label"] in a["file"] for a in plain]))


def test_the_command_line_says_what_was_decided_and_nothing_without_it(copy, data, capsys):
    files = [str(file) for file in sorted((data / "test").glob("*/*.png"))]
    assert cli.main(["predict", str(copy.path), *files, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert "decision" not in plain
    # the picture that leaves most room for a threshold above its probability
    p, file = min((one["probabilities"]["dots"], one["file"]) for one in plain["predictions"])
    for threshold, label in ((p / 2, "dots"), ((1 + p) / 2, "stripes")):
        decision_rule.save(copy, DecisionRule(positive_class="dots", threshold=threshold))
        assert cli.main(["predict", str(copy.path), file, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["predictions"][0]["label"] == label
        assert said["decision"] == {"positive_class": "dots", "threshold": threshold}
    assert cli.main(["predict", str(copy.path), file]) == 0
    assert f"{(1 + p) / 2:.1%}" in capsys.readouterr().out.splitlines()[-1]
    (copy.path / "decision.json").write_text("{", encoding="utf-8")
    assert cli.main(["predict", str(copy.path), file]) == 2
    assert "decision.json" in capsys.readouterr().err
