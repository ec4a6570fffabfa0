"""Whether it matters that a zero is negative: where -0.0 comes from, and who tells it from 0.0."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rules.known import made_by

_NEVER_NEGATIVE_ZERO = ("Exp", "Sigmoid", "Softmax")
_BLIND = {
    "Abs", "Cos", "Cosh", "DynamicQuantizeLinear", "Equal", "Exp", "Greater", "GreaterOrEqual", "IsInf", "IsNaN",
    "Less", "LessOrEqual", "QuantizeLinear", "Sigmoid", "Softmax",
}  # fmt: skip
# Give the same but for the signs of zeros: copies, odd functions, sums and products. The operands for which it holds.
_CARRIERS = {
    **dict.fromkeys(["Add", "Sub", "Mul", "Concat", "MatMul", "Gemm", "Conv", "ConvTranspose", "Max", "Min"], None),
    **dict.fromkeys(["Where"], (1, 2)),
    **dict.fromkeys(
        [
            "Div", "Erf", "Expand", "Flatten", "Gather", "Identity", "LeakyRelu", "Neg", "Pad", "ReduceMean",
            "ReduceSum", "Relu", "Reshape", "Sin", "Slice", "Split", "Squeeze", "Sqrt", "Tanh", "Tile", "Transpose",
            "Unsqueeze",
        ],
        (0,),
    ),
}  # fmt: skip
_MOST_NODES = 512  # how far to look for readers


def sign_is_lost(value: ir.Value | None, result: ir.Value, facts: Facts) -> bool:
    """Whether a rewrite may give -0.0 for 0.0: the value is never -0.0, or nobody sees that the result is."""
    return _was_integer(value, facts) or made_by(value, *_NEVER_NEGATIVE_ZERO) is not None or _is_unread(result)


def _was_integer(value: ir.Value | None, facts: Facts) -> bool:
    cast = made_by(value, "Cast")
    dtype = facts.dtype(cast.inputs[0]) if cast is not None else None
    return dtype is not None and (dtype.is_integer() or dtype == ir.DataType.BOOL)


def _is_unread(value: ir.Value) -> bool:
    """Whether no output of the model depends on the signs of a value's zeros: every way leads to who is blind."""
    todo, seen = [value], {value}
    while todo:
        current = todo.pop()
        if current.is_graph_output() or len(seen) > _MOST_NODES:
            return False
        for reader, index in current.uses():
            blind = reader.op_type in _BLIND
            if reader.domain or not (blind or _carries(reader, index)):
                return False
            new = [] if blind else [v for v in reader.outputs if v not in seen]
            seen.update(new)
            todo.extend(new)
    return True


def _carries(reader: ir.Node, index: int) -> bool:
    operands = _CARRIERS.get(reader.op_type, ())
    return operands is None or index in operands
