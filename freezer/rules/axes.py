"""Axes that a reshape makes, a transpose moves and a gather or another reshape takes away again."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape, exact_div, product
from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite, again
from freezer.rules.known import constant, integer, made_by, makers, only_user
from freezer.rules.layout import RESHAPES, order_of, reshape_to
from freezer.rules.registry import on


@on(*RESHAPES)
def reshape_before_transpose(node: ir.Node, facts: Facts) -> Answer:
    """A reshape that only adds or drops axes of length 1 goes before the Transpose, to merge with a reshape there.

    Such an axis holds no order: wherever it stands before, the Transpose may put it anywhere.
    """
    found, result = _after_reshape(node, facts), facts.shape(node.outputs[0])
    if found is None or result is None:
        return None
    inner, shape, long = found
    if [shape[axis] for axis in long] != [d for d in result if d != 1]:
        return None
    return _reshape_and_transpose(inner.inputs[0], result, long, facts)


@on(*RESHAPES)
def transpose_before_reshape(node: ir.Node, facts: Facts) -> Answer:
    """Before a Transpose that a reshape follows, one that only adds or drops axes of length 1 goes.

    What is transposed has the same long axes in the same order, and the last reshape sees only the order of elements.
    """
    found = _after_reshape(node, facts)
    if found is None:
        return None
    inner, shape, long = found
    value = makers(inner.inputs[0], RESHAPES)[0].inputs[0]
    given, names = facts.shape(value), sorted(long)
    if given is None or [d for d in given if d != 1] != [shape[axis] for axis in names]:
        return None
    ones, places = ([axis for axis, dim in enumerate(given) if (dim == 1) is one] for one in (True, False))
    order = ones + [places[names.index(axis)] for axis in long]
    transpose = ir.Node("", "Transpose", [value], [ir.AttrInt64s("perm", order)])
    made = reshape_to(transpose.outputs[0], facts.shape(node.outputs[0]), facts)
    return None if made is None else Rewrite(made.outputs, [transpose, *made.nodes], made.initializers)


def _after_reshape(node: ir.Node, facts: Facts) -> tuple[ir.Node, Shape, list[int]] | None:
    """The Transpose of a reshape, each read once, that this node reads; the shape it gets; how it orders long axes."""
    chain = makers(node.inputs[0], ["Transpose"], RESHAPES)
    if len(chain) < 2 or not all(only_user(maker.outputs[0]) for maker in chain):
        return None
    moved = _moved(chain[0], facts)
    return None if moved is None else (chain[0], moved[0], [axis for axis in moved[1] if moved[0][axis] != 1])


def _moved(transpose: ir.Node, facts: Facts) -> tuple[Shape, list[int]] | None:
    """The shape that a Transpose gets, and its order."""
    shape, perm = facts.shape(transpose.inputs[0]), order_of(transpose, facts)
    return None if shape is None or perm is None else (shape, perm)


def _reshape_and_transpose(value: ir.Value | None, result: Shape, long: list[int], facts: Facts) -> Rewrite | None:
    """Of a value of which the long axes come in that order. An axis of length 1 stays behind the one before it."""
    rank, place, offset = -1, [], 0
    for dim in result:
        rank, offset = (rank + 1, 0) if dim != 1 else (rank, offset + 1)
        place.append((long[rank] if rank >= 0 else -1, offset))
    order = sorted(place)
    made = reshape_to(value, tuple(result[place.index(at)] for at in order), facts)
    if made is None:
        return None
    transpose = ir.Node("", "Transpose", made.outputs, [ir.AttrInt64s("perm", [order.index(at) for at in place])])
    return Rewrite([transpose.outputs[0]], [*made.nodes, transpose], made.initializers)


@on("Gather")
def gather_before_transpose(node: ir.Node, facts: Facts) -> Answer:
    """One element of an axis of Transpose(x) is one of an axis of x, if what is left lies in the order of x."""
    inner = made_by(node.inputs[0], "Transpose")
    if inner is None:
        return None
    perm = order_of(inner, facts)
    if not perm or facts.rank(node.inputs[1]) != 0:
        return None
    axis = integer(node, "axis", 0) % len(perm)
    rest = perm[:axis] + perm[axis + 1 :]
    if rest != sorted(rest):
        return None
    return again(node, [inner.inputs[0], node.inputs[1]], (), ir.AttrInt64("axis", perm[axis]))


@on("Gather")
def slice_instead_of_gather(node: ir.Node, facts: Facts) -> Answer:
    """Where a Reshape cuts an axis into k parts of m, to gather part i is to slice from i * m to i * m + m.

    Only where all that reads the Reshape gathers: if it stays, a Slice has more operands and gains nothing.
    """
    inner, index = made_by(node.inputs[0], *RESHAPES), facts.ints(node.inputs[1])
    if inner is None or index is None or facts.rank(node.inputs[1]) != 0 or facts.opset_imports.get("", 0) < 10:
        return None
    whole, parts = facts.shape(inner.inputs[0]), facts.shape(inner.outputs[0])
    if whole is None or not parts or any(user.op_type != "Gather" for user in inner.outputs[0].consumers()):
        return None
    axis = integer(node, "axis", 0) % len(parts)
    cut = _cut(whole, parts, axis)
    if len(cut) < 2 or index[0] not in range(-cut[0], cut[0]):
        return None
    start = index[0] % cut[0] * cut[1]
    ends = [constant([start]), constant([start + cut[1]]), constant([axis])]
    taken = ir.Node("", "Slice", [inner.inputs[0], *ends])
    return Rewrite([taken.outputs[0]], [taken], ends)


def _cut(whole: Shape, parts: Shape, axis: int) -> list[int]:
    """The lengths, as far as they are known, that the axis is cut into; none if other axes change or it has another.

    A shape of no elements may have become any other.
    """
    cut, rest = parts[axis : axis + 2], parts[:axis] + parts[axis + 2 :]
    if whole[axis : axis + 1] != (product(cut),) or whole[:axis] + whole[axis + 1 :] != rest:
        return []
    return [length for length in cut if isinstance(length, int)]


@on("Transpose")
def reshape_instead_of_transposes(node: ir.Node, facts: Facts) -> Answer:
    """Transpose(Reshape(Transpose(x))) is a Reshape, if the axes that it joins or cuts end up in the order of x."""
    chain = makers(node.inputs[0], RESHAPES, ["Transpose"])
    if len(chain) < 2:
        return None
    inner, outer = _moved(chain[1], facts), _moved(node, facts)
    if inner is None or outer is None:
        return None
    (given, first), (after, second) = inner, outer
    pieces = _pieces(tuple(given[axis] for axis in first), after)
    origin = [i for axis in range(len(first)) for i, (a, _) in enumerate(pieces) if first[a] == axis]
    result = [i for axis in second for i, (_, b) in enumerate(pieces) if b == axis]
    value, shape = chain[1].inputs[0], facts.shape(node.outputs[0])
    return reshape_to(value, shape, facts) if pieces and origin == result else None


def _pieces(before: Shape, after: Shape) -> list[tuple[int, int]]:
    """The axis in either shape of each piece that they have in common; none if one joins parts of two others.

    What is left of one shape when the other ends has length 1, or there are no elements at all.
    """
    pieces: list[tuple[int, int]] = []
    old, new = _long(before), _long(after)
    while old and new:
        (i, a), (j, b) = old.pop(0), new.pop(0)
        pieces.append((i, j))
        if a == b:
            continue
        if (rest := exact_div(a, b)) is not None:
            old.insert(0, (i, rest))
        elif (rest := exact_div(b, a)) is not None:
            new.insert(0, (j, rest))
        else:
            return []
    return pieces


def _long(shape: Shape) -> list[tuple[int, Dim]]:
    return [(axis, dim) for axis, dim in enumerate(shape) if dim != 1]
