"""One thing said in two ways: the way that needs fewer operands, nodes or attributes."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import constant, integer, made_by, only_user
from freezer.rules.registry import on

MOST_PIECES = 256


@on("CastLike")
def cast_instead_of_cast_like(node: ir.Node, facts: Facts) -> Answer:
    """CastLike(x, y) is Cast(x) to the type of y, whose content is not read.

    Its attributes are about float8 alone, and onnxruntime's Cast takes them for float8 alone.
    """
    dtype = facts.dtype(node.outputs[0])
    if dtype is None:
        return None
    more = node.attributes.values() if dtype.name.startswith("FLOAT8") else ()
    cast = ir.Node("", "Cast", node.inputs[:1], [ir.AttrInt64("to", int(dtype)), *more])
    return Rewrite([cast.outputs[0]], [cast])


@on("Reshape")
def drop_allowzero(node: ir.Node, facts: Facts) -> Answer:
    """allowzero says what a 0 in the target means: nothing, where there is none."""
    if not integer(node, "allowzero", 0) or 0 in (facts.ints(node.inputs[1]) or (0,)):
        return None
    attributes = [a for name, a in node.attributes.items() if name != "allowzero"]
    reshape = ir.Node("", "Reshape", node.inputs, attributes)
    return Rewrite([reshape.outputs[0]], [reshape])


@on("Unsqueeze")
def merge_unsqueezes(node: ir.Node, facts: Facts) -> Answer:
    """Unsqueeze(Unsqueeze(x)) is one, whatever the dims of x are (an operand holds the axes from opset 13 on)."""
    inner = made_by(node.inputs[0], "Unsqueeze")
    if inner is None or not only_user(inner.outputs[0]) or facts.opset_imports.get("", 0) < 13:
        return None
    middle, outer_axes, inner_axes = (
        facts.rank(inner.outputs[0]),
        facts.ints(node.inputs[1]),
        facts.ints(inner.inputs[1]),
    )
    if middle is None or outer_axes is None or inner_axes is None:
        return None
    rank = middle + len(outer_axes)
    new = {a % rank for a in outer_axes}
    old = [a for a in range(rank) if a not in new]  # where the axes of the inner output come to lie
    axes = constant(sorted(new | {old[a % middle] for a in inner_axes}))
    merged = ir.Node("", "Unsqueeze", [inner.inputs[0], axes])
    return Rewrite([merged.outputs[0]], [merged], [axes])


@on("SplitToSequence")
def split_instead_of_sequence(node: ir.Node, facts: Facts) -> Answer:
    """SplitToSequence of which only known members are read is a Split, and a sequence of its pieces that then goes."""
    shape, axis = facts.shape(node.inputs[0]), integer(node, "axis", 0)
    if not shape or not -len(shape) <= axis < len(shape) or not _is_only_indexed(node.outputs[0], facts):
        return None
    sizes = _sizes(node, shape[axis], facts)
    if not sizes or facts.opset_imports.get("", 0) < 13:
        return None
    split, new = split_into(node.inputs[0], axis, sizes, facts)
    pieces = ir.Node("", "SequenceConstruct", split.outputs)
    return Rewrite([pieces.outputs[0]], [split, pieces], new)


def _is_only_indexed(sequence: ir.Value, facts: Facts) -> bool:
    """Whether every reader takes one member, and it is known which."""
    if sequence.is_graph_output():
        return False
    return all(u.op_type == "SequenceAt" and not u.domain and facts.ints(u.inputs[1]) for u in sequence.consumers())


def _sizes(node: ir.Node, dim: object, facts: Facts) -> list[int] | None:
    """The lengths of the pieces: those given, or all of the one length given and what is left."""
    given = facts.ints(node.inputs[1]) if len(node.inputs) > 1 else None
    if not given or min(given) < 1 or not isinstance(dim, int) or dim // given[0] >= MOST_PIECES:
        return None
    if facts.rank(node.inputs[1]) == 1:
        return list(given) if sum(given) == dim else None
    rest = dim % given[0]
    return [given[0]] * (dim // given[0]) + ([rest] if rest else [])


_New = tuple[ir.Node, list[ir.Value]]  # with its new constants


def split_into(value: ir.Value | None, axis: int, sizes: list[int], facts: Facts) -> _New:
    """A Split into these; from opset 18 on their number says enough if all are equal but for a shorter last one.

    An operand holds the lengths from opset 13 on, an attribute from opset 2 on.
    """
    count, attributes = len(sizes), [ir.AttrInt64("axis", axis)]
    if facts.opset_imports.get("", 0) < 13:
        return ir.Node("", "Split", [value], [*attributes, ir.AttrInt64s("split", sizes)], num_outputs=count), []
    if facts.opset_imports.get("", 0) >= 18 and sizes == _equal(sum(sizes), count):
        return ir.Node("", "Split", [value], [*attributes, ir.AttrInt64("num_outputs", count)], num_outputs=count), []
    lengths = constant(sizes)
    return ir.Node("", "Split", [value, lengths], attributes, num_outputs=count), [lengths]


def _equal(total: int, count: int) -> list[int]:
    length = -(-total // count)
    return [*[length] * (count - 1), total - length * (count - 1)]
