"""Nodes that move data nowhere, and chains of moves that are one."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Shape
from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import constant, integer, made_by, only_user, same_type
from freezer.rules.registry import on

RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")


@on(*RESHAPES, "Expand", "Tile")
def drop_reshape_to_same_shape(node: ir.Node, facts: Facts) -> Answer:
    """These keep the order of elements, or repeat them: with the same shape they do nothing."""
    return Rewrite([node.inputs[0]]) if same_type(node.inputs[0], node.outputs[0], facts) else None


@on("Slice")
def drop_whole_slice(node: ir.Node, facts: Facts) -> Answer:
    """A slice with the shape of its input and no negative step takes everything."""
    steps = facts.ints(node.inputs[4]) if len(node.inputs) > 4 and node.inputs[4] is not None else ()
    if steps is None or any(s < 0 for s in steps):
        return None
    return Rewrite([node.inputs[0]]) if same_type(node.inputs[0], node.outputs[0], facts) else None


@on("Pad")
def drop_empty_pad(node: ir.Node, facts: Facts) -> Answer:
    """Padding by nothing: all pads are 0."""
    attribute = node.attributes.get("pads")
    pads = attribute.value if attribute is not None else facts.ints(node.inputs[1]) if len(node.inputs) > 1 else None
    return Rewrite([node.inputs[0]]) if pads is not None and not any(pads) else None


@on("Gather")
def drop_whole_gather(node: ir.Node, facts: Facts) -> Answer:
    """Gathering 0, 1, ..., n - 1 along an axis of length n takes everything."""
    indices, shape = facts.ints(node.inputs[1]), facts.shape(node.inputs[0])
    axis = integer(node, "axis", 0)
    if indices is None or not shape or facts.rank(node.inputs[1]) != 1 or not -len(shape) <= axis < len(shape):
        return None
    return Rewrite([node.inputs[0]]) if shape[axis] == len(indices) and indices == tuple(range(len(indices))) else None


@on("Transpose")
def drop_identity_transpose(node: ir.Node, facts: Facts) -> Answer:
    """Transpose by 0, 1, 2, ... does nothing."""
    perm = order_of(node, facts)
    return Rewrite([node.inputs[0]]) if perm is not None and perm == sorted(perm) else None


@on("Transpose")
def merge_transposes(node: ir.Node, facts: Facts) -> Answer:
    """Transpose(Transpose(x, p), q) is Transpose(x, p[q])."""
    inner = made_by(node.inputs[0], "Transpose")
    if inner is None:
        return None
    first, second = order_of(inner, facts), order_of(node, facts)
    if first is None or second is None or len(first) != len(second):
        return None
    perm = [first[i] for i in second]
    if perm == sorted(perm):
        return Rewrite([inner.inputs[0]])
    if not only_user(inner.outputs[0]):
        return None
    merged = ir.Node("", "Transpose", [inner.inputs[0]], [ir.AttrInt64s("perm", perm)])
    return Rewrite([merged.outputs[0]], [merged])


@on("Transpose")
def reshape_instead_of_transpose(node: ir.Node, facts: Facts) -> Answer:
    """Moving only axes of length 1 keeps the order of elements: a Reshape, which may then merge with others."""
    shape, perm = facts.shape(node.inputs[0]), order_of(node, facts)
    if shape is None or perm is None or len(perm) != len(shape) or not _near_reshape(node):
        return None
    long = [axis for axis in perm if shape[axis] != 1]
    return _reshape(node.inputs[0], node, facts) if long == sorted(long) else None


@on(*RESHAPES)
def merge_reshapes(node: ir.Node, facts: Facts) -> Answer:
    """Two nodes that keep the order of elements are one Reshape, if its target is known up to one dim."""
    inner = made_by(node.inputs[0], *RESHAPES)
    if inner is None:
        return None
    if same_type(inner.inputs[0], node.outputs[0], facts):
        return Rewrite([inner.inputs[0]])
    return _reshape(inner.inputs[0], node, facts) if only_user(inner.outputs[0]) else None


def _near_reshape(node: ir.Node) -> bool:
    """Whether a neighbour is a reshape that a new one could merge with."""
    users = node.outputs[0].consumers()
    before = made_by(node.inputs[0], *RESHAPES) is not None and only_user(node.inputs[0])
    return before or (len(users) == 1 and users[0].op_type in RESHAPES and not node.outputs[0].is_graph_output())


def _reshape(value: ir.Value | None, node: ir.Node, facts: Facts) -> Rewrite | None:
    """Reshape(value) to the node's output shape; None if more than one dim is unknown or one is 0."""
    if is_absolute(node, facts):
        reshape = ir.Node("", "Reshape", [value, node.inputs[1]])
        return Rewrite([reshape.outputs[0]], [reshape])
    return reshape_to(value, facts.shape(node.outputs[0]), facts)


def reshape_to(value: ir.Value | None, shape: Shape | None, facts: Facts) -> Rewrite | None:
    """Reshape(value) to a shape; None if more than one dim is unknown or one is 0."""
    target = reshape_target(shape)
    if target is None or facts.opset_imports.get("", 0) < 5:
        return None
    wanted = constant(target)
    reshape = ir.Node("", "Reshape", [value, wanted])
    return Rewrite([reshape.outputs[0]], [reshape], [wanted])


def is_absolute(node: ir.Node, facts: Facts) -> bool:
    """Whether a node is a Reshape to a constant without 0, to which the operand's shape does not matter."""
    if node.op_type != "Reshape" or node.domain or len(node.inputs) < 2:
        return False
    target = facts.ints(node.inputs[1])
    return target is not None and 0 not in target


def reshape_target(shape: Shape | None) -> list[int] | None:
    """A Reshape target for that shape: at most one -1, and no 0, which would copy a dim."""
    if shape is None or 0 in shape:
        return None
    target = [d if isinstance(d, int) else -1 for d in shape]
    return target if target.count(-1) <= 1 else None


def order_of(node: ir.Node, facts: Facts) -> list[int] | None:
    """The order of axes; None if it is not known, or none."""
    attribute = node.attributes.get("perm")
    if attribute is None:
        rank = facts.rank(node.inputs[0])
        return None if rank is None else list(range(rank))[::-1]
    if attribute.type != ir.AttributeType.INTS or sorted(attribute.value) != list(range(len(attribute.value))):
        return None
    return list(attribute.value)
