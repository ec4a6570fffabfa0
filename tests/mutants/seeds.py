"""The small models that mutants are made of."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import TensorProto, helper

from tests.oracle.cases import made_in_memory
from tests.random_graphs.make import random_model
from tests.rules.text import read_cases

_LARGEST = 20_000  # bytes
_HEAD = '<ir_version: 10, opset_import: ["": 18]> g '
_OTHERS = [
    _HEAD + """(seq(float[2]) s, int64 i, float[2] x) => (float[2] y, seq(float[2]) t) {
        t = SequenceInsert (s, x) y = SequenceAt (t, i) }""",
    _HEAD + """(string[2] s, int64 i) => (string y, bool[2] e) <string[2] w = {"a", "b"}> {
        y = Gather (s, i) e = Equal (s, w) }""",
    _HEAD + """(float16[2,2] x, float16 k) => (float16[2,2] y, float16[N] z) {
        a = Mul (x, k) b = Add (a, k) y = MatMul (b, x)
        c = Shape (b) z = ConstantOfShape <value = float16[1] {2}> (c) }""",
    """<ir_version: 10, opset_import: ["": 18, "f": 1]> g (float[2] x, bool c, int64 n) => (float[2] y) {
        a = f.twice <alpha = 2.0> (x, c) y = f.twice (a, c) }
      <domain: "f", opset_import: ["": 18]> twice <alpha: float = 1.0> (x, c) => (y) {
        k = Constant <value_float: float = @alpha> ()
        y = If (c) <then_branch = t () => (p) { p = Mul (x, k) }, else_branch = e () => (q) { q = Neg (x) }> }""",
]  # fmt: skip


def seed_models() -> list[bytes]:
    """Serialised models: random graphs, every text fixture, a third of onnx's node cases, and some by hand."""
    found = [random_model(seed)[0] for seed in range(60)]
    found += _fixtures()
    found += [case.model for case in made_in_memory()[::3]]
    found += [onnx.parser.parse_model(text) for text in _OTHERS] + [_sparse(), _default_input()]
    data = [model.SerializeToString(deterministic=True) for model in found]
    return [d for d in data if len(d) <= _LARGEST]


def _fixtures() -> Iterator[onnx.ModelProto]:
    for folder in ("control_flow", "rules"):
        yield from (onnx.parser.parse_model(case.before) for case in read_cases(folder))


def _sparse() -> onnx.ModelProto:
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 18]> g (float[4] x) => (float[4] y) { y = Add (x, w) }'
    )
    entry = model.graph.sparse_initializer.add(dims=[4])
    entry.values.CopyFrom(helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0]))
    entry.indices.CopyFrom(helper.make_tensor("", TensorProto.INT64, [2], [0, 3]))
    return model


def _default_input() -> onnx.ModelProto:
    return onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 18]> g (float[2] x, bool c, float[2] w = {1, 2}) => (float[2] y) {'
        " y = If (c) <then_branch = t () => (p) { p = Mul (x, w) }, else_branch = e () => (q) { q = Neg (w) }> }"
    )
