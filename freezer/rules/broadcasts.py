"""Expansions that broadcasting makes anyway."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import FLOATS
from freezer.rules.registry import on

BROADCASTING = (
    "Add", "Sub", "Mul", "Div", "And", "Or", "Xor", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual",
    "Where", "PRelu",
)  # fmt: skip
# Of two NaNs these give the first one's bits, unless the second is broadcast (onnxruntime 1.32): then its.
# Pow is not in the list at all: a scalar exponent of 2 or 3 is computed by multiplying.
_WHICH_NAN = ("Add", "Mul", "PRelu")


@on("Expand")
def drop_expand_before_broadcast(node: ir.Node, facts: Facts) -> Answer:
    """Expand(x) whose every reader broadcasts x to the same output shape without it."""
    output = node.outputs[0]
    readers = output.consumers()
    if output.is_graph_output() or not readers:
        return None
    return Rewrite([node.inputs[0]]) if all(_shape_stays(u, output, node.inputs[0], facts) for u in readers) else None


def _shape_stays(user: ir.Node, expanded: ir.Value, origin: ir.Value | None, facts: Facts) -> bool:
    """Whether another operand of the reader has the output's shape already, and x has no more axes than that."""
    shape, rank = facts.shape(user.outputs[0]), facts.rank(origin)
    if user.op_type not in BROADCASTING or user.domain or shape is None or rank is None or rank > len(shape):
        return False
    others = [v for v in user.inputs if v is not expanded]
    if user.op_type in _WHICH_NAN and facts.dtype(expanded) in FLOATS and not _without_nan(others, facts):
        return False
    return len(others) == len(user.inputs) - 1 and any(facts.shape(v) == shape for v in others)


def _without_nan(values: list[ir.Value | None], facts: Facts) -> bool:
    arrays = [facts.array(v) for v in values]
    return all(a is not None and not np.isnan(a).any() for a in arrays)
