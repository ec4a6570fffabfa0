"""Shapes that are given as an operand."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Expr, Shape, at_least, is_signed
from freezer.facts.fact import Fact
from freezer.facts.table import Facts, unknown_dim
from freezer.facts.transfer.attributes import Unclear


def target_rank(fact: Fact) -> int | None:
    """The number of dims a 1-D operand of dims names."""
    if fact.elements is not None:
        return len(fact.elements)
    length = fact.shape[0] if fact.shape is not None and len(fact.shape) == 1 else None
    return length if isinstance(length, int) and 0 <= length <= 64 else None


def target_shape(output: ir.Value, operand: ir.Value | None, facts: Facts) -> Shape | None:
    """The shape an operand of non-negative dims spells; an element that is not known gives an unknown dim.

    Those are counted from the back, apart from the dims of the output, of which there may be more.
    """
    fact = facts.of(operand)
    rank = target_rank(fact)
    if rank is None:
        return None
    if fact.elements is None:
        return tuple(unknown_dim(output, axis - rank) for axis in range(rank))
    positive = fact.low is not None and fact.low >= 0
    return tuple(_dim(output, axis - rank, e, positive) for axis, e in enumerate(fact.elements))


def _dim(output: ir.Value, axis: int, element: Dim, positive: bool) -> Dim:
    if isinstance(element, Expr):
        sure = positive or (not is_signed(element) and at_least(element, 0))
        return element if sure else unknown_dim(output, axis)
    if element < 0:
        raise Unclear("a negative dim")
    return element
