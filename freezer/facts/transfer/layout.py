"""Ops that move, repeat or surround elements: Transpose, Expand, Tile, Pad."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.dims import Dim, Shape
from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim, unknown_shape
from freezer.facts.transfer.attributes import axes_of, integers, opset
from freezer.facts.transfer.broadcast import broadcast
from freezer.facts.transfer.content import Elements, count_of, moved, spread
from freezer.facts.transfer.target import target_shape


@transfer("Transpose")
def transpose(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Axes in the order of `perm`, reversed by default."""
    data = facts.of(node.inputs[0])
    perm = integers(node, "perm", None)
    if data.shape is None:
        shape = None if perm is None else unknown_shape(node.outputs[0], len(perm))
        return [Fact(data.dtype, shape, None, False, data.low, data.high)]
    rank = len(data.shape)
    order = tuple(range(rank))[::-1] if perm is None else axes_of(perm, rank)
    if len(order) != rank:
        return None
    shape = tuple([data.shape[i] for i in order])
    if data.elements is None:
        return [Fact(data.dtype, shape, None, False, data.low, data.high)]
    return [moved(data, shape, lambda a: a.transpose(order))]


@transfer("Expand")
def expand(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Broadcast against the shape its operand spells."""
    data, output = facts.of(node.inputs[0]), node.outputs[0]
    target = target_shape(output, node.inputs[1], facts)
    if data.shape is None or target is None:
        return [Fact(data.dtype, None, None, False, data.low, data.high)]
    shape = broadcast(output, data.shape, target)
    elements = None
    if data.elements is not None and count_of(shape) is not None:
        elements = spread(data.elements, data.shape, shape)
    return [Fact(data.dtype, shape, elements, False, data.low, data.high)]


@transfer("Tile")
def tile(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Each dim times its number of repeats."""
    data, output = facts.of(node.inputs[0]), node.outputs[0]
    repeats = target_shape(output, node.inputs[1], facts)
    if data.shape is None:
        return [Fact(data.dtype, None, None, False, data.low, data.high)]
    if opset(facts) < 6 or repeats is None or len(repeats) != len(data.shape):
        return [Fact(data.dtype, unknown_shape(output, len(data.shape)), None, False, data.low, data.high)]
    if facts.of(node.inputs[1]).elements is None:
        return [Fact(data.dtype, unknown_shape(output, len(repeats)), None, False, data.low, data.high)]
    shape = tuple(d * r for d, r in zip(data.shape, repeats, strict=True))
    if data.elements is None or count_of(shape) is None:
        return [Fact(data.dtype, shape, None, False, data.low, data.high)]
    return [moved(data, shape, lambda a: np.tile(a, repeats))]  # type: ignore[arg-type]


@transfer("Pad")
def pad(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Each dim plus what is put before and after it (less, where that is negative)."""
    data, output = facts.of(node.inputs[0]), node.outputs[0]
    if data.shape is None:
        return [Fact(data.dtype)]
    rank = len(data.shape)
    pads = _pads(node, facts, rank)
    if pads is None:
        return [Fact(data.dtype, unknown_shape(output, rank))]
    before, after = pads
    shape: list[Dim] = list(data.shape)
    for axis in range(rank):
        size = shape[axis] + before[axis] + after[axis]
        shape[axis] = unknown_dim(output, axis) if isinstance(size, int) and size < 0 else size
    return [Fact(data.dtype, tuple(shape))]


def _pads(node: ir.Node, facts: Facts, rank: int) -> tuple[Shape, Shape] | None:
    """What goes before and after each axis."""
    given: Elements | None
    if opset(facts) < 11:
        given = integers(node, "pads", None)
        given = integers(node, "paddings", None) if given is None else given
    else:
        given = facts.of(node.inputs[1]).elements
    axes = tuple(range(rank))
    if len(node.inputs) > 3 and node.inputs[3] is not None:
        found = facts.ints(node.inputs[3])
        if found is None:
            return None
        axes = axes_of(found, rank)
    if given is None or len(given) != 2 * len(axes):
        return None
    before, after = [0] * rank, [0] * rank  # type: tuple[list, list]
    for place, axis in enumerate(axes):
        before[axis], after[axis] = given[place], given[place + len(axes)]
    return tuple(before), tuple(after)
