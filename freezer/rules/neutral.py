"""Operands that change nothing. Each needs the output to have the other operand's shape: they broadcast."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Residual, Rewrite
from freezer.rules.known import FLOATS, HALVES, constant, made_by, puts_ones_before, same_type, stored, uniform
from freezer.rules.layout import reshape_target
from freezer.rules.registry import on
from freezer.rules.zero_sign import sign_is_lost


@on("Mul", "Div", "Pow")
def drop_one(node: ir.Node, facts: Facts) -> Answer:
    """x * 1, 1 * x and x / 1 are x: infinities, -0.0 and NaN included, though a signalling NaN would turn quiet.

    x ** 1 is x for int32. onnxruntime computes it in floating point: int64 is rounded, and -NaN becomes NaN.
    """
    for kept, other in _operands(node, commutes=node.op_type == "Mul"):
        number = uniform(other, facts)
        if number != 1:
            continue
        if node.op_type == "Pow" and facts.dtype(kept) != ir.DataType.INT32:
            return Residual("onnxruntime's Pow rounds int64 and turns -NaN into NaN (--relaxed drops it)")
        return _keep(kept, node, facts)
    return None


@on("Pow", relaxed=True)
def drop_power_of_one(node: ir.Node, facts: Facts) -> Answer:
    """x ** 1 as x: -NaN stays -NaN, and int64 is not rounded to float64."""
    number = uniform(node.inputs[1], facts)
    return _keep(node.inputs[0], node, facts) if number == 1 else None


@on("Sub")
def drop_subtracted_zero(node: ir.Node, facts: Facts) -> Answer:
    """x - 0 is x; for floats the zero must be +0.0, since -0.0 - -0.0 is +0.0."""
    number = uniform(node.inputs[1], facts)
    if number != 0 or np.signbit(np.float64(number)):
        return None
    return _keep(node.inputs[0], node, facts)


@on("Add")
def drop_added_zero(node: ir.Node, facts: Facts) -> Answer:
    """x + 0 is x for integers, x + -0.0 for floats. x + 0.0 turns -0.0 into 0.0: it goes only where
    x is never -0.0 or no reader tells the two apart."""
    for kept, other in _operands(node, commutes=True):
        number = uniform(other, facts)
        if number != 0:
            continue
        signed = facts.dtype(kept) in FLOATS and not np.signbit(np.float64(number))
        if signed and not sign_is_lost(kept, node.outputs[0], facts):
            return Residual("adding +0.0 turns -0.0 into 0.0 (--relaxed drops it)")
        return _keep(kept, node, facts)
    return None


@on("Add", relaxed=True)
def drop_added_positive_zero(node: ir.Node, facts: Facts) -> Answer:
    """x + 0.0 as x: -0.0 stays -0.0."""
    for kept, other in _operands(node, commutes=True):
        number = uniform(other, facts)
        if number == 0:
            return _keep(kept, node, facts)
    return None


@on("Mul", relaxed=True)
def multiply_by_zero(node: ir.Node, facts: Facts) -> Answer:
    """x * 0 as 0: a negative x makes -0.0, infinities and NaN make NaN."""
    sizes = facts.of(node.outputs[0]).known_shape
    dtype = next((facts.dtype(v) for v in node.inputs if uniform(v, facts) == 0), None)
    if dtype is None or sizes is None:
        return None
    number, shape = stored(np.zeros((), dtype.numpy()), dtype), constant(list(sizes))
    expand = ir.Node("", "Expand", [number, shape])
    return Rewrite([expand.outputs[0]], [expand], [number, shape])


@on("Neg", "Not")
def drop_double_negation(node: ir.Node, facts: Facts) -> Answer:
    """Neg(Neg(x)) and Not(Not(x)) are x: each flips one bit, or wraps twice."""
    inner = made_by(node.inputs[0], node.op_type)
    return Rewrite([inner.inputs[0]]) if inner is not None else None


def _operands(node: ir.Node, commutes: bool) -> list[tuple[ir.Value | None, ir.Value | None]]:
    """(kept, neutral) candidates."""
    a, b = node.inputs[:2]
    return [(a, b), (b, a)] if commutes else [(a, b)]


def _keep(kept: ir.Value | None, node: ir.Node, facts: Facts) -> Answer:
    """The operand; as a Reshape where the other one has only put axes of length 1 before its own.

    Not for half precision: there a node may be what rounds.
    """
    if same_type(kept, node.outputs[0], facts):
        return Rewrite([kept])
    target = _with_ones_before(kept, node.outputs[0], facts)
    if target is None:
        return Residual("the neutral operand may broadcast: the output's shape is not known to stay")
    shape = constant(target)
    reshape = ir.Node("", "Reshape", [kept, shape])
    return Rewrite([reshape.outputs[0]], [reshape], [shape])


def _with_ones_before(kept: ir.Value | None, result: ir.Value, facts: Facts) -> list[int] | None:
    """The target of a Reshape that makes the one of the other."""
    before, after, dtype = facts.shape(kept), facts.shape(result), facts.dtype(kept)
    if dtype in (None, *HALVES) or dtype != facts.dtype(result) or facts.opset_imports.get("", 0) < 5:
        return None
    if before is None or after is None:
        return None
    return reshape_target(after) if puts_ones_before(before, after) else None
