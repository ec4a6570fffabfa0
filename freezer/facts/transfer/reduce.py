"""Reductions along axes; ArgMax and ArgMin."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import onnx_ir as ir

from freezer.facts.dims import Dim, Expr, Shape, at_least, is_signed, upper_bound
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_shape
from freezer.facts.transfer.attributes import axis_of, integer, integers, opset
from freezer.facts.transfer.content import INT64, TRACKED, content, count_of

_OPS = (
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
    "ReduceSum", "ReduceSumSquare",
)  # fmt: skip

_EXACT = 1 << 52


@transfer(*_OPS)
def reduction(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Reduced axes become 1, or go with keepdims=0. No axes means all of them, or none with noop_with_empty_axes."""
    data, output = facts.of(node.inputs[0]), node.outputs[0]
    keep = integer(node, "keepdims", 1)
    if data.shape is None or keep not in (0, 1):  # onnx and onnxruntime disagree about other numbers
        return [Fact(data.dtype)]
    rank = len(data.shape)
    axes = _axes(node, facts, rank)
    if axes is None:
        return [Fact(data.dtype, _unknown(node, facts, output, rank, bool(keep)))]
    shape = _reduced(data.shape, axes, bool(keep))
    bounds = (None, None)
    if node.op_type in ("ReduceMax", "ReduceMin") and all(at_least(data.shape[a], 1) for a in axes):
        bounds = (data.low, data.high)  # type: ignore[assignment]
    elements = _elements(data, axes, node.op_type) if data.elements is not None else None
    if elements is not None and len(elements) != count_of(shape):
        return None
    return [content(output, data.dtype, shape, elements, *bounds)]


def _axes(node: ir.Node, facts: Facts, rank: int) -> frozenset[int] | None:
    """The axes that are reduced; None if they are not known."""
    since = 13 if node.op_type == "ReduceSum" else 18
    given: tuple[int, ...] | None
    if opset(facts) < since:
        given = integers(node, "axes", None)
    elif len(node.inputs) < 2 or node.inputs[1] is None:
        given = ()
    else:
        given = facts.ints(node.inputs[1])
        if given is None:
            return None
    if given:
        return frozenset(axis_of(axis, rank) for axis in given)
    nothing = opset(facts) >= since and integer(node, "noop_with_empty_axes", 0) != 0
    return frozenset() if nothing else frozenset(range(rank))


def _unknown(node: ir.Node, facts: Facts, output: ir.Value, rank: int, keep: bool) -> Shape | None:
    if keep:
        return unknown_shape(output, rank)
    single = count_of(facts.of(node.inputs[1]).shape) == 1  # more axes may be the same one
    return unknown_shape(output, rank - 1) if single and rank else None


def _reduced(shape: Shape, axes: frozenset[int], keep: bool) -> Shape:
    if keep:
        return tuple([1 if i in axes else d for i, d in enumerate(shape)])
    return tuple([d for i, d in enumerate(shape) if i not in axes])


_FOLDS: dict[str, Callable[[list], Element]] = {
    "ReduceProd": math.prod, "ReduceSum": sum, "ReduceMax": max, "ReduceMin": min,
}  # fmt: skip


def _elements(data: Fact, axes: frozenset[int], op_type: str) -> list[Element | None] | None:
    """Sums and products of what is partly known; extremes of what is known. Runtimes go through float64."""
    fold = _FOLDS.get(op_type)
    shape = data.known_shape
    if fold is None or shape is None or data.dtype not in TRACKED or data.elements is None:
        return None
    extreme = op_type in ("ReduceMax", "ReduceMin")
    if extreme and data.known_elements is None:
        return None
    rest = [i for i in range(len(shape)) if i not in axes]
    places = np.arange(len(data.elements)).reshape(shape).transpose(*rest, *sorted(axes))
    rows = places.reshape(math.prod(shape[i] for i in rest), math.prod(shape[i] for i in axes)).tolist()
    if extreme and rows and not rows[0]:
        return None
    chosen = [[data.elements[i] for i in row] for row in rows]
    return [fold(row) if extreme or _is_exact(row, op_type) else None for row in chosen]


def _is_exact(row: list[Element], op_type: str) -> bool:
    """Whether no partial result, in whatever order, leaves what float64 holds."""
    if any(is_signed(e) for e in row):
        return False
    sizes = [abs(e) for e in row if not isinstance(e, Expr)]
    return (sum(sizes) if op_type == "ReduceSum" else math.prod(max(s, 1) for s in sizes)) <= _EXACT


@transfer("ArgMax", "ArgMin")
def position(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """A position along the axis: 0 to the dim less one."""
    data = facts.of(node.inputs[0])
    keep = integer(node, "keepdims", 1)
    if data.shape is None or keep not in (0, 1):
        return [Fact(INT64, low=0)]
    axis = axis_of(integer(node, "axis", 0), len(data.shape))
    shape = _reduced(data.shape, frozenset((axis,)), bool(keep))
    return [Fact(INT64, shape, None, False, 0, last_position(data.shape[axis]))]


def last_position(dim: Dim) -> int | None:
    """The greatest index along a dim; None if there may be none or it is not bounded."""
    most = upper_bound(dim)
    return None if most is None or most < 1 else most - 1
