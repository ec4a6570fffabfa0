"""Sequences and optionals whose members are known by construction."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import made_by
from freezer.rules.registry import on


def _members(value: ir.Value | None) -> list[ir.Value] | None:
    """The members of a sequence that a SequenceConstruct makes."""
    node = made_by(value, "SequenceConstruct")
    members = [v for v in node.inputs if v is not None] if node is not None else []
    return members if node is not None and len(members) == len(node.inputs) else None


@on("SequenceAt")
def element_of_known_sequence(node: ir.Node, facts: Facts) -> Answer:
    """SequenceAt(SequenceConstruct(a, b), 1) is b: the sequence holds its members as they are."""
    members, place = _members(node.inputs[0]), facts.ints(node.inputs[1])
    if members is None or not place or not -len(members) <= place[0] < len(members):
        return None
    return Rewrite([members[place[0]]])


@on("SequenceLength")
def length_of_known_sequence(node: ir.Node, facts: Facts) -> Answer:
    """SequenceLength(SequenceConstruct(a, b)) is 2."""
    members = _members(node.inputs[0])
    if members is None:
        return None
    length = ir.Value(const_value=ir.tensor(len(members), dtype=ir.DataType.INT64))
    return Rewrite([length], initializers=[length])


@on("ConcatFromSequence")
def concat_of_known_sequence(node: ir.Node, facts: Facts) -> Answer:
    """ConcatFromSequence(SequenceConstruct(a, b)) is Concat(a, b), unless it also makes a new axis."""
    members, new_axis = _members(node.inputs[0]), node.attributes.get("new_axis")
    if not members or (new_axis is not None and new_axis.as_int()):
        return None
    return _concat(members, node.attributes["axis"])


def _concat(members: list[ir.Value], axis: ir.Attr) -> Rewrite:
    joined = ir.Node("", "Concat", members, [axis])
    return Rewrite([joined.outputs[0]], [joined])
