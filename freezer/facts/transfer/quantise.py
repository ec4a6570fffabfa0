"""Quantised tensors."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import integer
from freezer.facts.transfer.broadcast import broadcast
from freezer.facts.transfer.content import RANGES

_FLOAT, _UINT8 = ir.DataType.FLOAT, ir.DataType.UINT8


@transfer("QuantizeLinear")
@transfer("QuantizeLinear", domain="com.microsoft")
def quantize(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The zero point's type, else output_dtype, else uint8."""
    shape = facts.shape(node.inputs[0])
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        dtype = facts.dtype(node.inputs[2])
        return None if dtype is None else [_in_type(dtype, shape)]
    given = integer(node, "output_dtype", 0)
    return [_in_type(ir.DataType(given) if given else _UINT8, shape)]


def _in_type(dtype: ir.DataType, shape: object) -> Fact:
    low, high = RANGES.get(dtype, (None, None))
    return Fact(dtype, shape, None, False, low, high)  # type: ignore[arg-type]


@transfer("DequantizeLinear")
@transfer("DequantizeLinear", domain="com.microsoft")
def dequantize(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """output_dtype, else the scale's type."""
    given = integer(node, "output_dtype", 0)
    return [Fact(ir.DataType(given) if given else facts.dtype(node.inputs[1]), facts.shape(node.inputs[0]))]


@transfer("DynamicQuantizeLinear")
def dynamic_quantize(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The tensor, its scale and its zero point."""
    return [_in_type(_UINT8, facts.shape(node.inputs[0])), Fact(_FLOAT, ()), _in_type(_UINT8, ())]


@transfer("QLinearAdd", "QLinearMul", domain="com.microsoft")
def quantised_arithmetic(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Operands broadcast; the type is theirs."""
    a, b = facts.of(node.inputs[0]), facts.of(node.inputs[3])
    if a.shape is None or b.shape is None:
        return [Fact(a.dtype)]
    return [Fact(a.dtype, broadcast(node.outputs[0], a.shape, b.shape))]
