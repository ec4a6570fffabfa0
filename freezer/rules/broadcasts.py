"""Expansions that broadcasting makes anyway."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.registry import on

BROADCASTING = (
    "Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual",
    "Where", "PRelu",
)  # fmt: skip


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
    return len(others) == len(user.inputs) - 1 and any(facts.shape(v) == shape for v in others)
