#!/usr/bin/env bash
# onnxruntime 1.32.0: `quantize_static` given a loaded model instead of a path empties that model, so that a
# second call with it fails.
#
# The documentation lets `model_input` be a path or a ModelProto. A ModelProto is saved with its weights in a file
# beside it, in a temporary folder that the function deletes; the caller's own object is what is saved, and
# afterwards its tensors point into the deleted folder. The first call succeeds; anything that reads the weights of
# the model later does not.
#
# Why a good guess is wrong: a function that takes a model to make another one is expected to leave the first as it
# is, all the more since the path form does; trying two settings on one loaded model fails at the second, with a
# sentence about a file that nobody has named. The way out: give it a path, or a copy.
#
# Seen 2026-11-29, Python 3.11, onnxruntime 1.32.0, onnx 1.23.2, NumPy 2.4.6:
#   weights in the model before: 2304 bytes, after: 0 bytes; second call: ValidationError
# Exits 0 while it is so, 1 when it has changed.
set -euo pipefail
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
python3 -m venv "$W/venv"
"$W/venv/bin/pip" -q install onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 sympy
ORT_DISABLE_TELEMETRY=1 "$W/venv/bin/python" - "$W" <<'PY' 2>/dev/null
import sys
import numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, quantize_static
weights = np.random.default_rng(0).normal(size=(64, 1, 3, 3)).astype(np.float32)
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 9, 9])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 64, 7, 7])
node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv")
graph = helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(weights, "w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
class Reader(CalibrationDataReader):
    def __init__(self): self.rest = iter([{"x": np.ones((1, 1, 9, 9), np.float32)}])
    def get_next(self): return next(self.rest, None)
def held(): return len(model.graph.initializer[0].raw_data)
before = held()
quantize_static(model, f"{sys.argv[1]}/first.onnx", Reader(), per_channel=True)
after, second = held(), "works"
try:
    quantize_static(model, f"{sys.argv[1]}/second.onnx", Reader(), per_channel=True)
except Exception as error:
    second = type(error).__name__
print(f"weights in the model before: {before} bytes, after: {after} bytes; second call: {second}")
sys.exit(0 if after < before and second != "works" else 1)
PY
