"""Models and pages for the tests of the HTML report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import freezer

BODIES = """<ir_version: 10, opset_import: ["": 18]>
g (float[N] x, bool hard, bool late) => (float[N] y, float[N] z) {
   y = If (hard) <
      then_branch = t () => (float[N] a) { s = Sign (x)  a = Mul (s, s) },
      else_branch = e () => (float[N] b) { b = Tanh (x) }>
   z = If (late) <
      then_branch = t2 () => (float[N] c) { c = Abs (y) },
      else_branch = e2 () => (float[N] d) { u = Neg (y)  d = Exp (u) }>
}"""
ATTACKS = [
    "</script><script>window.attacked=1</script>",
    '"><img src=x onerror="window.attacked=1">',
    "<!--<script>",
    "{{ 7 * 7 }}",
    "javascript:window.attacked=1",
    "\u202eevil\u2028\x1b[31m",
    "x" * 5000,
]


def chain(names: list[str], stored: str = "w") -> onnx.ModelProto:
    """y = x * w * k, once for each name; k is a scalar input to freeze."""
    nodes, last = [], "x"
    for i, name in enumerate(names):
        nodes.append(helper.make_node("Mul", [last, stored if i % 2 else "k"], [f"{name}:{i}"], name=name))
        last = nodes[-1].output[0]
    nodes.append(helper.make_node("Relu", [last], ["y"], name="last"))
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [4]), ("k", []), ("y", [4]))]
    weight = numpy_helper.from_array(np.arange(4, dtype=np.float32), stored)
    graph = helper.make_graph(nodes, names[0], ends[:2], ends[2:], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def hostile() -> onnx.ModelProto:
    """Every name is an attack."""
    return chain([f"{attack}{i}" for i in range(2) for attack in ATTACKS], stored=ATTACKS[0])


def scoped(layers: int = 40, nodes: int = 12) -> onnx.ModelProto:
    """A large model whose names are paths."""
    return chain([f"/encoder/layer.{i}/attention/Mul_{j}" for i in range(layers) for j in range(nodes)])


def page(model: onnx.ModelProto, path: Path, values: dict | None = None, **how) -> Path:
    """Save the model beside the page, freeze it, save the result, and write the page."""
    source = path.with_suffix(".model.onnx")
    onnx.save(model, source)
    frozen = freezer.freeze(source, values, **{"verify": False, **how})
    frozen.save(path.with_suffix(".onnx"))
    frozen.write_report(path)
    return path
