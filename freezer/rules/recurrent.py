"""Recurrent networks."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite
from freezer.rules.known import made_by, uniform
from freezer.rules.registry import on

_STATES = (5, 6)  # initial_h, and initial_c of an LSTM
_PARTS = ("Slice", "Split", "Gather", "Reshape", "Squeeze", "Unsqueeze", "Transpose")
_DEEPEST = 8


# Not RNN: there onnxruntime multiplies zeros, and leaves the product out where none are given: inf * 0 is NaN.
@on("LSTM", "GRU")
def omit_zero_state(node: ir.Node, facts: Facts) -> Answer:
    """An initial state of zeros is the one that there is without: onnxruntime fills the same buffer with zeros."""
    inputs = [None if i in _STATES and _is_zero(v, facts) else v for i, v in enumerate(node.inputs)]
    if inputs == list(node.inputs):
        return None
    twin = ir.Node("", node.op_type, inputs, list(node.attributes.values()), num_outputs=len(node.outputs))
    return Rewrite([*twin.outputs], [twin])


def _is_zero(value: ir.Value | None, facts: Facts) -> bool:
    """Whether every element is 0.0: of a constant, of one number repeated, or of a part of that. Not -0.0."""
    for _ in range(_DEEPEST):
        if (part := made_by(value, *_PARTS)) is None:
            break
        value = part.inputs[0]
    made = made_by(value, "Expand", "ConstantOfShape")
    if made is not None and made.op_type == "ConstantOfShape":
        filled = made.attributes.get("value")
        return filled is None or not np.asarray(filled.value.numpy()).tobytes().strip(b"\0")
    number = uniform(made.inputs[0] if made is not None else value, facts)
    return bool(number == 0 and not np.signbit(np.float64(number)))
