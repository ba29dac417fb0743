"""`onnx-int8`: a quarter of the size, calibrated on training pictures alone."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from tl_core.base.errors import CalibrationGone
from tl_core.data.pixels.decode import pixels_hash
from tl_core.export import pictures, workflow
from tl_core.export.formats import onnx_int8
from tl_core.export.subject import Subject
from tl_core.runs.run_folder import read_table


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory) -> workflow.Exported:
    return workflow.export(finished, "onnx-int8", tmp_path_factory.mktemp("int8") / "out")


def test_it_is_small_and_takes_and_gives_what_the_32_bits_do(made):
    assert made.card["size_ratio"] > 3
    (file,) = made.models
    session = onnxruntime.InferenceSession(file.read_bytes())
    (given,), (told,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape[1:]) == ("pictures", "tensor(uint8)", [32, 32, 3])
    (p,) = session.run(None, {"pictures": np.zeros((5, 32, 32, 3), np.uint8)})
    assert p.shape == (5, 2) and told.name == "probabilities"
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == ["dots", "stripes"]


def test_weights_are_per_channel_and_activations_unsigned(made):
    graph = onnx.load(str(made.models[0])).graph
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    scales = [
        (constants[node.input[1]], constants[node.input[2]])
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in constants
    ]
    weights = [scale for scale, zero in scales if zero.dtype == np.int8]
    assert weights and all(scale.ndim == 1 for scale in weights)
    activations = [constants[node.input[2]] for node in graph.node if node.op_type == "QuantizeLinear"]
    assert activations and {zero.dtype for zero in activations} == {np.dtype(np.uint8)}


def test_its_speed_is_held_against_the_32_bits(made):
    assert {*made.card["speed_ratio"]} == {"torch", "onnx"}
    check = made.card["check"]
    assert check["num"] == check["num_held_out"] and check["num_drawn"] == 0


def test_only_training_pictures_calibrate(run):
    subject = Subject.of(run)
    used = {pixels_hash(square) for square in pictures.for_calibration(subject)}
    rows = read_table(run.pictures_path)
    assert used and used <= {row["pixels"] for row in rows if row["split"] == "train"}
    assert not used & {row["pixels"] for row in rows if row["split"] in ("val", "test")}


def test_without_training_pictures_it_is_refused_in_words(run, tmp_path):
    config = json.loads(run.config_path.read_text(encoding="utf-8"))
    run.config_path.write_text(json.dumps({**config, "data": str(tmp_path / "nowhere")}), encoding="utf-8")
    with pytest.raises(CalibrationGone):
        workflow.export(run, "onnx-int8", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_run_gives_the_same_bytes(finished, made):
    subject = Subject.of(finished)
    squares = pictures.for_calibration(subject)
    whole = onnx_int8.onnx_file.graph_of(subject)
    assert onnx_int8._best(whole, squares[::2], squares[1::2]) == made.models[0].read_bytes()
