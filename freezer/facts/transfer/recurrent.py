"""RNN, GRU, LSTM."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim
from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import integer, text


@transfer("RNN", "GRU", "LSTM")
@transfer("DynamicQuantizeLSTM", domain="com.microsoft")
def recurrent(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Y [sequence, directions, batch, hidden], then the last states [directions, batch, hidden].

    layout=1: [batch, sequence, directions, hidden] and [batch, directions, hidden].
    """
    x = facts.of(node.inputs[0])
    hidden = _hidden(node, facts)
    if x.shape is None or len(x.shape) != 3 or hidden is None:
        return [Fact(x.dtype)] * len(node.outputs)
    directions = 2 if text(node, "direction", "forward") == "bidirectional" else 1
    if integer(node, "layout", 0):
        batch, sequence, _ = x.shape
        state: tuple[Dim, ...] = (batch, directions, hidden)
        return [Fact(x.dtype, (batch, sequence, directions, hidden)), Fact(x.dtype, state), Fact(x.dtype, state)]
    sequence, batch, _ = x.shape
    state = (directions, batch, hidden)
    return [Fact(x.dtype, (sequence, directions, batch, hidden)), Fact(x.dtype, state), Fact(x.dtype, state)]


def _hidden(node: ir.Node, facts: Facts) -> Dim | None:
    """hidden_size, or the last dim of the recurrence weights."""
    given = integer(node, "hidden_size", None)
    if given is not None or node.domain:
        return given
    shape = facts.shape(node.inputs[2])
    return shape[-1] if shape else None
