"""What the declared type of a graph input says."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import SIGNED, Dim, symbol
from freezer.facts.fact import Fact
from freezer.facts.table import unknown_dim

_PLACEHOLDERS = ("", "?", "None", "-1", "unk")
_OURS = f"?{SIGNED}"  # how the names of our own symbols begin


def declared(value: ir.Value) -> Fact:
    """Its dtype and shape; a dim without a number is its symbol, one without a name a symbol of its own."""
    if value.dtype is None or not isinstance(value.type, ir.TensorType):
        return Fact(type=value.type)
    if value.shape is None:
        return Fact(value.dtype)
    return Fact(value.dtype, tuple(_dim(value, axis, dim) for axis, dim in enumerate(value.shape)))


def _dim(value: ir.Value, axis: int, dim: int | ir.SymbolicDim) -> Dim:
    if isinstance(dim, int):
        return dim if dim >= 0 else unknown_dim(value, axis)
    if dim.value is None or dim.value in _PLACEHOLDERS or dim.value[0] in _OURS:
        return unknown_dim(value, axis)
    return symbol(dim.value)
