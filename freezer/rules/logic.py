"""Choices that known conditions decide."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Residual, Rewrite, again
from freezer.rules.known import FLOATS, made_by, same_type, uniform
from freezer.rules.registry import on
from freezer.rules.zero_sign import sign_is_lost


@on("Where")
def choose_known_side(node: ir.Node, facts: Facts) -> Answer:
    """Where(true, a, b) is a, Where(false, a, b) is b, Where(c, a, a) is a, if its shape is the output's.

    onnxruntime takes a where it is not zero and b elsewhere, each with 0.0 where it was not chosen: an a of -0.0
    comes out as 0.0, so for floats that goes only where a is never -0.0 or no reader tells the two apart.
    """
    condition, a, b = node.inputs
    number = uniform(condition, facts)
    if number is None and a is not b:
        return None
    chosen = a if number else b
    if chosen is a and facts.dtype(a) in FLOATS and not sign_is_lost(a, node.outputs[0], facts):
        return Residual("onnxruntime's Where turns -0.0 into 0.0 (--relaxed drops it)")
    if not same_type(chosen, node.outputs[0], facts):
        return Residual("the condition may broadcast: the output's shape is not known to be the chosen side's")
    return Rewrite([chosen])


@on("Where", relaxed=True)
def choose_known_side_of_floats(node: ir.Node, facts: Facts) -> Answer:
    """Where(true, a, b) as a: -0.0 stays -0.0."""
    condition, a, b = node.inputs
    number = uniform(condition, facts)
    chosen = None if number is None else a if number else b
    return Rewrite([chosen]) if same_type(chosen, node.outputs[0], facts) else None


@on("Where")
def swap_sides_of_negation(node: ir.Node, facts: Facts) -> Answer:
    """Where(not c, a, b) is Where(c, b, a), but for the signs of zeros: of the first side none is -0.0."""
    negation = made_by(node.inputs[0], "Not")
    if negation is None:
        return None
    sides, output = node.inputs[1:], node.outputs[0]
    if facts.dtype(output) in (None, *FLOATS) and not all(_without_sign(v, output, facts) for v in sides):
        return None
    return again(node, [negation.inputs[0], sides[1], sides[0]], ())


def _without_sign(value: ir.Value | None, result: ir.Value, facts: Facts) -> bool:
    """Whether -0.0 is not there, or nobody sees it."""
    array = facts.array(value)
    never = array is not None and not (np.signbit(array) & (array == 0)).any()
    return never or sign_is_lost(value, result, facts)


_NEUTRAL = {"And": True, "Or": False, "Xor": False}


@on("And", "Or", "Xor")
def drop_neutral_truth(node: ir.Node, facts: Facts) -> Answer:
    """x and true, x or false, x xor false are x."""
    for kept, other in ((node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])):
        number = uniform(other, facts)
        if number is not None and bool(number) is _NEUTRAL[node.op_type]:
            return Rewrite([kept]) if same_type(kept, node.outputs[0], facts) else None
    return None


@on("And", "Or")
def take_decisive_truth(node: ir.Node, facts: Facts) -> Answer:
    """x and false is false, x or true is true: the constant itself, if it has the output's shape."""
    for other in node.inputs:
        number = uniform(other, facts)
        if number is not None and bool(number) is not _NEUTRAL[node.op_type]:
            return Rewrite([other]) if same_type(other, node.outputs[0], facts) else None
    return None


@on("And", "Or", "Max", "Min")
def drop_repeated_operand(node: ir.Node, facts: Facts) -> Answer:
    """x and x, x or x, max(x, x), min(x, x) are x."""
    if len(node.inputs) == 2 and node.inputs[0] is node.inputs[1]:
        return Rewrite([node.inputs[0]])
    return None


@on("Max", "Min", "Clip")
def drop_bound_that_cannot_bite(node: ir.Node, facts: Facts) -> Answer:
    """Integers known to lie within the bounds: max(x, 0) of a size is x."""
    value, output = node.inputs[0], node.outputs[0]
    fact = facts.of(value)
    if fact.low is None and fact.high is None:
        return None
    lows, highs = _bounds(node, facts)
    if None in (*lows, *highs):
        return None
    inside = all(fact.low is not None and n <= fact.low for n in lows) and all(
        fact.high is not None and fact.high <= n for n in highs
    )
    return Rewrite([value]) if inside and same_type(value, output, facts) else None


def _bounds(node: ir.Node, facts: Facts) -> tuple[list, list]:
    """What a Max, Min or Clip compares its first operand with, from below and from above."""
    others = [uniform(v, facts) for v in node.inputs[1:]]
    if node.op_type == "Clip":
        return others[:1], others[1:]
    return (others, []) if node.op_type == "Max" else ([], others)
