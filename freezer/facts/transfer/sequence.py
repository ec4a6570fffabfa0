"""Sequences and optionals: their types."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import dtype
from freezer.facts.transfer.content import BOOL, INT64


def _sequence(element: ir.DataType | None) -> list[Fact] | None:
    return None if element is None else [Fact(type=ir.SequenceType(ir.TensorType(element)))]


def _element(fact: Fact) -> ir.DataType | None:
    """The element type of a sequence of tensors."""
    inner = fact.type.elem_type if isinstance(fact.type, ir.SequenceType) else None
    return inner.dtype if isinstance(inner, ir.TensorType) else None


@transfer("SequenceEmpty")
def sequence_empty(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Of the type `dtype`, float32 by default."""
    return _sequence(dtype(node, "dtype", ir.DataType.FLOAT))


@transfer("SequenceConstruct", "SplitToSequence")
def sequence_of(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Of the first operand's type."""
    return _sequence(facts.dtype(node.inputs[0]))


@transfer("SequenceInsert", "SequenceErase")
def sequence_edited(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The same type."""
    fact = facts.of(node.inputs[0])
    return None if fact.type is None else [Fact(type=fact.type)]


@transfer("SequenceAt", "ConcatFromSequence")
def sequence_item(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """A tensor of the elements' type."""
    found = _element(facts.of(node.inputs[0]))
    return None if found is None else [Fact(found)]


@transfer("SequenceLength")
def sequence_length(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """A scalar."""
    return [Fact(INT64, (), low=0)]


@transfer("OptionalHasElement")
def optional_has_element(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """A scalar."""
    return [Fact(BOOL, ())]
