"""Small models for engines, and bad engines by name."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

from freezer.engines import Engine

SCALED = """
<ir_version: 8, opset_import: ["": 17]>
scaled (float[n, 4] x, float[4] unused, float[4] scale, bool flag) => (float[n, 4] y)
<float[4] bias = {0.1, 0.2, 0.3, 0.4}>
{
    factor = Exp(scale)
    z = If (flag) <
        then_branch = plus () => (float[n, 4] a) { a = Add(x, bias) },
        else_branch = minus () => (float[n, 4] b) { b = Sub(x, bias) }
    >
    w = Mul(z, factor)
    y = Sigmoid(w)
}
"""
VALUES = {"scale": np.array([0.5, 1, 2, 3], np.float32), "flag": True}


def scaled() -> onnx.ModelProto:
    """y = sigmoid((x + bias) * exp(scale)), or x - bias; nothing reads 'unused'."""
    model = onnx.parser.parse_model(SCALED)
    model.metadata_props.add(key="author", value="somebody")
    return model


def convolution() -> onnx.ModelProto:
    """Conv, then BatchNormalization, which fusing merges: last bits move."""
    rng = np.random.default_rng(0)
    shapes = {"w": (8, 3, 3, 3), "scale": (8,), "b": (8,), "mean": (8,), "var": (8,)}
    model = onnx.parser.parse_model("""
<ir_version: 8, opset_import: ["": 17]>
convolution (float[1, 3, 9, 9] x, bool training) => (float[1, 8, 7, 7] y)
{
    c = Conv(x, w)
    n = BatchNormalization(c, scale, b, mean, var)
    y = If (training) <
        then_branch = negative () => (float[1, 8, 7, 7] p) { p = Neg(n) },
        else_branch = same () => (float[1, 8, 7, 7] q) { q = Identity(n) }
    >
}
""")
    for name, shape in shapes.items():
        array = rng.uniform(0.5, 1.5, shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    return model


def bad(name: str, fuses: bool = True) -> Engine:
    """An engine of tests/engines/bad.py."""
    return Engine(name, f"tests.engines.bad:{name}", "onnx", "onnx", "bad", fuses)
