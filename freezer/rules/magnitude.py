"""How large the elements of a value can be, if none can be not-a-number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rules.known import made_by

_COPIES = ("Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Tile", "Transpose", "Unsqueeze")
# Below the largest number by more than what rounding each of so many sums and products adds to a bound.
_ENDS = {ir.DataType.FLOAT16: 6e4, ir.DataType.BFLOAT16: 3e38, ir.DataType.FLOAT: 3e38, ir.DataType.DOUBLE: 1e308}
_DEEPEST = 12


def never_nan(value: ir.Value | None, facts: Facts) -> bool:
    """Whether no element is not-a-number, whatever the feed is: a constant, or a mask made of truths and integers."""
    return largest(value, facts) is not None


def largest(value: ir.Value | None, facts: Facts, depth: int = _DEEPEST) -> float | None:
    """A bound of the absolute values; inf if they may be infinite, None if they may be not-a-number."""
    array = facts.array(value)
    if array is not None:
        return _of_array(array)
    maker, end = made_by(value, *_COPIES, *_MAKERS), _ENDS.get(facts.dtype(value))  # type: ignore[arg-type]
    if maker is None or end is None or not depth:
        return None
    bound = _MAKERS.get(maker.op_type, _copied)(maker, facts, depth - 1)
    return math.inf if bound is not None and bound > end else bound


def _of_array(array: np.ndarray) -> float | None:
    most = float(np.abs(array.astype(np.float64)).max(initial=0.0))
    return None if math.isnan(most) else most


def _copied(node: ir.Node, facts: Facts, depth: int) -> float | None:
    return largest(node.inputs[0], facts, depth)


def _cast(node: ir.Node, facts: Facts, depth: int) -> float | None:
    dtype = facts.dtype(node.inputs[0])
    if dtype == ir.DataType.BOOL:
        return 1.0
    if dtype is not None and dtype.is_integer():
        return 2.0**64
    return largest(node.inputs[0], facts, depth)


def _either(node: ir.Node, facts: Facts, depth: int) -> float | None:
    """Concat, or Where, of which the condition is no side."""
    sides = node.inputs[1:] if node.op_type == "Where" else node.inputs
    bounds = _of_each(sides, facts, depth)
    return None if bounds is None else max(bounds)


def _sum_or_product(node: ir.Node, facts: Facts, depth: int) -> float | None:
    """Of finite numbers. Of infinite ones it may be not-a-number."""
    bounds = _of_each(node.inputs, facts, depth)
    if bounds is None or math.inf in bounds:
        return None
    return math.prod(bounds) if node.op_type == "Mul" else sum(bounds)


def _of_each(values: Sequence[ir.Value | None], facts: Facts, depth: int) -> list[float] | None:
    found = []
    for value in values:
        bound = largest(value, facts, depth)
        if bound is None:
            return None
        found.append(bound)
    return found


_MAKERS = {
    "Cast": _cast, "Where": _either, "Concat": _either,
    "Add": _sum_or_product, "Sub": _sum_or_product, "Mul": _sum_or_product,
}  # fmt: skip
