"""Guards: where arithmetic may wrap around, be cut off, or meet a size of 0, nothing is said."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from freezer.facts.dims import SIGNED, symbol
from freezer.facts.fact import Fact
from tests.facts.one_node import ask, ints

F, I32, I64 = ir.DataType.FLOAT, ir.DataType.INT32, ir.DataType.INT64
N = symbol("n")
ANY = symbol(f"{SIGNED}u[0]")
MOST, LEAST = 2**63 - 1, -(2**63)


def bounded(low: int | None, high: int | None, dtype: ir.DataType = I64) -> Fact:
    return Fact(dtype, (N,), low=low, high=high)


@pytest.mark.parametrize(
    ("op", "inputs", "expected"),
    [
        ("Add", [bounded(0, 9), ints(1)], (1, 10)), ("Add", [bounded(0, MOST), ints(1)], (None, None)),
        ("Sub", [bounded(0, 9), ints(10)], (-10, -1)), ("Sub", [bounded(LEAST, 0), ints(1)], (None, None)),
        ("Mul", [bounded(-3, 2), ints(-4)], (-8, 12)), ("Mul", [bounded(0, MOST), ints(2)], (None, None)),
        ("Neg", [bounded(-3, 2)], (-2, 3)), ("Neg", [bounded(LEAST, 0)], (None, None)),
        ("Abs", [bounded(-3, 2)], (0, 3)), ("Abs", [bounded(LEAST, 0)], (None, None)),
        ("Div", [bounded(0, 9), ints(2)], (0, 4)), ("Div", [bounded(-9, 9), ints(2)], (None, None)),
        ("Mod", [bounded(None, None), ints(7)], (0, 6)), ("Mod", [bounded(None, None), ints(-7)], (None, None)),
        ("Clip", [bounded(5, 9), np.array(0), np.array(3)], (3, 3)), ("Clip", [bounded(None, 9), np.array(2)], (2, 9)),
        ("Max", [bounded(None, 9), ints(2)], (2, 9)), ("Min", [bounded(0, None), ints(2)], (0, 2)),
        ("Relu", [bounded(-5, 2)], (0, 2)), ("Sign", [bounded(0, None)], (0, 1)),
        ("ReduceMax", [bounded(0, 9)], (None, None)),
    ],
)  # fmt: skip
def test_bounds_without_elements(op: str, inputs: list, expected: tuple) -> None:
    found = ask(op, inputs)[0]
    assert (found.low, found.high) == expected


@pytest.mark.parametrize(
    ("fact", "to", "expected"),
    [
        (bounded(0, 9), I32, (0, 9)), (bounded(0, 1 << 40), I32, (None, None)),
        (bounded(None, None, ir.DataType.UINT8), I64, (0, 255)), (bounded(1, None), ir.DataType.BOOL, (1, 1)),
        (Fact(ir.DataType.BOOL, (N,)), I64, (0, 1)), (bounded(0, 9), F, (None, None)),
    ],
)  # fmt: skip
def test_bounds_after_a_cast(fact: Fact, to: ir.DataType, expected: tuple) -> None:
    found = ask("Cast", [fact], {"to": int(to)})[0]
    assert (found.low, found.high) == expected


def test_a_sum_that_wrapped_is_another_one_in_a_wider_type() -> None:
    total = Fact(I32, (2,), (ANY + 1, N))
    assert ask("Cast", [total], {"to": int(I64)})[0].elements == (symbol(f"{SIGNED}o0[0]"), N)
    lone = Fact(I32, (2,), (ANY, N))
    assert ask("Cast", [lone], {"to": int(I64)})[0].elements == (ANY, N)
    wide = Fact(I64, (2,), (ANY, N))
    assert ask("Cast", [wide], {"to": int(I32)})[0].elements == (symbol(f"{SIGNED}o0[0]"), N)


def test_a_target_of_any_integer_is_no_dim() -> None:
    data = Fact(F, (N, 4))
    first = ask("Reshape", [data, Fact(I64, (2,), (ANY, N))], {"allowzero": 1})[0].shape
    assert first == (symbol("?o0:0"), N), "for n = 0 it may be anything"
    assert ask("Reshape", [data, Fact(I64, (2,), (ANY, 2))])[0].shape == (N * 2, 2)
    assert ask("Reshape", [data, Fact(I64, (1,), (ANY,), low=1)])[0].shape == (ANY,)


def test_a_range_that_may_be_empty() -> None:
    zero, one = np.array(0), np.array(1)
    assert ask("Range", [zero, Fact(I64, (), (N - 1,)), one])[0].shape == (symbol("?o0:0"),)
    assert ask("Range", [zero, Fact(I64, (), (N - 1,), low=0), one])[0].shape == (N - 1,)
    assert ask("Range", [one, Fact(I64, (), (N + 1,)), one])[0].shape == (N,)
    assert ask("Range", [Fact(I64, (), (N,)), zero, np.array(-1)])[0].shape == (N,)


def test_elements_of_matrices() -> None:
    a, b = Fact(I64, (2, 2), (1, N, 3, 4)), Fact(I64, (2, 1), (5, 6))
    assert ask("Concat", [a, b], {"axis": 1})[0].elements is None
    assert ask("Concat", [a, a], {"axis": 0})[0].elements == (1, N, 3, 4) * 2
    assert ask("Transpose", [a])[0].elements == (1, 3, N, 4)
    assert ask("Add", [a, b])[0].elements == (6, N + 5, 9, 10)
    assert ask("Gather", [a, ints(1)], {"axis": 1})[0].elements == (N, 4)
    assert ask("ReduceProd", [a, ints(1)], {"keepdims": 0})[0].elements == (N, 12)
    assert ask("Expand", [b, ints(2, 2)])[0].elements == (5, 5, 6, 6)


def test_sizes_by_fractions_are_those_of_float32() -> None:
    x = Fact(F, (1, 1, 5, N))
    found = ask("Resize", [x, None, np.array([1, 1, 0.6, 0.5], np.float32)])
    assert [str(d) for d in found[0].shape] == ["1", "1", "3", "//[1*n, 2]"]
    assert ask("Resize", [x, None, np.array([1, 1, 1.5, 0.3], np.float32)])[0].shape == (1, 1, 7, symbol("?o0:3"))
