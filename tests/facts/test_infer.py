"""infer: versions of ops, optional inputs, hostile nodes, static facts, determinism."""

from __future__ import annotations

import itertools

import numpy as np
import onnx_ir as ir
import pytest

from freezer.facts.determinism import is_deterministic
from freezer.facts.dims import symbol
from freezer.facts.fact import UNKNOWN, Fact
from freezer.facts.registry import TRANSFERS
from tests.facts.one_node import ask, build, ints

F, I64, BOOL = ir.DataType.FLOAT, ir.DataType.INT64, ir.DataType.BOOL
N = symbol("n")


def shape(*args: object, **options: object) -> object:
    found = ask(*args, **options)  # type: ignore[arg-type]
    return None if found is None else found[0].shape


X = Fact(F, (2, 1, N))


@pytest.mark.parametrize(
    ("op", "opset", "inputs", "attributes", "expected"),
    [
        ("Squeeze", 11, [X], {"axes": [1]}, (2, N)), ("Squeeze", 13, [X, ints(1)], {}, (2, N)),
        ("Squeeze", 13, [X], {}, None),
        ("Unsqueeze", 11, [X], {"axes": [0]}, (1, 2, 1, N)), ("Unsqueeze", 13, [X, ints(-1)], {}, (2, 1, N, 1)),
        ("ReduceSum", 11, [X], {"axes": [0]}, (1, 1, N)), ("ReduceSum", 13, [X, ints(0)], {"keepdims": 0}, (1, N)),
        ("ReduceMean", 13, [X], {"axes": [0]}, (1, 1, N)), ("ReduceMean", 18, [X, ints(0)], {}, (1, 1, N)),
        ("ReduceMean", 18, [X], {"noop_with_empty_axes": 1}, (2, 1, N)), ("ReduceMean", 18, [X], {}, (1, 1, 1)),
        ("Slice", 9, [X], {"starts": [1], "ends": [9], "axes": [0]}, (1, 1, N)),
        ("Slice", 10, [X, ints(1), ints(9), ints(0)], {}, (1, 1, N)),
        ("Split", 11, [X], {"split": [2], "axis": 0}, (2, 1, N)), ("Split", 13, [X, ints(2)], {"axis": 0}, (2, 1, N)),
        ("Pad", 10, [X], {"pads": [0, 0, 1, 0, 0, 1]}, (2, 1, N + 2)),
        ("Pad", 18, [X, ints(0, 0, 1, 0, 0, 1)], {}, (2, 1, N + 2)),
        ("Pad", 18, [X, ints(1, 1), None, ints(-1)], {}, (2, 1, N + 2)),
        ("TopK", 9, [X], {"k": 2, "axis": 0}, (2, 1, N)), ("TopK", 11, [X, ints(1)], {"axis": 0}, (1, 1, N)),
        ("Upsample", 7, [X], {"scales": [1.0, 2.0, 3.0]}, (2, 2, N * 3)),
        ("Upsample", 9, [X, np.array([1, 2, 3], np.float32)], {}, (2, 2, N * 3)),
        ("Resize", 13, [X, None, np.array([1, 2, 2], np.float32)], {}, (2, 2, N * 2)),
        ("Reshape", 1, [X], {"shape": [2, -1]}, (2, N)), ("Shape", 13, [X], {"start": 1}, (3,)),
        ("Shape", 15, [X], {"start": 1}, (2,)),
    ],
)  # fmt: skip
def test_versions(op: str, opset: int, inputs: list, attributes: dict, expected: object) -> None:
    assert shape(op, inputs, attributes, opset=opset) == expected


def test_dropout_and_batch_normalization_outputs() -> None:
    assert [f.dtype for f in ask("Dropout", [X], opset=9, outputs=2) or []] == [F, F]
    assert [f.dtype for f in ask("Dropout", [X], opset=13, outputs=2) or []] == [F, BOOL]
    channels = Fact(F, (8,))
    found = ask("BatchNormalization", [X, *[channels] * 4], opset=9, outputs=5) or []
    assert [f.shape for f in found] == [X.shape, *[(8,)] * 4]


def test_recurrent_outputs() -> None:
    x, w = Fact(F, (N, 3, 5)), Fact(F, (2, 16, 5))
    found = ask("LSTM", [x, w, Fact(F, (2, 16, 4))], {"direction": "bidirectional"}, outputs=3) or []
    assert [f.shape for f in found] == [(N, 2, 3, 4), (2, 3, 4), (2, 3, 4)]
    found = ask("GRU", [x, w, Fact(F, (1, 12, 4))], {"hidden_size": 4, "layout": 1}, outputs=2) or []
    assert [f.shape for f in found] == [(N, 3, 1, 4), (N, 1, 4)]


