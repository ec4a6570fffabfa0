"""Constant, ConstantOfShape, Shape, Size, Range, EyeLike."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Expr, at_least, exact_div, floor_div, is_signed, volume
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, of_tensor, unknown_dim
from freezer.facts.transfer.attributes import Unclear, dtype, integer, opset, tensor
from freezer.facts.transfer.content import INT64, RANGES, TRACKED, content, count_of
from freezer.facts.transfer.target import target_shape

_FLOAT, _STRING = ir.DataType.FLOAT, ir.DataType.STRING


@transfer("Constant")
def constant(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Any of the forms; a sparse one is left to others."""
    for name, attribute in node.attributes.items():
        if attribute.is_ref() or attribute.value is None:
            return None
        value = attribute.value
        if name == "value":
            return [of_tensor(value)]
        if name in _LISTS:
            elements = value if name == "value_ints" else None
            return [content(node.outputs[0], _LISTS[name], (len(value),), elements)]
        if name in _SCALARS:
            return [content(node.outputs[0], _SCALARS[name], (), [value] if name == "value_int" else None)]
    return None


_SCALARS = {"value_float": _FLOAT, "value_int": INT64, "value_string": _STRING}
_LISTS = {"value_floats": _FLOAT, "value_ints": INT64, "value_strings": _STRING}


@transfer("ConstantOfShape")
def constant_of_shape(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The shape its operand holds, filled with one value (0 of float32 by default)."""
    shape = target_shape(node.outputs[0], node.inputs[0], facts)
    fill = tensor(node, "value")
    if fill is None:
        return [Fact(_FLOAT, shape)]
    found = of_tensor(fill)
    if fill.size != 1:
        return None
    count = count_of(shape)
    elements = None if count is None or found.elements is None else found.elements * count
    return [content(node.outputs[0], found.dtype, shape, elements, found.low, found.high)]


@transfer("Shape")
def shape_of(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's dims from `start` to `end`."""
    shape = facts.of(node.inputs[0]).shape
    start, end = 0, None
    if opset(facts) >= 15:
        start, end = integer(node, "start", 0), integer(node, "end", None)
    if shape is None:
        return [Fact(INT64, (unknown_dim(node.outputs[0], 0),), low=0)]
    found = shape[start:end]
    return [content(node.outputs[0], INT64, (len(found),), found, 0 if found else None)]


@transfer("Size")
def size_of(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The number of elements."""
    shape = facts.of(node.inputs[0]).shape
    size = None if shape is None else volume(shape)
    return [content(node.outputs[0], INT64, (), [size], 0)]


@transfer("Range")
def range_of(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """From start up to limit in steps of delta; elements if known, the length if it has a formula."""
    found = [facts.of(v) for v in node.inputs]
    dtype, output = found[0].dtype, node.outputs[0]
    if len(found) != 3 or dtype is None:
        return None
    if dtype not in TRACKED or any(f.elements is None or len(f.elements) != 1 for f in found):
        return [Fact(dtype, (unknown_dim(output, 0),))]
    start, limit, delta = (f.elements[0] for f in found)  # type: ignore[index]
    if isinstance(delta, Expr) or delta == 0:
        return [Fact(dtype, (unknown_dim(output, 0),))]
    if not isinstance(start, Expr) and not isinstance(limit, Expr):
        return [_known_range(output, dtype, range(start, limit, delta))]
    length = _length(start, limit, delta, found[1].low)
    low = start if not isinstance(start, Expr) and delta > 0 else None
    high = limit - 1 if not isinstance(limit, Expr) and delta > 0 else None
    return [Fact(dtype, (unknown_dim(output, 0) if length is None else length,), low=low, high=high)]


def _known_range(output: ir.Value, dtype: ir.DataType, items: range) -> Fact:
    if not items:
        return content(output, dtype, (0,), ())
    low, high = min(items[0], items[-1]), max(items[0], items[-1])
    if low < RANGES[dtype][0] or high > RANGES[dtype][1]:
        raise Unclear("the range leaves its type")
    elements = items if count_of((len(items),)) is not None else None
    return content(output, dtype, (len(items),), elements, low, high)


def _length(start: Element, limit: Element, delta: int, low: int | None) -> Dim | None:
    """(limit - start) / delta rounded up, where that is certainly not negative."""
    distance = limit - start
    if start == 0 and delta > 0 and low is not None and low >= 0:
        return limit if delta == 1 else None if is_signed(limit) else _rounded_up(limit, delta)
    if is_signed(distance) or not at_least(distance * (1 if delta > 0 else -1), 0):
        return None
    return _rounded_up(distance, delta)


def _rounded_up(distance: Dim, delta: int) -> Dim | None:
    if delta < 0:
        distance, delta = distance * -1, -delta
    exact = exact_div(distance, delta)
    return exact if exact is not None else floor_div(distance + (delta - 1), delta)


@transfer("EyeLike")
def eye_like(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's shape; its type unless `dtype` says otherwise."""
    fact = facts.of(node.inputs[0])
    return [Fact(dtype(node, "dtype", fact.dtype), fact.shape)]
