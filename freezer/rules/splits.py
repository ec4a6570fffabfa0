"""Split: what makes one, and what it does not need to take apart."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite, again
from freezer.rules.forms import MOST_PIECES, split_into
from freezer.rules.known import integer, made_by, only_user, same_type
from freezer.rules.registry import on
from freezer.rules.slices import ranges_of

_Piece = tuple[int, int, int]  # axis, start, end


@on("Slice", "Gather", late=True)
def split_instead_of_slices(node: ir.Node, facts: Facts) -> Answer:
    """Every piece of an axis, each taken once: what one Split makes. Its twins, one for each slice, are then merged.

    A Gather of neighbours in order is a slice. What is neither does not matter, nor do pieces of another axis.
    """
    mine, value = _piece(node, facts), node.inputs[0]
    if mine is None or value is None or facts.opset_imports.get("", 0) < 2:
        return None
    users = [user for user in value.consumers() if user.graph is node.graph]
    if len(users) > MOST_PIECES:
        return None
    pieces = sorted({piece for user in users for piece in _pieces(user, value, facts) if piece[0] == mine[0]})
    shape = facts.shape(value)
    if shape is None or not _whole(pieces, shape[mine[0]]) or len(pieces) < 2:
        return None
    split = split_into(value, mine[0], [end - start for _, start, end in pieces], facts)
    return Rewrite([split.outputs[pieces.index(mine)]], [split], [v for v in split.inputs[1:] if v is not None])


@on("Split")
def drop_split_of_concat(node: ir.Node, facts: Facts) -> Answer:
    """What a Concat joined, and a Split takes apart at the same places."""
    joined = made_by(node.inputs[0], "Concat")
    rank = facts.rank(node.inputs[0])
    if joined is None or not rank or (integer(joined, "axis", 0) - integer(node, "axis", 0)) % rank:
        return None
    if len(joined.inputs) != len(node.outputs) or None in joined.inputs:
        return None
    pairs = zip(joined.inputs, node.outputs, strict=True)
    return Rewrite(list(joined.inputs)) if all(same_type(a, b, facts) for a, b in pairs) else None


@on("Split")
def split_before_reversal(node: ir.Node, facts: Facts) -> Answer:
    """Of what is turned round along an axis, each element by itself: those of the axis, in the other order."""
    inner = made_by(node.inputs[0], "Slice")
    axis = _reversed_axis(inner, facts) if inner is not None and only_user(inner.outputs[0]) else None
    shape = facts.shape(node.inputs[0])
    if inner is None or shape is None or axis is None or integer(node, "axis", 0) % len(shape) != axis:
        return None
    count = len(node.outputs)
    if shape[axis] != count or any((facts.shape(v) or shape)[axis] != 1 for v in node.outputs):
        return None
    split = split_into(inner.inputs[0], axis, [1] * count, facts)
    return Rewrite([*reversed(split.outputs)], [split], [v for v in split.inputs[1:] if v is not None])


@on("Slice")
def concat_instead_of_reversal(node: ir.Node, facts: Facts) -> Answer:
    """Operands of length 1 are joined in the other order, instead of turned round once joined."""
    joined = made_by(node.inputs[0], "Concat")
    axis = _reversed_axis(node, facts) if joined is not None and only_user(joined.outputs[0]) else None
    shape = facts.shape(node.inputs[0])
    if joined is None or axis is None or shape is None or integer(joined, "axis", 0) % len(shape) != axis:
        return None
    if len(joined.inputs) != shape[axis] or any((facts.shape(v) or shape)[axis] != 1 for v in joined.inputs):
        return None
    return again(joined, joined.inputs[::-1], ())


def _reversed_axis(node: ir.Node, facts: Facts) -> int | None:
    """The axis of which a Slice takes every element, the last one first; None if it does something else."""
    found, shape = ranges_of(node, facts), facts.shape(node.inputs[0])
    if found is None or shape is None or len(found) != 1:
        return None
    start, end, axis, step = found[0]
    size = shape[axis]
    if not isinstance(size, int) or size < 2 or step != -1:
        return None
    return axis if len(range(size)[start:end:step]) == size else None


def _whole(pieces: list[_Piece], size: object) -> bool:
    """Whether they follow each other from the first element to the last."""
    ends = [0, *(end for _, _, end in pieces)]
    return ends[-1] == size and all(start == end for (_, start, _), end in zip(pieces, ends, strict=False))


def _pieces(user: ir.Node, value: ir.Value, facts: Facts) -> list[_Piece]:
    """What a node takes of a value: one piece, those of a Split that a slice has become already, or none."""
    if user.inputs[0] is not value or user.domain:
        return []
    if user.op_type == "Split":
        return _of_split(user, facts)
    piece = _piece(user, facts) if user.op_type in ("Slice", "Gather") else None
    return [] if piece is None else [piece]


def _piece(node: ir.Node, facts: Facts) -> _Piece | None:
    """What a slice with a step of 1 along one axis takes, if that is part of the axis and not nothing."""
    found = _of_slice(node, facts) if node.op_type == "Slice" else _of_gather(node, facts)
    shape = facts.shape(node.inputs[0])
    if found is None or shape is None:
        return None
    axis, start, end = found
    size = shape[axis]
    if not isinstance(size, int):
        return None
    start, end = (max(0, min(size, k + size if k < 0 else k)) for k in (start, end))
    return (axis, start, end) if start < end else None


def _of_slice(node: ir.Node, facts: Facts) -> _Piece | None:
    found = ranges_of(node, facts)
    if found is None or len(found) != 1 or found[0][3] != 1:
        return None
    start, end, axis, _ = found[0]
    return axis, start, end


def _of_gather(node: ir.Node, facts: Facts) -> _Piece | None:
    indices, rank = facts.ints(node.inputs[1]), facts.rank(node.inputs[0])
    if not indices or not rank or facts.rank(node.inputs[1]) != 1 or indices[0] < 0:
        return None
    neighbours = indices == tuple(range(indices[0], indices[0] + len(indices)))
    return (integer(node, "axis", 0) % rank, indices[0], indices[0] + len(indices)) if neighbours else None


def _of_split(node: ir.Node, facts: Facts) -> list[_Piece]:
    rank, start, found = facts.rank(node.inputs[0]), 0, []
    for output in node.outputs:
        shape, axis = facts.shape(output), integer(node, "axis", 0) % (rank or 1)
        length = shape[axis] if shape else None
        if not isinstance(length, int):
            return []
        found.append((axis, start, start + length))
        start += length
    return found
