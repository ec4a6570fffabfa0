"""Concat and Split."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape, at_least, exact_div, floor_div
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim
from freezer.facts.transfer.arithmetic import common_dtype
from freezer.facts.transfer.attributes import axis_of, integer, integers, opset
from freezer.facts.transfer.broadcast import agreed
from freezer.facts.transfer.content import TRACKED, content, count_of, elements_of, moved

_MOST_OUTPUTS = 1 << 16


@transfer("Concat")
def concat(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Dims add up along the axis and agree elsewhere."""
    found = [facts.of(v) for v in node.inputs]
    dtype = common_dtype(found)
    low, high = _bounds(found)
    known = [f.shape for f in found if f.shape is not None]
    if not known:
        return [Fact(dtype, None, None, False, low, high)]
    axis = axis_of(integer(node, "axis", 1), len(known[0]))
    if any(len(s) != len(known[0]) for s in known):
        return None
    shape = _joined(node.outputs[0], known, axis, len(known) == len(found))
    elements: list[Element] | None = None
    if dtype in TRACKED and count_of(shape) is not None and any(f.elements for f in found):
        if len(shape) > 1 and axis:
            return [Fact(dtype, shape, None, False, low, high)]
        parts = [elements_of(v, f) for v, f in zip(node.inputs, found, strict=True)]  # type: ignore[arg-type]
        elements = None if None in parts else [e for part in parts for e in part]  # type: ignore[union-attr]
    return [content(node.outputs[0], dtype, shape, elements, low, high)]


def _bounds(found: list[Fact]) -> tuple[int | None, int | None]:
    lows, highs = [f.low for f in found], [f.high for f in found]
    return None if None in lows else min(lows), None if None in highs else max(highs)  # type: ignore[type-var]


def _joined(output: ir.Value, shapes: list[Shape], axis: int, complete: bool) -> Shape:
    total: Dim = unknown_dim(output, axis)
    if complete:
        total = 0
        for s in shapes:
            total = total + s[axis]
    dims = list(shapes[0])
    for i, column in enumerate(zip(*shapes, strict=True)):
        if i != axis and not (complete and all(d == column[0] for d in column)):
            dims[i] = unknown_dim(output, i)
            # onnxruntime lets an empty operand be of any size elsewhere
            if sure := [d for d, s in zip(column, shapes, strict=True) if all(at_least(n, 1) for n in s)]:
                dims[i] = agreed(sure)
    return (*dims[:axis], total, *dims[axis + 1 :])


@transfer("Split")
def split(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Parts of the sizes given (an operand from opset 13 on), else equal ones, the last the smallest."""
    data = facts.of(node.inputs[0])
    count = len(node.outputs)
    if data.shape is None or count > _MOST_OUTPUTS:
        return [Fact(data.dtype, None, None, False, data.low, data.high)] * count
    axis = axis_of(integer(node, "axis", 0), len(data.shape))
    sizes = _sizes(node, facts, data.shape[axis], axis)
    if all(isinstance(n, int) for n in (data.shape[axis], *sizes)) and sum(sizes) != data.shape[axis]:
        return None  # it fails
    facts_of_parts, offset = [], 0  # type: tuple[list[Fact], Dim]
    for size in sizes:
        facts_of_parts.append(_part(data, axis, offset, size))
        offset = offset + size
    return facts_of_parts


def _part(data: Fact, axis: int, offset: Dim, size: Dim) -> Fact:
    shape = (*data.shape[:axis], size, *data.shape[axis + 1 :])  # type: ignore[index]
    if data.elements is None or not isinstance(offset, int) or not isinstance(size, int):
        return Fact(data.dtype, shape, None, False, data.low, data.high)
    if len(shape) == 1:
        return Fact(data.dtype, shape, data.elements[offset : offset + size], False, data.low, data.high)
    cut = (slice(None),) * axis + (slice(offset, offset + size),)
    return moved(data, shape, lambda a: a[cut])


def _sizes(node: ir.Node, facts: Facts, dim: Dim, axis: int) -> list[Dim]:
    count = len(node.outputs)
    given: Shape | None = integers(node, "split", None) if opset(facts) < 13 else None
    if opset(facts) >= 13 and len(node.inputs) > 1 and node.inputs[1] is not None:
        found = facts.of(node.inputs[1]).elements
        positive = [e for e in found or () if isinstance(e, int) and e >= 0]
        given = tuple(positive) if found is not None and len(positive) == len(found) else ()
    if given is not None:
        return [*given] if len(given) == count else [unknown_dim(v, axis) for v in node.outputs]
    return _equal_parts(node, dim, axis, count)


def _equal_parts(node: ir.Node, dim: Dim, axis: int, count: int) -> list[Dim]:
    exact = exact_div(dim, count)
    if exact is not None:
        return [exact] * count
    each = floor_div(dim + (count - 1), count)
    if isinstance(dim, int) and isinstance(each, int) and (last := dim - each * (count - 1)) >= 0:
        return [*[each] * (count - 1), last]
    return [unknown_dim(v, axis) for v in node.outputs]
