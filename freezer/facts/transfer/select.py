"""Ops that pick or count: TopK, NonZero, OneHot, Unique, NonMaxSuppression, Clip."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Expr, Shape, maximum, minimum, upper_bound, volume
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim
from freezer.facts.transfer.attributes import axis_of, integer, opset
from freezer.facts.transfer.content import INT64, RANGES, content
from freezer.facts.transfer.reduce import last_position
from freezer.facts.transfer.target import target_shape


@transfer("TopK")
def top_k(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Values and positions: k along the axis (an attribute before opset 10)."""
    x, output = facts.of(node.inputs[0]), node.outputs[0]
    if x.shape is None:
        return [Fact(x.dtype, None, None, False, x.low, x.high), Fact(INT64, low=0)]
    axis = axis_of(integer(node, "axis", -1), len(x.shape))
    count: Dim | None = None
    if opset(facts) < 10:
        count = integer(node, "k", None)
    elif (given := target_shape(output, node.inputs[1], facts)) is not None and len(given) == 1:
        count = given[0] if facts.elements(node.inputs[1]) is not None else None
    if isinstance(count, int) and not 0 <= count < 1 << 31:  # onnxruntime cuts k to 32 bits
        return None
    shape = (*x.shape[:axis], unknown_dim(output, axis) if count is None else count, *x.shape[axis + 1 :])
    positions = Fact(INT64, shape, None, False, 0, last_position(x.shape[axis]))
    return [Fact(x.dtype, shape, None, False, x.low, x.high), positions]


@transfer("NonZero")
def non_zero(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[rank, unknown count] of positions."""
    shape, output = facts.shape(node.inputs[0]), node.outputs[0]
    if not shape:
        return [Fact(INT64, (unknown_dim(output, 0), unknown_dim(output, 1)), None, False, 0)]
    mosts = [upper_bound(d) for d in shape]
    high = None if None in mosts else max(max(mosts) - 1, 0)  # type: ignore[type-var,operator]
    return [Fact(INT64, (len(shape), unknown_dim(output, 1)), None, False, 0, high)]


@transfer("OneHot")
def one_hot(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The indices' shape with the depth inserted; the type of the values."""
    indices, output = facts.shape(node.inputs[0]), node.outputs[0]
    dtype = facts.dtype(node.inputs[2])
    if indices is None:
        return [Fact(dtype)]
    axis = axis_of(integer(node, "axis", -1), len(indices) + 1)
    depth = _depth(node, facts)
    return [Fact(dtype, (*indices[:axis], unknown_dim(output, axis) if depth is None else depth, *indices[axis:]))]


def _depth(node: ir.Node, facts: Facts) -> Dim | None:
    array = facts.array(node.inputs[1], 64)
    if array is not None and array.size == 1:
        depth = array.reshape(-1)[0].item()
        return int(depth) if depth == int(depth) and depth >= 0 else None
    fact = facts.of(node.inputs[1])
    if fact.elements is None or len(fact.elements) != 1:
        return None
    shape = target_shape(node.outputs[0], node.inputs[1], facts)
    return None if shape is None else shape[0]


@transfer("Unique")
def unique(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Y, its first positions, the way back, and counts."""
    x, axis = facts.of(node.inputs[0]), integer(node, "axis", None)
    output = node.outputs[0]
    length: Dim | None
    shape: Shape | None
    if x.shape is None:
        count, length, shape = unknown_dim(output, 0), None, None
    elif axis is None:
        count, length, shape = unknown_dim(output, 0), volume(x.shape), (unknown_dim(output, 0),)
    else:
        axis = axis_of(axis, len(x.shape))
        count, length = unknown_dim(output, axis), x.shape[axis]
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if length is None:
        length = unknown_dim(output, -1)
    return [
        Fact(x.dtype, shape, None, False, x.low, x.high), Fact(INT64, (count,), low=0), Fact(INT64, (length,), low=0),
        Fact(INT64, (count,), low=0),
    ]  # fmt: skip


@transfer("NonMaxSuppression")
def non_max_suppression(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[unknown count, 3] of positions."""
    return [Fact(INT64, (unknown_dim(node.outputs[0], 0), 3), None, False, 0)]


@transfer("Clip")
def clip(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """min(max(x, low), high); the limits are operands from opset 11 on."""
    x = facts.of(node.inputs[0])
    if x.dtype not in RANGES or opset(facts) < 11:
        return [Fact(x.dtype, x.shape)]
    least, most = ((facts.of(v) if v is not None else None) for v in (*node.inputs, None, None)[1:3])
    low, high = x.low, x.high
    if least is not None:
        low = None if least.low is None else least.low if low is None else max(low, least.low)
        high = None if high is None or least.high is None else max(high, least.high)
    if most is not None:
        low = None if low is None or most.low is None else min(low, most.low)
        high = most.high if high is None else high if most.high is None else min(high, most.high)
    elements = None
    if x.elements is not None:
        elements = [_clipped(e, least, most) for e in x.elements]
    return [content(node.outputs[0], x.dtype, x.shape, elements, low, high)]


def _clipped(element: Element, least: Fact | None, most: Fact | None) -> Element | None:
    for limit, choose in ((least, maximum), (most, minimum)):
        if limit is None:
            continue
        known = limit.known_elements
        if known is None or len(known) != 1 or isinstance(element, Expr):
            return None
        element = choose(element, known[0])  # type: ignore[assignment]
    return element
