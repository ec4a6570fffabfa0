"""Slices that are one slice, or one element."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import constant, length, made_by, only_user
from freezer.rules.registry import on

_Range = tuple[int, int, int, int]  # start, end, axis, step


@on("Slice")
def merge_slices(node: ir.Node, facts: Facts) -> Answer:
    """Slice(Slice(x)) is one Slice: along an axis that both take part of, it takes a part of a part."""
    inner = made_by(node.inputs[0], "Slice")
    if inner is None or not only_user(inner.outputs[0]):
        return None
    first, second, value = ranges_of(inner, facts), ranges_of(node, facts), inner.inputs[0]
    if first is None or second is None:
        return None
    both = {a for _, _, a, _ in first} & {a for _, _, a, _ in second}
    parts = [_part_of_part(a, first, second, length(value, a, facts)) for a in sorted(both)]
    if None in parts:
        return None
    apart = [r for r in first + second if r[2] not in both]
    columns = [constant(list(column)) for column in zip(*apart, *parts, strict=True)]
    merged = ir.Node("", "Slice", [value, *columns])
    return Rewrite([merged.outputs[0]], [merged], columns)


def _part_of_part(axis: int, first: list[_Range], second: list[_Range], size: int | None) -> _Range | None:
    """One range for two along an axis of known length, as Python composes them; None if it is not known, or nothing.

    Slice and Python clamp alike, but for a start before the first element: Slice clamps it to that, also when it goes
    backwards. An end before the first element is written as one that stays so when the length is added.
    """
    if size is None:
        return None
    taken = range(size)
    for ranges in (first, second):
        start, end, _, step = next(r for r in ranges if r[2] == axis)
        taken = taken[max(start, -len(taken)) : end : step]
    return (taken.start, taken.stop if taken.stop >= 0 else -size - 1, axis, taken.step) if taken else None


@on("Squeeze")
def gather_instead_of_slice(node: ir.Node, facts: Facts) -> Answer:
    """Squeeze(Slice(x, k, k + 1, axis), axis) is Gather(x, k, axis), however the slice says that it has one element."""
    inner = made_by(node.inputs[0], "Slice")
    if inner is None or not only_user(inner.outputs[0]):
        return None
    ranges, shape = ranges_of(inner, facts), facts.shape(inner.inputs[0])
    if ranges is None or len(ranges) != 1 or shape is None:
        return None
    start, _, axis, _ = ranges[0]
    rest = shape[:axis] + shape[axis + 1 :]  # the shape after it only if the slice has length 1: no need for its end
    if start < 0 or facts.shape(node.outputs[0]) != rest or not _has(shape[axis], start):
        return None
    index = ir.Value(const_value=ir.tensor(start, dtype=ir.DataType.INT64))
    gather = ir.Node("", "Gather", [inner.inputs[0], index], [ir.AttrInt64("axis", axis)])
    return Rewrite([gather.outputs[0]], [gather], [index])


def _has(size: object, index: int) -> bool:
    """Whether an axis certainly holds that element: a slice beyond the end is empty, a gather fails."""
    return isinstance(size, int) and index < size


def ranges_of(node: ir.Node, facts: Facts) -> list[_Range] | None:
    """(start, end, axis >= 0, step) for each sliced axis of an opset 10 Slice with constant operands."""
    rank = facts.rank(node.inputs[0])
    if not rank or len(node.inputs) < 3:
        return None
    given = [facts.ints(v) for v in node.inputs[1:]]
    starts, ends = given[:2]
    if starts is None or ends is None:
        return None
    axes = _or_default(node, given, 3, tuple(range(len(starts))))
    steps = _or_default(node, given, 4, (1,) * len(starts))
    if axes is None or steps is None or len({len(starts), len(ends), len(axes), len(steps)}) > 1:
        return None
    return list(zip(starts, ends, (a % rank for a in axes), steps, strict=True))


def _or_default(node: ir.Node, given: list, index: int, default: tuple[int, ...]) -> tuple[int, ...] | None:
    absent = len(node.inputs) <= index or node.inputs[index] is None
    return default if absent else given[index - 1]
