"""Expansions that broadcasting makes anyway."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import at_least
from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite, again
from freezer.rules.known import FLOATS, HALVES, made_by, puts_ones_before
from freezer.rules.magnitude import never_nan
from freezer.rules.registry import on

# Of two NaNs these give the first one's bits, unless the second is broadcast (onnxruntime 1.32): then its.
_WHICH_NAN = ("Add", "Mul", "PRelu")
_WHICH_NUMBER = ("Add", "Max", "Min", "Mul", "Where")


# Not Pow: onnxruntime computes an exponent of 2 or 3 by multiplying if it is a scalar.
@on(
    "Add", "Sub", "Mul", "Div", "And", "Or", "Xor", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual",
    "Where", "PRelu",
)  # fmt: skip
def skip_expand_before_broadcast(node: ir.Node, facts: Facts) -> Answer:
    """Sub(Expand(x), y) is Sub(x, y), if y has the output's shape."""
    for index, value in enumerate(node.inputs):
        expand = made_by(value, "Expand")
        if expand is not None and _broadcasts(node, index, expand.inputs[0], facts):
            inputs = [*node.inputs[:index], expand.inputs[0], *node.inputs[index + 1 :]]
            new = ir.Node("", node.op_type, inputs, list(node.attributes.values()))
            return Rewrite([new.outputs[0]], [new])
    return None


def _broadcasts(node: ir.Node, index: int, origin: ir.Value | None, facts: Facts) -> bool:
    """Whether another operand has the output's shape already, and the bits stay."""
    shape, dtype = facts.shape(node.outputs[0]), facts.dtype(node.outputs[0] if node.op_type == "Where" else origin)
    others = [v for i, v in enumerate(node.inputs) if i != index]
    if shape is None or dtype is None or not any(facts.shape(v) == shape for v in others):
        return False
    if node.op_type == "Where" and dtype in FLOATS and (index == 0 or facts.shape(node.inputs[0]) != shape):
        return False  # where the condition is broadcast too, onnxruntime gives zeros another sign (1.32)
    if _rounds(origin, facts):
        return False
    one_nan = _without_nan([origin], facts) or _without_nan(others, facts)
    return node.op_type not in _WHICH_NAN or dtype not in FLOATS or one_nan


def _rounds(origin: ir.Value | None, facts: Facts) -> bool:
    """Whether to move a value may round it: onnxruntime computes half precision in float32."""
    return facts.dtype(origin) in HALVES and origin is not None and origin.producer() is not None


def _without_nan(values: list[ir.Value | None], facts: Facts) -> bool:
    return all(never_nan(v, facts) for v in values)


@on(
    "Add", "Sub", "Mul", "Div", "And", "Or", "Xor", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual",
    "Where", "Pow", "Max", "Min",
)  # fmt: skip
def drop_leading_ones(node: ir.Node, facts: Facts) -> Answer:
    """Axes of length 1 put before the others are what broadcasting puts there, if another operand has as many.

    onnxruntime aligns shapes at the right and drops axes of length 1 in both, so it runs the same, but for which one it
    takes for a single number where all axes that both have are of length 1. Before opset 8 not all of these broadcast.
    """
    for index, value in enumerate(node.inputs):
        inner = made_by(value, "Unsqueeze", "Reshape")
        others = [facts.shape(v) or () for i, v in enumerate(node.inputs) if i != index]
        if inner is None or facts.opset_imports.get("", 0) < 8 or not _leads(node, inner, max(map(len, others)), facts):
            continue
        return again(node, [*node.inputs[:index], inner.inputs[0], *node.inputs[index + 1 :]], ())
    return None


def _tells_numbers(node: ir.Node, facts: Facts) -> bool:
    """Whether it shows which operand is a single number: in powers, which NaN there is and the signs of zeros."""
    dtype = facts.dtype(node.outputs[0])
    return node.op_type == "Pow" or (node.op_type in _WHICH_NUMBER and dtype in (None, *FLOATS))


def _leads(node: ir.Node, inner: ir.Node, rank: int, facts: Facts) -> bool:
    """Whether a reshape only puts ones before the axes, no more than make that rank, and the reader sees no difference.

    An axis of length 2 or more tells onnxruntime that the operand is no single number, with ones before it or without.
    """
    before, after = facts.shape(inner.inputs[0]), facts.shape(inner.outputs[0])
    if before is None or after is None or len(after) > rank or _rounds(inner.inputs[0], facts):
        return False
    if _tells_numbers(node, facts) and not any(at_least(dim, 2) for dim in before):
        return False
    return puts_ones_before(before, after)
