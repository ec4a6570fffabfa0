"""Normalisations that have further outputs or types of their own."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import axis_of, dtype, integer

_FLOAT = ir.DataType.FLOAT


@transfer("BatchNormalization")
def batch_normalization(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's shape; the other outputs, of whatever opset, are like the mean."""
    x, mean = facts.of(node.inputs[0]), facts.of(node.inputs[3])
    return [Fact(x.dtype, x.shape)] + [Fact(mean.dtype, mean.shape)] * (len(node.outputs) - 1)


@transfer("LayerNormalization")
def layer_normalization(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Mean and inverse deviation have size 1 from the axis on; their type is stash_type."""
    x = facts.of(node.inputs[0])
    if len(node.outputs) == 1:
        return [Fact(x.dtype, x.shape)]
    shape = None
    if x.shape is not None:
        axis = axis_of(integer(node, "axis", -1), len(x.shape))
        shape = x.shape[:axis] + (1,) * (len(x.shape) - axis)
    return [Fact(x.dtype, x.shape)] + [Fact(dtype(node, "stash_type", _FLOAT), shape)] * 2


@transfer("RMSNormalization", "SimplifiedLayerNormalization")
@transfer("SimplifiedLayerNormalization", domain="com.microsoft")
def rms_normalization(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's shape in the scale's type."""
    return [Fact(facts.dtype(node.inputs[1]), facts.shape(node.inputs[0]))]


@transfer("SkipLayerNormalization", "SkipSimplifiedLayerNormalization", domain="com.microsoft")
def skip_layer_normalization(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The last output, the sum, is like the first; runtimes leave those between empty."""
    x = facts.of(node.inputs[0])
    return [Fact(x.dtype, x.shape), Fact(_FLOAT), Fact(_FLOAT), Fact(x.dtype, x.shape)]
