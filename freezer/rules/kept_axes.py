"""Axes that a node drops and a reshape puts back, or the other way round: the node can leave the right ones itself."""

from __future__ import annotations

import math

import onnx_ir as ir

from freezer.facts.dims import Shape
from freezer.facts.fact import Fact
from freezer.facts.table import Facts
from freezer.rewrite import Answer, again
from freezer.rules.known import integer, made_by, only_user, stored
from freezer.rules.layout import RESHAPES
from freezer.rules.registry import on

_REDUCTIONS = (
    "ArgMax", "ArgMin", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
)  # fmt: skip
_SMALL = 128  # bytes


@on(*RESHAPES)
def reduce_to_the_right_rank(node: ir.Node, facts: Facts) -> Answer:
    """keepdims says whether the reduced axes stay as 1: the same numbers in the same order, in one shape or the other.

    Both shapes come from facts: of the input, and of the reduction as it is, which says what axes it reduces.
    """
    inner = made_by(node.inputs[0], *_REDUCTIONS)
    if inner is None or not only_user(inner.outputs[0]):
        return None
    shape, keeps = facts.shape(inner.inputs[0]), integer(inner, "keepdims", 1)
    if not shape:
        return None
    axes = _reduced(inner, len(shape), facts)
    if axes is None:
        return None
    kept = tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))
    dropped = tuple(dim for axis, dim in enumerate(shape) if axis not in axes)
    if facts.shape(node.outputs[0]) != (dropped if keeps else kept):
        return None
    return again(inner, inner.inputs, (), ir.AttrInt64("keepdims", int(not keeps)))


def _reduced(node: ir.Node, rank: int, facts: Facts) -> set[int] | None:
    """The axes >= 0 that it reduces; None if they are not known, or it may reduce none."""
    attribute = node.attributes.get("axes")
    if node.op_type.startswith("Arg"):
        return {integer(node, "axis", 0) % rank}
    given = attribute.value if attribute is not None else ()
    if len(node.inputs) > 1 and node.inputs[1] is not None:
        given = facts.ints(node.inputs[1])
    if given is None or (not given and integer(node, "noop_with_empty_axes", 0)):
        return None
    return {axis % rank for axis in given} or set(range(rank))


@on(*RESHAPES)
def gather_by_reshaped_indices(node: ir.Node, facts: Facts) -> Answer:
    """Gather(x, i) has the axes of i where x had the gathered one: to reshape those is to reshape i, a constant."""
    inner = made_by(node.inputs[0], "Gather")
    if inner is None or not only_user(inner.outputs[0]):
        return None
    indices, data, shape = facts.array(inner.inputs[1]), facts.shape(inner.inputs[0]), facts.shape(node.outputs[0])
    if indices is None or not data or shape is None:
        return None
    form = _between(shape, data, integer(inner, "axis", 0) % len(data))
    if form is None or math.prod(form) != indices.size:
        return None
    if indices.nbytes > _SMALL and not only_user(inner.inputs[1]):
        return None  # they would be stored twice
    new = stored(indices.reshape(form), ir.DataType.from_numpy(indices.dtype))
    return again(inner, [inner.inputs[0], new], [new])


def _between(shape: Shape, data: Shape, axis: int) -> tuple[int, ...] | None:
    """The dims of a shape that are neither before that axis of the data nor after it; None if it is not made so."""
    end = len(shape) - (len(data) - axis - 1)
    form = shape[axis:end]
    if end < axis or shape[:axis] != data[:axis] or shape[end:] != data[axis + 1 :]:
        return None
    return Fact(shape=form).known_shape
