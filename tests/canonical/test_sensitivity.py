"""What counts, counts: one change, another fingerprint."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from freezer.canonical import diff, fingerprint
from tests.canonical.texts import HEAD, TEXTS, model


def of(proto: onnx.ModelProto) -> str:
    return fingerprint(ir.from_proto(proto))


def tensors(proto: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Every stored tensor, those of Constant nodes and in bodies included."""
    found, todo = [], [proto.graph, *proto.functions]
    while todo:
        body = todo.pop()
        found += getattr(body, "initializer", [])
        for node in body.node:
            found += [a.t for a in node.attribute if a.type == onnx.AttributeProto.TENSOR]
            todo += [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_every_bit_of_every_tensor(name: str) -> None:
    proto = model(TEXTS[name])
    seen = {of(proto)}
    for tensor in tensors(proto):
        if tensor.name in ("k", "w2") or tensor.data_type == onnx.TensorProto.BOOL:
            continue
        raw = onnx.numpy_helper.to_array(tensor).tobytes()
        for bit in range(0, 8 * len(raw), 5):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            before = tensor.SerializeToString()
            tensor.Clear()
            tensor.ParseFromString(before)
            for field in ("float_data", "int64_data", "int32_data"):
                tensor.ClearField(field)
            tensor.raw_data = bytes(changed)
            assert of(proto) not in seen
            seen.add(of(proto))
            tensor.ParseFromString(before)


CHANGES = [
    ("plain", "axis = 1", "axis = 0"),
    ("plain", "alpha = 0.3", "alpha = 0.30000003"),
    ("plain", "Softmax", "LogSoftmax"),
    ("plain", "Softmax <axis = 1> (r)", "Softmax <axis = 1> (h)"),
    ("plain", "float[N,3] x", "float[M,3] x"),
    ("plain", "float[N,3] x", "float[N,4] x"),
    ("plain", "float[N,3] x", "float16[N,3] x"),
    ("plain", "=> (float[N,3] y)", "=> (float[3,N] y)"),
    ("plain", '"" : 17', '"" : 18'),
    ("plain", "float[3] b", "float[1,3] b"),
    ("plain", "float[3] w = {1.0", "double[3] w = {1.0"),
    ("constants", "Sub (x, c)", "Sub (c, x)"),
    ("constants", "value_int = 2", "value_int = 3"),
    ("constants", "float[3] y, float[3] same", "float[3] same, float[3] y"),
    ("several_outputs", "a, b, c =", "c, b, a ="),
    ("several_outputs", "a, b, c =", "b, a, c ="),
    ("branches", "q = Sub (h, u)", "q = Sub (x, u)"),
    ("branches", "t = Sub (q, w)", "t = Sub (w, q)"),
    ("loop", "q = Sub (k, s)", "q = Sub (k, t)"),
    ("loop", "p = Sub (t, k)", "p = Sub (s, k)"),
    ("loop", "int64 i", "int64[1] i"),
    ("functions", "by = 2.0", "by = 3.0"),
    ("functions", "Mul (x, f)", "Sub (x, f)"),
    ("functions", "n = Sub (x, c)", "n = Sub (c, x)"),
    ("functions", "y = mine.shift (b)", "y = mine.twice <by = 2.0> (b)"),
    ("symmetric", "f = Sub (b, d)", "f = Sub (b, c)"),
    ("symmetric", "g = Add (a, b)", "g = Add (a, a)"),
    ("symmetric", "b = Relu (x)", "b = Identity (a)"),
    ("random", "Sub (x, a)", "Sub (a, x)"),
    ("random", "c = Add (a, b)", "c = Add (a, a)"),
    ("default_input", "float[3] w = {1.0, 2.0, 3.0}", "float[3] v = {1.0, 2.0, 3.0}"),
    ("default_input", "{1.0, 2.0, 3.0}", "{1.0, 2.0, 4.0}"),
]


@pytest.mark.parametrize(("name", "old", "new"), CHANGES)
def test_one_change(name: str, old: str, new: str) -> None:
    assert TEXTS[name].count(old) >= 1
    before, after = model(TEXTS[name]), model(TEXTS[name].replace(old, new, 1))
    assert of(before) != of(after)
    assert diff(ir.from_proto(before), ir.from_proto(after))


def test_interface_names() -> None:
    for name in ("x", "y"):
        proto = model(TEXTS["plain"])
        for node in proto.graph.node:
            node.input[:] = ["z" if n == name else n for n in node.input]
            node.output[:] = ["z" if n == name else n for n in node.output]
        for value in (*proto.graph.input, *proto.graph.output):
            value.name = "z" if value.name == name else value.name
        assert of(proto) != of(model(TEXTS["plain"]))


@pytest.mark.parametrize("pair", [(0.0, -0.0), (np.nan, -np.nan)])
def test_signs_of_zero_and_nan(pair: tuple[float, float]) -> None:
    text = f"{HEAD} g (float[1] x) => (float[1] y) <float[1] w = {{5.0}}> {{ y = Sub (x, w) }}"
    prints = set()
    for value in pair:
        proto = model(text)
        proto.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.array([value], np.float32), "w"))
        prints.add(of(proto))
    assert len(prints) == 2


@pytest.mark.parametrize("op", ["Add", "Mul", "Equal", "Sum", "Mean"])
def test_operands_that_commute(op: str) -> None:
    kind = "bool" if op == "Equal" else "float"
    text = f"{HEAD} g (float[3] x, float[3] z) => ({kind}[3] y) {{ a = Exp (x) y = {op} (%s) }}"
    assert of(model(text % "a, z")) == of(model(text % "z, a"))


@pytest.mark.parametrize("op", ["Sub", "Div", "Pow", "Max", "Min", "Greater", "PRelu"])
def test_operands_that_do_not_commute(op: str) -> None:
    """Max and Min: of 0.0 and -0.0 onnxruntime returns the second."""
    kind = "bool" if op == "Greater" else "float"
    text = f"{HEAD} g (float[3] x, float[3] z) => ({kind}[3] y) {{ a = Exp (x) y = {op} (%s) }}"
    assert of(model(text % "a, z")) != of(model(text % "z, a"))


def test_only_the_first_two_of_a_longer_sum_commute() -> None:
    text = f"{HEAD} g (float[3] x, float[3] z, float[3] u) => (float[3] y) {{ y = Sum (%s) }}"
    assert of(model(text % "x, z, u")) == of(model(text % "z, x, u"))
    assert of(model(text % "x, z, u")) != of(model(text % "x, u, z"))


def test_add_does_not_commute_where_only_its_second_operand_is_broadcast() -> None:
    text = '<ir_version: 3, opset_import: ["" : 6]> g (float[3] x, float[3] z) => (float[3] y) { y = Add (%s) }'
    assert of(model(text % "x, z")) != of(model(text % "z, x"))


def test_the_place_of_a_node_counts() -> None:
    text = f"""{HEAD} g (float[3] x, bool p) => (float[3] y) {{
        %s y = If (p) <then_branch = a () => (float[3] t) {{ %s t = Neg (h) }},
                       else_branch = b () => (float[3] e) {{ e = Abs (x) }}> }}"""
    assert of(model(text % ("h = Exp (x)", ""))) != of(model(text % ("", "h = Exp (x)")))


def test_a_node_repeated_is_not_a_node_shared() -> None:
    text = f"{HEAD} g (float[3] x) => (float[3] y) {{ a = Exp (x) b = Exp (x) y = Sub (%s) }}"
    assert of(model(text % "a, b")) != of(model(text % "a, a"))
