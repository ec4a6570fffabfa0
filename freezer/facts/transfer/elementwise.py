"""Ops of one operand that keep its shape."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Expr
from freezer.facts.fact import Element, Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import opset
from freezer.facts.transfer.content import BOOL, RANGES, content

_SAME = (
    "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor",
    "Gelu", "HardSigmoid", "HardSwish", "Hardmax", "LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "LRN",
    "MeanVarianceNormalization", "Mish", "ParametricSoftplus", "Reciprocal", "Round", "ScaledTanh", "Selu",
    "Shrink", "Sigmoid", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh",
    "ThresholdedRelu", "GroupNormalization", "InstanceNormalization", "BitwiseNot", "Trilu", "CumSum", "CumProd",
    "ReverseSequence", "ScatterND", "ScatterElements", "Scatter", "TensorScatter",
)  # fmt: skip


@transfer(*_SAME)
@transfer("FastGelu", "Gelu", "BiasGelu", "QuickGelu", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax",
          "Trilu", "GroupNorm", domain="com.microsoft")  # fmt: skip
def same_shape(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The type and shape of the first operand."""
    fact = facts.of(node.inputs[0])
    return [Fact(fact.dtype, fact.shape)]


@transfer("Identity")
def identity(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """All that is known of the operand."""
    return [facts.of(node.inputs[0])]


@transfer("Dropout")
def dropout(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's shape; a mask of the same shape: bool from opset 10 on, of the operand's type before."""
    fact = facts.of(node.inputs[0])
    mask = BOOL if opset(facts) >= 10 else fact.dtype
    return [Fact(fact.dtype, fact.shape), Fact(mask, fact.shape)]


@transfer("IsNaN", "IsInf")
def classified(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Bools of the operand's shape."""
    return [Fact(BOOL, facts.of(node.inputs[0]).shape)]


@transfer("Not")
def negation(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Known elements are negated."""
    fact = facts.of(node.inputs[0])
    elements = None
    if fact.elements is not None:
        elements = [None if isinstance(e, Expr) else not e for e in fact.elements]
    low, high = (None if b is None else 1 - b for b in (fact.high, fact.low))
    return [content(node.outputs[0], BOOL, fact.shape, elements, low, high)]


@transfer("Neg")
def negative(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """-x; the least integer has no negative."""
    fact = facts.of(node.inputs[0])
    low, high = fact.low, fact.high
    if fact.dtype not in RANGES or low == RANGES[fact.dtype][0]:
        low = high = None
    elements = None if fact.elements is None else [e * -1 for e in fact.elements]
    bounds = (None if low is None or high is None else -high, None if low is None else -low)
    return [content(node.outputs[0], fact.dtype, fact.shape, elements, *bounds)]


@transfer("Abs")
def absolute(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """|x|; known where the sign is."""
    fact = facts.of(node.inputs[0])
    elements = None if fact.elements is None else [_absolute(e, fact.low) for e in fact.elements]
    if fact.dtype not in RANGES or fact.low is None or fact.low == RANGES[fact.dtype][0]:
        return [content(node.outputs[0], fact.dtype, fact.shape, elements)]
    high = None if fact.high is None else max(abs(fact.low), abs(fact.high))
    return [content(node.outputs[0], fact.dtype, fact.shape, elements, max(fact.low, 0), high)]


def _absolute(element: Element, low: int | None) -> Element | None:
    if not isinstance(element, Expr):
        return abs(element)
    return element if low is not None and low >= 0 else None


@transfer("Relu")
def relu(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """max(x, 0), also of integers from opset 14 on."""
    fact = facts.of(node.inputs[0])
    if fact.dtype not in RANGES:
        return [Fact(fact.dtype, fact.shape)]
    low, high = max(fact.low or 0, 0), None if fact.high is None else max(fact.high, 0)
    elements = None
    if fact.elements is not None:
        known = [None if isinstance(e, Expr) else max(e, 0) for e in fact.elements]
        elements = fact.elements if fact.low is not None and fact.low >= 0 else known
    return [content(node.outputs[0], fact.dtype, fact.shape, elements, low, high)]


@transfer("Sign")
def sign(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """-1, 0 or 1."""
    fact = facts.of(node.inputs[0])
    if fact.dtype not in RANGES:
        return [Fact(fact.dtype, fact.shape)]
    elements = None
    if fact.elements is not None:
        elements = [None if isinstance(e, Expr) else (e > 0) - (e < 0) for e in fact.elements]
    low = -1 if fact.low is None else (fact.low > 0) - (fact.low < 0)
    high = 1 if fact.high is None else (fact.high > 0) - (fact.high < 0)
    return [content(node.outputs[0], fact.dtype, fact.shape, elements, low, high)]