_NAMES = (
    "axis", "axes", "to", "k", "pads", "strides", "kernel_shape", "perm", "dtype", "starts", "shape", "blocksize",
    "equation",
)  # fmt: skip
_ODD_ATTRIBUTES = [
    [],
    [ir.AttrInt64(name, -(2**63)) for name in _NAMES],
    [ir.AttrInt64s(name, [2**63 - 1, -(2**63), 0]) for name in _NAMES],
    [ir.RefAttr(name, "outer", ir.AttributeType.INT) for name in _NAMES],
]
_ODD_INPUTS = [
    UNKNOWN, None, ints(-(2**63), 2**63 - 1, 0), Fact(I64, ()), Fact(F, (N,) * 70), Fact(BOOL, (0, 2**62, 2**62)),
]  # fmt: skip


@pytest.mark.parametrize("op", sorted({op for _, op in TRANSFERS}))
def test_hostile_nodes_raise_nothing(op: str) -> None:
    """Missing, absent and unknown inputs, odd ranks and contents, attributes that are references or of another type."""
    for turn, (count, attributes) in enumerate(itertools.product((0, 1, 3, 9), _ODD_ATTRIBUTES)):
        given = [_ODD_INPUTS[(i + turn) % len(_ODD_INPUTS)] for i in range(count)]
        for domain in ("", "com.microsoft", "ai.onnx.ml"):
            found = ask(
                op, given, {a.name: a for a in attributes}, opset=(6, 12, 23)[turn % 3], outputs=2, domain=domain
            )
            assert found is None or len(found) == 2


def test_static_facts() -> None:
    constant, live = ints(1, 2), Fact(I64, (2,))
    assert ask("Add", [constant, constant])[0].static
    assert not ask("Add", [constant, live])[0].static
    assert ask("Clip", [constant, None, constant])[0].static, "an absent input is no dynamic one"
    assert not ask("RandomNormalLike", [constant])[0].static
    assert ask("Constant", [], {"value_ints": [4, 5]})[0] == Fact(I64, (2,), (4, 5), True, 4, 5)


@pytest.mark.parametrize(
    ("op", "inputs", "opset", "domain", "expected"),
    [
        ("Relu", [X], 18, "", True), ("Relu", [X], 18, "ai.onnx", True), ("Relu", [X], 18, "my.ops", False),
        ("Bernoulli", [X], 18, "", False), ("Multinomial", [X], 18, "", False), ("Dropout", [X], 13, "", True),
        ("Dropout", [X, None, np.array(True)], 13, "", False), ("Dropout", [X, None, np.array(False)], 13, "", True),
        ("Dropout", [X, None, Fact(BOOL, ())], 13, "", False), ("Dropout", [X], 9, "", True),
        ("Dropout", [X], 6, "", False),
        ("Gelu", [X], 18, "com.microsoft", True), ("BiasDropout", [X], 18, "com.microsoft", False),
    ],
)  # fmt: skip
def test_determinism(op: str, inputs: list, opset: int, domain: str, expected: bool) -> None:
    assert is_deterministic(*build(op, inputs, None, opset, 1, domain)) is expected


def test_unknown_ops_are_left_to_others() -> None:
    assert ask("Relu", [X], domain="my.ops") is None
    assert ask("Relu", [X], domain="ai.onnx") == [Fact(F, X.shape)]


def test_broadcasting_of_symbols() -> None:
    m = symbol("m")
    assert shape("Add", [Fact(F, (N, 1)), Fact(F, (5,))]) == (N, 5)
    assert shape("Add", [Fact(F, (N,)), Fact(F, (N,))]) == (N,)
    assert shape("Add", [Fact(F, (N,)), Fact(F, (m,))]) == (symbol("?o0:0"),), "either may be 1"
    assert shape("Add", [Fact(F, (N + 2,)), Fact(F, (m,))]) == (N + 2,)
    assert shape("Add", [Fact(F, (0,)), Fact(F, (m,))]) == (0,)
    assert ask("Add", [Fact(F, (3,)), Fact(F, (4,))]) is None
    target = Fact(I64, (2,))
    assert shape("Expand", [Fact(F, (N, 1, 1)), target]) == (N, symbol("?o0:-2"), symbol("?o0:-1"))


def test_empty_operands_of_concat_may_be_of_any_size() -> None:
    """onnxruntime takes an empty [n, 3] beside [2, 5]."""
    assert shape("Concat", [Fact(F, (N, 3)), Fact(F, (2, symbol("m")))], {"axis": 0}) == (N + 2, symbol("?o0:1"))
    assert shape("Concat", [Fact(F, (1, 3)), Fact(F, (2, symbol("m")))], {"axis": 0}) == (3, 3)
    assert shape("Concat", [Fact(F, (N, 3)), Fact(F, (2, 3))], {"axis": 0}) == (N + 2, 3)
