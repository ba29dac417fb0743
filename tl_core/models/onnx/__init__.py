"""A network in ONNX: its graph, and the copy that answers for torch on a processor."""
