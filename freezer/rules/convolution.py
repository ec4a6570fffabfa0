"""What a convolution does itself: add a bias by channel, and pad with zeros.

onnxruntime's Conv and ConvTranspose sum up the products first and add the bias last, so that it rounds as Add does;
padding and zeros that were put there give the same sums.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, again
from freezer.rules.known import by_channel, made_by, only_user, same_type, stored, uniform
from freezer.rules.registry import on

_MEASURED = (ir.DataType.FLOAT, ir.DataType.DOUBLE)


@on("Add")
def add_inside_convolution(node: ir.Node, facts: Facts) -> Answer:
    """Conv(x, w) + b is Conv(x, w, b), if b is a constant with one element, or one for each channel."""
    for value, other in (node.inputs, node.inputs[::-1]):
        conv, dtype = made_by(value, "Conv", "ConvTranspose"), facts.dtype(value)
        if conv is None or not only_user(value) or dtype not in _MEASURED or len(conv.inputs) > 2:
            continue
        bias = by_channel(facts.shape(value), facts.array(other), 1)
        if bias is not None and same_type(value, node.outputs[0], facts):
            new = stored(bias, dtype)
            return again(conv, [*conv.inputs[:2], new], [new])
    return None


@on("Conv")
def pad_inside_convolution(node: ir.Node, facts: Facts) -> Answer:
    """Conv(Pad(x)) with zeros around is Conv(x) with more padding."""
    pad = made_by(node.inputs[0], "Pad")
    if pad is None or not only_user(node.inputs[0]) or facts.dtype(pad.inputs[0]) not in _MEASURED:
        return None
    more, auto_pad = _zeros_around(pad, facts), node.attributes.get("auto_pad")
    if more is None or (auto_pad is not None and auto_pad.value != "NOTSET"):
        return None
    rank = len(more) // 2
    spatial = [*more[2:rank], *more[rank + 2 :]]
    if any(more[:2]) or any(more[rank : rank + 2]) or min(more) < 0:
        return None
    own = node.attributes["pads"].value if "pads" in node.attributes else [0] * len(spatial)
    pads = ir.AttrInt64s("pads", [int(a) + b for a, b in zip(own, spatial, strict=True)])
    return again(node, [pad.inputs[0], *node.inputs[1:]], [], pads)


def _zeros_around(pad: ir.Node, facts: Facts) -> list[int] | None:
    """The pads of a Pad that puts +0.0 around, for all axes; None if it is no such."""
    mode = pad.attributes.get("mode")
    if (mode is not None and mode.value != "constant") or len(pad.inputs) > 3:
        return None
    pads, number = _operands(pad, facts)
    return None if pads is None or number != 0 or np.signbit(number) else list(pads)


def _operands(pad: ir.Node, facts: Facts) -> tuple[tuple[int, ...] | None, np.generic | None]:
    """The pads and the value of a Pad, which were attributes before opset 11; None for what is not known."""
    if len(pad.inputs) > 1:
        value = pad.inputs[2] if len(pad.inputs) > 2 else None
        return facts.ints(pad.inputs[1]), np.float32(0) if value is None else uniform(value, facts)
    number = pad.attributes.get("value")
    return tuple(pad.attributes["pads"].value), np.float32(0 if number is None else number.value)
