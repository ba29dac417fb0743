"""`onnx`: one file that says everything itself, the same each time, and answers as `predict` does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.core.drawn import write_classes
from tl_core.data.pixels.decode import read_image, resize_square
from tl_core.export import workflow
from tl_core.export.formats import onnx_file
from tl_core.export.subject import Subject
from tl_core.inference.predictor import Predictor, predict_files
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule


def session_of(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return sorted(write_classes(tmp_path / "new", {"dots": 5, "stripes": 6}, px=61, seed=9).rglob("*.png"))


@pytest.mark.parametrize("temperature", [None, 3.0], ids=["as it is", "with a temperature"])
def test_any_number_of_pictures_gets_the_answers_of_predict(run, tmp_path, pictures, temperature):
    decision_rule.save(run, DecisionRule(temperature=temperature))
    made = workflow.export(run, "onnx", tmp_path / "out")
    assert made.passed and made.models == (tmp_path / "out" / "model.onnx",)
    session = session_of(made.models[0])
    squares = np.stack([resize_square(read_image(path, max_px=32), 32) for path in pictures])
    answers = list(predict_files(Predictor.load(run), pictures))
    for some in (squares[:1], squares):
        (found,) = session.run(None, {"pictures": some})
        for row, answer in zip(found, answers, strict=False):
            np.testing.assert_allclose(row, list(answer["probabilities"].values()), atol=1e-5)


def test_what_the_answers_mean_stands_in_the_file(run, tmp_path):
    decision_rule.save(run, DecisionRule(positive_class="stripes", threshold=0.3, sure_from=0.8))
    made = workflow.export(run, "onnx", tmp_path / "out")
    about = session_of(made.models[0]).get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == ["dots", "stripes"]
    assert about["positive_class"] == "stripes" and float(about["threshold"]) == 0.3
    assert about["image_px"] == "32" and float(about["sure_from"]) == 0.8
    assert about["weights"] == "formula" and about["licence_of_weights"]
    assert about["run"] == run.name


def test_the_same_run_gives_the_same_bytes_and_none_of_them_names_the_machine(run, tmp_path):
    first, second = (workflow.export(run, "onnx", tmp_path / name).models[0] for name in "ab")
    content = first.read_bytes()
    assert content == second.read_bytes()
    for trace in (str(Path.home()), str(run.path), str(Path(onnx_file.__file__).parent), "site-packages"):
        assert trace.encode() not in content
    graph = onnx.load(str(first))
    onnx.checker.check_model(graph, full_check=True)
    assert {node.doc_string for node in graph.graph.node} == {""}
    assert not any(node.metadata_props for node in graph.graph.node)


@pytest.mark.parametrize(
    "backbone, most_nodes",
    [("tf_efficientnet_lite0", 105), ("resnet18", 60), ("vit_tiny_patch16_224", 500)],
)
def test_the_graph_of_every_family_is_short_and_answers_as_torch_does(backbone, most_nodes):
    import torch

    from tl_core.models.build import skeleton
    from tl_core.models.onnx import graph as onnx_graph

    torch.manual_seed(0)
    model = skeleton("timm", 3, 0.2, backbone).eval()
    network = onnx_graph.whole_network(model.for_size(96), (0.5,) * 3, (0.5,) * 3)
    graph = onnx_graph.graph_of(network, 96, (onnx_graph.PROBABILITIES,))
    assert len(graph.graph.node) <= most_nodes
    squares = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), np.uint8)
    (found,) = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"pictures": squares})
    plain = torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        expected = torch.softmax(model((plain - 0.5) / 0.5), dim=1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_network_of_the_stage_that_was_asked_for_is_taken(run, tmp_path):
    assert Subject.of(run, "head").predictor.path.stem == "stage1_best"
    assert Subject.of(run).predictor.path.stem == "final"
