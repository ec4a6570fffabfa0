"""Convolutions and pools."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape
from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim, unknown_shape
from freezer.facts.transfer.attributes import integer, integers, opset
from freezer.facts.transfer.content import INT32, INT64
from freezer.facts.transfer.window import convolved, pooled, transposed, window_of


def _or_unknown(output: ir.Value, leading: Shape, spatial: list[Dim | None]) -> Shape:
    dims = [*leading, *spatial]
    return tuple([unknown_dim(output, i) if d is None else d for i, d in enumerate(dims)])


def _conv_shape(node: ir.Node, x: Shape | None, w: Shape | None) -> Shape | None:
    if x is None:
        return None if w is None else unknown_shape(node.outputs[0], len(w))
    spatial = len(x) - 2
    window = window_of(node, spatial, None if w is None else w[2:])
    dims = [convolved(window, i, x[i + 2]) for i in range(spatial)]
    channels = unknown_dim(node.outputs[0], 1) if w is None else w[0]
    return _or_unknown(node.outputs[0], (x[0], channels), dims)


@transfer("Conv")
@transfer("FusedConv", domain="com.microsoft")
def conv(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[N, C, ...] and [M, C/group, ...] to [N, M, ...]."""
    x, w = facts.of(node.inputs[0]), facts.of(node.inputs[1])
    return [Fact(x.dtype if x.dtype is not None else w.dtype, _conv_shape(node, x.shape, w.shape))]


@transfer("ConvInteger")
def conv_integer(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Sums in int32."""
    return [Fact(INT32, _conv_shape(node, facts.shape(node.inputs[0]), facts.shape(node.inputs[1])))]


@transfer("QLinearConv")
def conv_quantised(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The type of the output's zero point."""
    shape = _conv_shape(node, facts.shape(node.inputs[0]), facts.shape(node.inputs[3]))
    return [Fact(facts.dtype(node.inputs[7]), shape)]


@transfer("ConvTranspose")
def conv_transpose(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[N, C, ...] and [C, M/group, ...] to [N, M, ...]; output_shape wins over pads."""
    x, w, output = facts.of(node.inputs[0]), facts.of(node.inputs[1]), node.outputs[0]
    if x.shape is None or w.shape is None:
        return [Fact(x.dtype, None if x.shape is None else unknown_shape(output, len(x.shape)))]
    spatial = len(x.shape) - 2
    given = integers(node, "output_shape", None)
    leading = (x.shape[0], w.shape[1] * integer(node, "group", 1))
    if given:
        dims: list[Dim | None] = list(given) if len(given) == spatial else [None] * spatial
        return [Fact(x.dtype, _or_unknown(output, leading, dims))]
    window = window_of(node, spatial, w.shape[2:])
    extra = integers(node, "output_padding", None) or (0,) * spatial
    dims = [transposed(window, i, x.shape[i + 2], extra[i]) for i in range(spatial)]
    return [Fact(x.dtype, _or_unknown(output, leading, dims))]


@transfer("MaxPool", "AveragePool", "LpPool")
def pool(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[N, C, ...] to [N, C, ...]; the second output of MaxPool holds positions."""
    x = facts.of(node.inputs[0])
    if x.shape is None:
        return [Fact(x.dtype), Fact(INT64)]
    spatial = len(x.shape) - 2
    window = window_of(node, spatial, None)
    ceil = opset(facts) >= 10 and integer(node, "ceil_mode", 0) != 0
    dims = [pooled(window, i, x.shape[i + 2], ceil) for i in range(spatial)]
    shape = _or_unknown(node.outputs[0], x.shape[:2], dims)
    return [Fact(x.dtype, shape), Fact(INT64, shape)]


@transfer("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[N, C, 1, ...]."""
    x = facts.of(node.inputs[0])
    return [Fact(x.dtype, None if x.shape is None else x.shape[:2] + (1,) * (len(x.shape) - 2))]
