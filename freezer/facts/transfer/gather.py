"""Gather and its relatives."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.dims import Expr
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim
from freezer.facts.transfer.attributes import Unclear, axis_of, integer
from freezer.facts.transfer.content import content, count_of, moved


@transfer("Gather")
def gather(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """data[..., indices, ...] along one axis. Indices may count from the end."""
    data, indices = facts.of(node.inputs[0]), facts.of(node.inputs[1])
    if data.shape is None or indices.shape is None:
        return [Fact(data.dtype, None, None, False, data.low, data.high)]
    axis = axis_of(integer(node, "axis", 0), len(data.shape))
    shape = data.shape[:axis] + indices.shape + data.shape[axis + 1 :]
    if data.elements is None or indices.elements is None or count_of(shape) is None:
        return [Fact(data.dtype, shape, None, False, data.low, data.high)]
    if len(data.shape) == 1:
        elements = [_picked(data.elements, i) for i in indices.elements]
        return [content(node.outputs[0], data.dtype, shape, elements, data.low, data.high)]
    if indices.known_elements is None:
        return [Fact(data.dtype, shape, None, False, data.low, data.high)]
    places = np.array(indices.elements, np.int64).reshape(indices.shape)
    return [moved(data, shape, lambda a: np.take(a, places, axis))]


def _picked(elements: tuple[Element, ...], index: Element) -> Element | None:
    if isinstance(index, Expr):
        return elements[0] if elements and all(e == elements[0] for e in elements) else None
    if not -len(elements) <= index < len(elements):
        raise Unclear("an index is out of range")
    return elements[index]


@transfer("GatherElements")
def gather_elements(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The shape of the indices."""
    data = facts.of(node.inputs[0])
    return [Fact(data.dtype, facts.of(node.inputs[1]).shape, None, False, data.low, data.high)]


@transfer("GatherND")
def gather_nd(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """indices.shape[:-1] + data.shape[batch_dims + indices.shape[-1]:]."""
    data, indices = facts.of(node.inputs[0]), facts.of(node.inputs[1])
    batch = integer(node, "batch_dims", 0)
    shape = None
    if data.shape is not None and indices.shape and isinstance(indices.shape[-1], int):
        first = batch + indices.shape[-1]
        if batch < 0 or not 0 <= first <= len(data.shape):
            return None
        shape = indices.shape[:-1] + data.shape[first:]
    return [Fact(data.dtype, shape, None, False, data.low, data.high)]


@transfer("Compress")
def compress(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """What a mask keeps along an axis, or of the flat tensor."""
    data = facts.of(node.inputs[0])
    axis = integer(node, "axis", None)
    output = node.outputs[0]
    if axis is None:
        return [Fact(data.dtype, (unknown_dim(output, 0),), None, False, data.low, data.high)]
    if data.shape is None:
        return [Fact(data.dtype, None, None, False, data.low, data.high)]
    axis = axis_of(axis, len(data.shape))
    shape = (*data.shape[:axis], unknown_dim(output, axis), *data.shape[axis + 1 :])
    return [Fact(data.dtype, shape, None, False, data.low, data.high)]
