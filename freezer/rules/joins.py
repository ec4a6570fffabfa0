"""Concat and Split."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Shape
from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import integer, made_by, only_user, same_type
from freezer.rules.layout import RESHAPES
from freezer.rules.registry import on


@on("Concat", "Sum", "Max", "Min", "Mean")
def drop_join_of_one(node: ir.Node, facts: Facts) -> Answer:
    """One operand, nothing to join."""
    return Rewrite([node.inputs[0]]) if len(node.inputs) == 1 else None


@on("Concat")
def drop_empty_operands(node: ir.Node, facts: Facts) -> Answer:
    """Operands of length 0 along the axis add nothing, as long as one operand stays."""
    axis = integer(node, "axis", 0)
    shapes = [facts.shape(v) for v in node.inputs]
    kept = [v for v, s in zip(node.inputs, shapes, strict=True) if not (s and _at(s, axis) == 0)]
    if len(kept) in (0, len(node.inputs)):
        return None
    return _concat(kept, node)


@on("Concat")
def merge_nested_concat(node: ir.Node, facts: Facts) -> Answer:
    """Concat(Concat(a, b), c) along one axis is Concat(a, b, c), where nothing else reads the inner one."""
    axis = integer(node, "axis", 0)
    operands: list[ir.Value | None] = []
    for value in node.inputs:
        inner, rank = made_by(value, "Concat"), facts.rank(value)
        if inner is not None and rank and (integer(inner, "axis", 0) - axis) % rank == 0 and only_user(value):
            operands += inner.inputs
        else:
            operands.append(value)
    return _concat(operands, node) if len(operands) > len(node.inputs) else None


@on(*RESHAPES)
def concat_instead_of_stack(node: ir.Node, facts: Facts) -> Answer:
    """To stack along a new axis and join that with the next one is to concatenate along the next one.

    The shapes say so: of each operand without its axis of length 1, and of what the reshape makes of them.
    """
    joined = made_by(node.inputs[0], "Concat")
    rank = facts.rank(node.inputs[0])
    if joined is None or not rank or not only_user(node.inputs[0]):
        return None
    axis = integer(joined, "axis", 0) % rank
    found = [part for part in (_unstacked(v, axis, facts) for v in joined.inputs) if part is not None]
    if len(found) < len(joined.inputs):
        return None
    (_, shape), length = found[0], sum(s[axis] for _, s in found)
    if facts.shape(node.outputs[0]) != (*shape[:axis], length, *shape[axis + 1 :]):
        return None
    concat = ir.Node("", "Concat", [v for v, _ in found], [ir.AttrInt64("axis", axis)])
    return Rewrite([concat.outputs[0]], [concat])


def _unstacked(value: ir.Value | None, axis: int, facts: Facts) -> tuple[ir.Value | None, Shape] | None:
    """What a reshape gave that axis, of length 1, and its shape, which has another axis there; None if it did not."""
    reshape = made_by(value, *RESHAPES)
    if reshape is None:
        return None
    shape = facts.shape(reshape.inputs[0])
    if shape is None or axis >= len(shape):
        return None
    return (reshape.inputs[0], shape) if facts.shape(value) == (*shape[:axis], 1, *shape[axis:]) else None


@on("Concat")
def drop_concat_of_split(node: ir.Node, facts: Facts) -> Answer:
    """All pieces of a Split, in order, along the same axis, are what was split."""
    split = made_by(node.inputs[0], "Split")
    if split is None or list(split.outputs) != list(node.inputs):
        return None
    rank = facts.rank(split.outputs[0])
    if not rank or (integer(split, "axis", 0) - integer(node, "axis", 0)) % rank:
        return None
    return Rewrite([split.inputs[0]])


@on("Split")
def drop_split_into_one(node: ir.Node, facts: Facts) -> Answer:
    """One piece of the whole length is the whole."""
    if len(node.outputs) != 1 or not same_type(node.inputs[0], node.outputs[0], facts):
        return None
    return Rewrite([node.inputs[0]])


def _concat(operands: list[ir.Value | None], node: ir.Node) -> Rewrite:
    joined = ir.Node("", "Concat", operands, list(node.attributes.values()))
    return Rewrite([joined.outputs[0]], [joined])


def _at(shape: tuple, axis: int) -> object:
    return shape[axis] if -len(shape) <= axis < len(shape) else None
