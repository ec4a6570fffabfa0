"""Axes that a reshape makes, a transpose moves and a gather or another reshape takes away again."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape
from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite, again
from freezer.rules.known import constant, integer, made_by, only_user
from freezer.rules.layout import RESHAPES, order_of, reshape_target
from freezer.rules.registry import on


@on(*RESHAPES)
def reshape_before_transpose(node: ir.Node, facts: Facts) -> Answer:
    """A reshape that only adds or drops axes of length 1 goes before the Transpose, to merge with a reshape there.

    Such an axis holds no order: wherever it stands before, the Transpose may put it anywhere.
    """
    inner = made_by(node.inputs[0], "Transpose")
    before = made_by(inner.inputs[0], *RESHAPES) if inner is not None and only_user(inner.outputs[0]) else None
    if inner is None or before is None or not only_user(before.outputs[0]):
        return None
    shape, perm, result = facts.shape(inner.inputs[0]), order_of(inner, facts), facts.shape(node.outputs[0])
    if shape is None or perm is None or result is None or facts.opset_imports.get("", 0) < 5:
        return None
    long = [axis for axis in perm if shape[axis] != 1]
    if [shape[axis] for axis in long] != [d for d in result if d != 1]:
        return None
    return _reshape_and_transpose(inner.inputs[0], result, long)


@on(*RESHAPES)
def transpose_before_reshape(node: ir.Node, facts: Facts) -> Answer:
    """Before a Transpose that a reshape follows, one that only adds or drops axes of length 1 goes."""
    inner = made_by(node.inputs[0], "Transpose")
    before = made_by(inner.inputs[0], *RESHAPES) if inner is not None and only_user(inner.outputs[0]) else None
    if inner is None or before is None or not only_user(before.outputs[0]):
        return None
    given, shape, perm = facts.shape(before.inputs[0]), facts.shape(inner.inputs[0]), order_of(inner, facts)
    target = reshape_target(facts.shape(node.outputs[0]))
    if given is None or shape is None or perm is None or target is None or facts.opset_imports.get("", 0) < 5:
        return None
    long = [axis for axis, dim in enumerate(given) if dim != 1]
    names = [axis for axis, dim in enumerate(shape) if dim != 1]
    if [given[a] for a in long] != [shape[a] for a in names]:
        return None
    order = [axis for axis, dim in enumerate(given) if dim == 1] + [long[names.index(a)] for a in perm if a in names]
    transpose = ir.Node("", "Transpose", before.inputs[:1], [ir.AttrInt64s("perm", order)])
    wanted = constant(target)
    reshape = ir.Node("", "Reshape", [transpose.outputs[0], wanted])
    return Rewrite([reshape.outputs[0]], [transpose, reshape], [wanted])


def _reshape_and_transpose(value: ir.Value | None, result: Shape, long: list[int]) -> Rewrite | None:
    """Of a value of which the long axes come in that order. An axis of length 1 stays behind the one before it."""
    rank, place, offset = -1, [], 0
    for dim in result:
        rank, offset = (rank + 1, 0) if dim != 1 else (rank, offset + 1)
        place.append((long[rank] if rank >= 0 else -1, offset))
    order = sorted(place)
    target = reshape_target(tuple(result[place.index(at)] for at in order))
    if target is None:
        return None
    shape = constant(target)
    reshape = ir.Node("", "Reshape", [value, shape])
    perm = [order.index(at) for at in place]
    if perm == sorted(perm):
        return Rewrite([reshape.outputs[0]], [reshape], [shape])
    transpose = ir.Node("", "Transpose", reshape.outputs, [ir.AttrInt64s("perm", perm)])
    return Rewrite([transpose.outputs[0]], [reshape, transpose], [shape])


@on("Gather")
def gather_before_transpose(node: ir.Node, facts: Facts) -> Answer:
    """One element of an axis of Transpose(x) is one of an axis of x, if what is left lies in the order of x."""
    inner = made_by(node.inputs[0], "Transpose")
    perm = order_of(inner, facts) if inner is not None else None
    if inner is None or not perm or facts.rank(node.inputs[1]) != 0:
        return None
    axis = integer(node, "axis", 0) % len(perm)
    rest = perm[:axis] + perm[axis + 1 :]
    if rest != sorted(rest):
        return None
    return again(node, [inner.inputs[0], node.inputs[1]], (), ir.AttrInt64("axis", perm[axis]))


@on("Gather")
def slice_instead_of_gather(node: ir.Node, facts: Facts) -> Answer:
    """Where a Reshape cuts an axis into k parts of m, to gather part i is to slice from i * m to i * m + m."""
    inner = made_by(node.inputs[0], *RESHAPES)
    index = facts.ints(node.inputs[1])
    if inner is None or index is None or facts.rank(node.inputs[1]) != 0 or facts.opset_imports.get("", 0) < 10:
        return None
    whole, parts = facts.shape(inner.inputs[0]), facts.shape(inner.outputs[0])
    axis = integer(node, "axis", 0) % len(parts) if parts else 0
    if whole is None or parts is None or not _cuts(whole, parts, axis):
        return None
    count, length = parts[axis : axis + 2]
    assert isinstance(count, int) and isinstance(length, int)
    if not -count <= index[0] < count:
        return None
    start = index[0] % count * length
    ends = [constant([start]), constant([start + length]), constant([axis])]
    taken = ir.Node("", "Slice", [inner.inputs[0], *ends])
    return Rewrite([taken.outputs[0]], [taken], ends)


def _cuts(whole: Shape, parts: Shape, axis: int) -> bool:
    """Whether the second shape is the first with that axis cut in two of known lengths, neither of them 1."""
    if len(parts) != len(whole) + 1 or axis + 1 >= len(parts):
        return False
    count, length = parts[axis : axis + 2]
    if not isinstance(count, int) or not isinstance(length, int) or min(count, length) < 2:
        return False
    return (*whole[:axis], *whole[axis + 1 :]) == (*parts[:axis], *parts[axis + 2 :]) and whole[axis] == count * length


@on("Transpose")
def reshape_instead_of_transposes(node: ir.Node, facts: Facts) -> Answer:
    """Transpose(Reshape(Transpose(x))) is a Reshape, if the axes that it joins or cuts end up in the order of x."""
    middle = made_by(node.inputs[0], *RESHAPES)
    inner = made_by(middle.inputs[0], "Transpose") if middle is not None else None
    if middle is None or inner is None:
        return None
    first, second = order_of(inner, facts), order_of(node, facts)
    before, after = facts.shape(middle.inputs[0]), facts.shape(middle.outputs[0])
    target = reshape_target(facts.shape(node.outputs[0]))
    pieces = _pieces(before, after) if before is not None and after is not None else None
    if first is None or second is None or target is None or pieces is None or facts.opset_imports.get("", 0) < 5:
        return None
    origin = [i for axis in range(len(first)) for i, (a, _) in enumerate(pieces) if first[a] == axis]
    result = [i for axis in second for i, (_, b) in enumerate(pieces) if b == axis]
    if origin != result:
        return None
    shape = constant(target)
    reshape = ir.Node("", "Reshape", [inner.inputs[0], shape])
    return Rewrite([reshape.outputs[0]], [reshape], [shape])


def _pieces(before: Shape, after: Shape) -> list[tuple[int, int]] | None:
    """The axis in either shape of each piece that they have in common; None if one joins parts of two others."""
    pieces: list[tuple[int, int]] = []
    old, new = _long(before), _long(after)
    while old and new:
        (i, a), (j, b) = old.pop(0), new.pop(0)
        pieces.append((i, j))
        if a == b:
            continue
        if not isinstance(a, int) or not isinstance(b, int) or 0 in (a, b) or max(a, b) % min(a, b):
            return None
        rest = max(a, b) // min(a, b)
        (old if a > b else new).insert(0, (i, rest) if a > b else (j, rest))
    return None if old or new else pieces


def _long(shape: Shape) -> list[tuple[int, Dim]]:
    return [(axis, dim) for axis, dim in enumerate(shape) if dim != 1]
