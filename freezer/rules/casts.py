"""Casts that lose nothing."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import made_by, only_user
from freezer.rules.registry import on

T = ir.DataType
_WIDER = {
    T.BOOL: {T.INT8, T.UINT8, T.INT16, T.UINT16, T.INT32, T.UINT32, T.INT64, T.UINT64, T.FLOAT16, T.FLOAT, T.DOUBLE},
    T.UINT8: {T.INT16, T.UINT16, T.INT32, T.UINT32, T.INT64, T.UINT64, T.FLOAT, T.DOUBLE},
    T.INT8: {T.INT16, T.INT32, T.INT64, T.FLOAT, T.DOUBLE},
    T.UINT16: {T.INT32, T.UINT32, T.INT64, T.UINT64, T.FLOAT, T.DOUBLE},
    T.INT16: {T.INT32, T.INT64, T.FLOAT, T.DOUBLE},
    T.UINT32: {T.INT64, T.UINT64, T.DOUBLE},
    T.INT32: {T.INT64, T.DOUBLE},
    T.FLOAT: {T.DOUBLE},
}  # each dtype's values all exist in these; float16 is left out: onnxruntime computes it in float32 anyway


@on("Cast", "CastLike")
def drop_cast_to_same_type(node: ir.Node, facts: Facts) -> Answer:
    """A cast to the type that the value has already is the value."""
    have, want = facts.dtype(node.inputs[0]), facts.dtype(node.outputs[0])
    return Rewrite([node.inputs[0]]) if have is not None and have == want else None


@on("Cast")
def skip_lossless_cast(node: ir.Node, facts: Facts) -> Answer:
    """Cast(Cast(x, wider), t) is Cast(x, t), and x if that is its type: the wider type holds every value of x."""
    inner = made_by(node.inputs[0], "Cast")
    if inner is None:
        return None
    values = (inner.inputs[0], inner.outputs[0], node.outputs[0])
    origin, middle, target = (facts.dtype(v) or T.UNDEFINED for v in values)
    if middle not in _WIDER.get(origin, ()) or target == T.STRING:
        return None
    if origin == target:
        return Rewrite([inner.inputs[0]])
    if not only_user(inner.outputs[0]) or _out_of_range(origin, middle, target):
        return None
    cast = ir.Node("", "Cast", [inner.inputs[0]], list(node.attributes.values()))
    return Rewrite([cast.outputs[0]], [cast])


def _out_of_range(origin: ir.DataType, middle: ir.DataType, target: ir.DataType) -> bool:
    """Whether a target may be too narrow for an integer: another integer wraps, a float leaves it to the machine."""
    return origin.is_integer() and middle.is_floating_point() and target.is_integer() and target not in _WIDER[origin]
