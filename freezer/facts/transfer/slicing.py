"""Slice, on dims, starts and ends that may be symbols."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Expr, at_least, exact_div, floor_div, is_signed, maximum, minimum
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim, unknown_shape
from freezer.facts.transfer.attributes import Unclear, axes_of, integers, opset
from freezer.facts.transfer.content import Elements, content, elements_of, moved
from freezer.facts.transfer.target import target_rank

_END = (1 << 31) - 1  # what exporters write for "to the end": no dim is as large


@transfer("Slice")
def slice_of(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Operands from opset 10 on, attributes before."""
    data = facts.of(node.inputs[0])
    if data.shape is None:
        return [Fact(data.dtype, None, None, False, data.low, data.high)]
    parts = _attributes(node) if opset(facts) < 10 else _operands(node, facts)
    if parts is None:
        unknown = unknown_shape(node.outputs[0], len(data.shape))
        return [Fact(data.dtype, unknown, None, False, data.low, data.high)]
    starts, ends, axes, steps = parts
    axes = axes_of(axes, len(data.shape))
    if not len(starts) == len(ends) == len(axes) == len(steps):
        return None
    shape: list[Dim] = list(data.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        length = None if isinstance(step, Expr) else _length(data.shape[axis], start, end, step)
        shape[axis] = unknown_dim(node.outputs[0], axis) if length is None else length
    if data.elements is None or any(isinstance(p, Expr) for part in (starts, ends, steps) for p in part):
        return [Fact(data.dtype, tuple(shape), None, False, data.low, data.high)]
    cut = [slice(None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        cut[axis] = slice(*_positions(data.shape[axis], start, end, step), step)  # type: ignore[arg-type]
    if len(shape) == 1:
        return [content(node.outputs[0], data.dtype, tuple(shape), data.elements[cut[0]], data.low, data.high)]
    return [moved(data, tuple(shape), lambda a: a[tuple(cut)])]


_Parts = tuple[Elements, Elements, tuple[int, ...], Elements]


def _attributes(node: ir.Node) -> _Parts:
    starts, ends = integers(node, "starts", ()), integers(node, "ends", ())
    axes = integers(node, "axes", None)
    return starts, ends, tuple(range(len(starts))) if axes is None else axes, (1,) * len(starts)


def _operands(node: ir.Node, facts: Facts) -> _Parts | None:
    """None where not even the axes are known."""
    values = (*node.inputs, None, None)[1:5]
    found = [facts.of(v) for v in values]
    count = target_rank(found[0])
    count = target_rank(found[1]) if count is None else count
    axes = tuple(range(count or 0)) if values[2] is None else facts.ints(values[2])
    if count is None or axes is None:
        return None
    starts, ends = (elements_of(v, f) for v, f in zip(values[:2], found[:2], strict=True))  # type: ignore[arg-type]
    steps = (1,) * count if values[3] is None else elements_of(values[3], found[3])
    if starts is None or ends is None or steps is None:
        return None
    return starts, ends, axes, steps


def _positions(dim: int, start: int, end: int, step: int) -> tuple[int, int | None]:
    """First and last position as Python's slice takes them: a stop before the first element is None."""
    if step == 0:
        raise Unclear("a step of 0")
    start, end = (p + dim if p < 0 else p for p in (start, end))
    if step > 0:
        return min(max(start, 0), dim), min(max(end, 0), dim)
    start, end = min(max(start, 0), dim - 1), min(max(end, -1), dim - 1)
    return start, None if end < 0 else end


def _length(dim: Dim, start: Element, end: Element, step: int) -> Dim | None:
    """The number of positions; None where it has no formula."""
    if step == 0 or (step < 0 and not isinstance(end, Expr) and end >= _END):
        raise Unclear("a step of 0; or backwards to the end, which runtimes read differently")
    if isinstance(dim, int) and not isinstance(start, Expr) and not isinstance(end, Expr):
        return len(range(dim)[slice(*_positions(dim, start, end, step), step)])
    if step < 0:
        return _reversed(dim, start, end, step)
    reach = _reach(dim, start, end)
    if reach is None or step == 1:
        return reach
    exact = exact_div(reach, step)
    return exact if exact is not None else floor_div(reach + (step - 1), step)


def _reversed(dim: Dim, start: Element, end: Element, step: int) -> Dim | None:
    """Only all of the axis, backwards."""
    if isinstance(start, Expr) or isinstance(end, Expr) or end > -_END or -1 != start < _END:
        return None
    return floor_div(dim + (-step - 1), -step)


def _reach(dim: Dim, start: Element, end: Element) -> Dim | None:
    """max(0, end - start), both brought into 0..dim."""
    to_end = (not isinstance(end, Expr) and end >= _END) or end == dim
    if to_end and not isinstance(start, Expr) and start < 0:
        return minimum(dim, -start)
    if to_end and _is_position(start):
        return dim if start == 0 else maximum(dim - start, 0)
    first, last = _clamped(dim, start), _clamped(dim, end)
    if first is None or last is None:
        return None
    return last if first == 0 else maximum(last - first, 0)


def _is_position(place: Element) -> bool:
    return not is_signed(place) and at_least(place, 0)


def _clamped(dim: Dim, place: Element) -> Dim | None:
    """A start or end of a positive step as a position; None where its sign is not known."""
    if not isinstance(place, Expr) and place >= _END:
        return dim
    if _is_position(place):
        return minimum(place, dim)
    if is_signed(place) or not at_least(-1 - place, 0):
        return None
    return maximum(dim + place, 0)
