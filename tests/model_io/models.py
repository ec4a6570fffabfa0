"""Small models for these tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

HEAD = '<ir_version: 8, opset_import: ["": 17]>'


def parsed(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"{HEAD}\n{text}")


def add() -> onnx.ModelProto:
    return parsed("g (float[n] x) => (float[n] y) <float[1] w = {2}> { y = Add(x, w) }")


def external_tensor(name: str, count: int, **entries: object) -> onnx.TensorProto:
    """A float32 tensor of `count` elements with these external_data entries."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[count], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def external_add(tensor: onnx.TensorProto) -> onnx.ModelProto:
    """y = x + w, where w is that tensor."""
    model = parsed("g (float[n] x) => (float[n] y) { y = Add(x, w) }")
    model.graph.initializer.append(tensor)
    model.graph.initializer[0].name = "w"
    return model


def write(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def write_weights(folder: Path, count: int = 4, name: str = "w.data") -> np.ndarray:
    weights = np.arange(count, dtype=np.float32) + 1
    weights.tofile(folder / name)
    return weights


def constant_node(tensor: onnx.TensorProto, output: str) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [output], value=tensor)
