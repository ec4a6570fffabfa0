"""Split: what makes one, and what it does not need to take apart."""

from __future__ import annotations

from typing import Union

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite, again
from freezer.rules.forms import MOST_PIECES, split_into
from freezer.rules.known import HALVES, integer, length, made_by, only_user, same_type
from freezer.rules.registry import on
from freezer.rules.slices import ranges_of

_Piece = tuple[Union[ir.Value, None], int, int, int]  # of which value, axis, start, end
_Ends = tuple[int, int, int]  # axis, start, end, counted from either end


@on("Slice", "Gather", late=True)
def split_instead_of_slices(node: ir.Node, facts: Facts) -> Answer:
    """Every piece of an axis, each taken once: what one Split makes. Its twins, one for each slice, are then merged.

    A Gather of neighbours in order is a slice. What is neither does not matter, nor do pieces of another axis.
    """
    mine, value = _piece(node, facts), node.inputs[0]
    if mine is None:
        return None
    assert value is not None  # a piece of it is known
    if not _may_be_split(value, facts):
        return None
    users = [user for user in value.consumers() if user.graph is node.graph]
    if len(users) > MOST_PIECES:
        return None
    pieces = sorted({piece for user in users for piece in _pieces(user, facts) if piece[:2] == mine[:2]})
    axis = mine[1]
    if len(pieces) < 2 or not _whole(pieces, length(value, axis, facts)):
        return None
    split, new = split_into(value, axis, [end - start for *_, start, end in pieces], facts)
    return Rewrite([split.outputs[pieces.index(mine)]], [split], new)


def _may_be_split(value: ir.Value, facts: Facts) -> bool:
    """Not before opset 2, which says the lengths otherwise. Nor what was computed in half precision: onnxruntime rounds
    it for a slice that is moved on, for a Split as soon as one of the pieces is."""
    if facts.opset_imports.get("", 0) < 2:
        return False
    return facts.dtype(value) not in HALVES or value.producer() is None


@on("Split")
def drop_split_of_concat(node: ir.Node, facts: Facts) -> Answer:
    """What a Concat joined, and a Split takes apart at the same places: pieces of the shapes of the operands.

    Along another axis they would be as long where the operands were joined as all of these together.
    """
    joined = made_by(node.inputs[0], "Concat")
    if joined is None or len(joined.inputs) != len(node.outputs):
        return None
    pairs = zip(joined.inputs, node.outputs, strict=True)
    return Rewrite(list(joined.inputs)) if all(same_type(a, b, facts) for a, b in pairs) else None


@on("Split")
def split_before_reversal(node: ir.Node, facts: Facts) -> Answer:
    """Of what is turned round along an axis, each element by itself: those of the axis, in the other order.

    Pieces of length 1 along an axis that is longer are what a Split along that axis gives.
    """
    inner = made_by(node.inputs[0], "Slice")
    if inner is None or not only_user(inner.outputs[0]):
        return None
    axis = _reversed_axis(inner, facts)
    if axis is None or any(length(v, axis, facts) != 1 for v in node.outputs):
        return None
    split, new = split_into(inner.inputs[0], axis, [1] * len(node.outputs), facts)
    return Rewrite([*reversed(split.outputs)], [split], new)


@on("Slice")
def concat_instead_of_reversal(node: ir.Node, facts: Facts) -> Answer:
    """Operands of length 1 are joined in the other order, instead of turned round once joined.

    Where all of them are of length 1, and what is joined is longer, they were joined along that axis.
    """
    joined = made_by(node.inputs[0], "Concat")
    if joined is None or not only_user(joined.outputs[0]):
        return None
    axis = _reversed_axis(node, facts)
    if axis is None or any(length(v, axis, facts) != 1 for v in joined.inputs):
        return None
    return again(joined, joined.inputs[::-1], ())


def _reversed_axis(node: ir.Node, facts: Facts) -> int | None:
    """The axis, longer than 1, of which a Slice takes every element, the last one first; None if it does not."""
    found = ranges_of(node, facts)
    if found is None or len(found) != 1:
        return None
    start, end, axis, step = found[0]
    size = length(node.inputs[0], axis, facts)
    if size is None or size < 2:
        return None
    return axis if range(size)[start:end:step] == range(size)[::-1] else None


def _whole(pieces: list[_Piece], size: object) -> bool:
    """Whether they follow each other from the first element to the last."""
    ends = [0, *(end for *_, end in pieces)]
    return ends[-1] == size and all(start == end for (*_, start, _), end in zip(pieces, ends, strict=False))


def _pieces(user: ir.Node, facts: Facts) -> list[_Piece]:
    """What a node takes of its first operand: one piece, those of a Split that a slice has become already, or none."""
    if user.domain:
        return []
    if user.op_type == "Split":
        return _of_split(user, facts)
    piece = _piece(user, facts) if user.op_type in ("Slice", "Gather") else None
    return [] if piece is None else [piece]


def _piece(node: ir.Node, facts: Facts) -> _Piece | None:
    """What a slice with a step of 1 along one axis takes, if that is part of the axis and not nothing."""
    found = _of_slice(node, facts) if node.op_type == "Slice" else _of_gather(node, facts)
    if found is None:
        return None
    axis, start, end = found
    size = length(node.inputs[0], axis, facts)
    if size is None:
        return None
    start, end = (max(0, min(size, k + size if k < 0 else k)) for k in (start, end))
    return (node.inputs[0], axis, start, end) if start < end else None


def _of_slice(node: ir.Node, facts: Facts) -> _Ends | None:
    found = ranges_of(node, facts)
    if found is None or len(found) != 1 or found[0][3] != 1:
        return None
    start, end, axis, _ = found[0]
    return axis, start, end


def _of_gather(node: ir.Node, facts: Facts) -> _Ends | None:
    indices, rank = facts.ints(node.inputs[1]), facts.rank(node.inputs[0])
    if not indices or not rank or facts.rank(node.inputs[1]) != 1 or indices[0] < 0:
        return None
    neighbours = indices == tuple(range(indices[0], indices[0] + len(indices)))
    return (integer(node, "axis", 0) % rank, indices[0], indices[0] + len(indices)) if neighbours else None


def _of_split(node: ir.Node, facts: Facts) -> list[_Piece]:
    rank, axis, start, found = facts.rank(node.inputs[0]), integer(node, "axis", 0), 0, []
    if rank is None:
        return []
    for output in node.outputs:
        size = length(output, axis, facts)
        if size is None:
            return []
        found.append((node.inputs[0], axis % rank, start, start + size))
        start += size
    return found
