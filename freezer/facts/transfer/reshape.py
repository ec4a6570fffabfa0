"""Ops that keep all elements in their order: Reshape, Flatten, Squeeze, Unsqueeze."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Expr, Shape, at_least, exact_div, floor_div, is_signed, lower_bound, volume
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim, unknown_shape
from freezer.facts.transfer.attributes import Unclear, axes_of, axis_of, integer, integers, opset
from freezer.facts.transfer.content import count_of
from freezer.facts.transfer.target import target_rank


def reshaped(fact: Fact, shape: Shape | None) -> Fact:
    """The fact of a tensor with the same elements in another shape."""
    elements = fact.elements
    if elements is not None and (shape is None or count_of(shape) != len(elements)):
        elements = None
    return Fact(fact.dtype, shape, elements, False, fact.low, fact.high)


@transfer("Reshape")
def reshape(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """To the shape its operand spells (an attribute before opset 5): 0 copies a dim, -1 is what is left."""
    data = facts.of(node.inputs[0])
    given = Fact(elements=integers(node, "shape", ())) if opset(facts) < 5 else facts.of(node.inputs[1])
    rank = target_rank(given)
    if rank is None:
        return [reshaped(data, None)]
    if given.elements is None:
        return [reshaped(data, _of_rank(node.outputs[0], data, rank))]
    if integer(node, "allowzero", 0):
        shape = _literal(node.outputs[0], data.shape, given)
    else:
        shape = _target(node.outputs[0], data.shape, given)
    return [reshaped(data, shape)]


def _of_rank(output: ir.Value, data: Fact, rank: int) -> Shape:
    total = None if data.shape is None else volume(data.shape)
    return (total,) if rank == 1 and total is not None else unknown_shape(output, rank)


def _literal(output: ir.Value, before: Shape | None, given: Fact) -> Shape:
    """allowzero=1: 0 is a dim of size 0."""
    target = given.elements or ()
    return _completed(output, before, [_plain(e, given) for e in target], -1 in target)


def _plain(element: Element, given: Fact) -> Dim | None:
    """A target dim as it is spelt; None for -1 or what may be -1."""
    if isinstance(element, Expr):
        sure = (given.low if given.low is not None else -1) >= 0 or (not is_signed(element) and at_least(element, 0))
        return element if sure else None
    if element < -1:
        raise Unclear("a dim below -1")
    return None if element == -1 else int(element)


def _target(output: ir.Value, before: Shape | None, given: Fact) -> Shape:
    """A symbol in the target may be 0 at run time, and then it copies the dim in its place."""
    target = given.elements or ()
    dims: list[Dim | None] = []
    for axis, element in enumerate(target):
        copied = before[axis] if before is not None and axis < len(before) else None
        if not isinstance(element, Expr) and element == 0:
            if before is not None and copied is None:
                raise Unclear("0 copies a dim that is not there")
            dims.append(unknown_dim(output, axis) if copied is None else copied)
        elif isinstance(element, Expr) and not _certain(element, given, copied):
            dims.append(None)
        else:
            dims.append(_plain(element, given))
    return _completed(output, before, dims, -1 in target)


def _certain(element: Expr, given: Fact, copied: Dim | None) -> bool:
    """Whether the dim is the element for every feed: it is never 0, or 0 only where the copied dim is."""
    low = lower_bound(element)
    if (low is not None and low > 0 and not is_signed(element)) or (given.low is not None and given.low > 0):
        return True
    if copied is None or is_signed(element):
        return False
    factor = exact_div(element, copied) if copied != 0 else None
    return isinstance(factor, int) and factor > 0


def _completed(output: ir.Value, before: Shape | None, dims: list[Dim | None], is_open: bool) -> Shape:
    """One dim that is None is the total divided by the others, if they are not 0: no runtime accepts a -1 then."""
    open_axes = [i for i, d in enumerate(dims) if d is None]
    if len(open_axes) == 1 and before is not None:
        others = volume(tuple(d for d in dims if d is not None))
        total = volume(before)
        if others is not None and total is not None and others != 0 and (is_open or at_least(others, 1)):
            dims[open_axes[0]] = _divided(total, others)
    return tuple(unknown_dim(output, i) if d is None else d for i, d in enumerate(dims))


def _divided(total: Dim, others: Dim) -> Dim | None:
    exact = exact_div(total, others)
    if exact is not None or (isinstance(total, int) and isinstance(others, int)):
        return exact
    return floor_div(total, others) if isinstance(others, int) and others > 0 else None


@transfer("Flatten")
def flatten(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Two dims: the product of those before the axis, and of the rest."""
    data = facts.of(node.inputs[0])
    output = node.outputs[0]
    if data.shape is None:
        return [reshaped(data, unknown_shape(output, 2))]
    axis, rank = integer(node, "axis", 1), len(data.shape)
    axis = rank if axis == rank else axis_of(axis, rank)
    halves = (volume(data.shape[:axis]), volume(data.shape[axis:]))
    return [reshaped(data, tuple(unknown_dim(output, i) if d is None else d for i, d in enumerate(halves)))]


def _axes(node: ir.Node, facts: Facts) -> tuple[tuple[int, ...] | None, int | None]:
    """The axes (an operand from opset 13 on) and how many there are; None for what is not known, 0 axes for none."""
    if opset(facts) < 13:
        found = integers(node, "axes", ())
    elif len(node.inputs) < 2 or node.inputs[1] is None:
        found = ()
    else:
        known = facts.ints(node.inputs[1])
        if known is None:
            return None, target_rank(facts.of(node.inputs[1]))
        found = known
    return found, len(found)


@transfer("Squeeze")
def squeeze(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Without the given axes, each of size 1; without axes given, without all of size 1."""
    data = facts.of(node.inputs[0])
    axes, count = _axes(node, facts)
    if data.shape is None or count is None:
        return [reshaped(data, None)]
    if axes is None:
        shape = unknown_shape(node.outputs[0], len(data.shape) - 1) if count == 1 else None  # more may be the same one
        return [reshaped(data, shape)]
    if not axes:
        if any(d != 1 and (lower_bound(d) or 0) < 2 for d in data.shape if d != 0):
            return [reshaped(data, None)]  # a symbol may be 1
        return [reshaped(data, tuple(d for d in data.shape if d != 1))]
    gone = {axis_of(axis, len(data.shape)) for axis in axes}
    return [reshaped(data, tuple(d for i, d in enumerate(data.shape) if i not in gone))]


@transfer("Unsqueeze")
def unsqueeze(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """With axes of size 1 at the given places of the result."""
    data = facts.of(node.inputs[0])
    axes, count = _axes(node, facts)
    if data.shape is None or count is None:
        return [reshaped(data, None)]
    if axes is None:
        return [reshaped(data, unknown_shape(node.outputs[0], len(data.shape) + count))]
    rank = len(data.shape) + len(axes)
    new, rest = axes_of(axes, rank), iter(data.shape)
    return [reshaped(data, tuple(1 if i in new else next(rest) for i in range(rank)))]
