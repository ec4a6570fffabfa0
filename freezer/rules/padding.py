"""Joining with many times the same number is padding."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import constant, integer, made_by, stored, uniform
from freezer.rules.registry import on

_FIRST_OPSET = 11  # Pad with operands
_PADDED = (ir.DataType.FLOAT, ir.DataType.DOUBLE)  # not the integers, of which shapes are joined


@on("Concat", late=True)
def pad_instead_of_concat(node: ir.Node, facts: Facts) -> Answer:
    """Concat(c, x), where c is one number all over, is x padded with it; both copy bits.

    Only where that saves a node: c is expanded at run time, or a convolution can pad.
    """
    dtype = facts.dtype(node.outputs[0])
    if len(node.inputs) != 2 or facts.opset_imports.get("", 0) < _FIRST_OPSET or dtype not in _PADDED:
        return None
    for place, (value, kept) in enumerate((node.inputs, node.inputs[::-1])):
        number, shape = _number(value, node.outputs[0], facts), facts.shape(value)
        if number is None or shape is None:
            continue
        axis, rank = integer(node, "axis", 0) % len(shape), len(shape)
        if not isinstance(shape[axis], int):
            continue
        pads = [0] * (2 * rank)
        pads[axis + place * rank] = int(shape[axis])  # type: ignore[arg-type]
        new = [constant(pads), stored(np.asarray(number).reshape(()), dtype)]
        pad = ir.Node("", "Pad", [kept, *new])
        return Rewrite([pad.outputs[0]], [pad], new)
    return None


def _number(value: ir.Value | None, joined: ir.Value, facts: Facts) -> np.generic | None:
    """The number that every element is, of an expanded constant, or of a constant for a convolution."""
    expand, readers = made_by(value, "Expand"), joined.consumers()
    if expand is not None:
        return uniform(expand.inputs[0], facts)
    return uniform(value, facts) if len(readers) == 1 and readers[0].op_type == "Conv" else None
