"""Attention (opset 23 on) and rotary embeddings."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape, exact_div
from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim
from freezer.facts.transfer.attributes import integer


@transfer("RotaryEmbedding")
@transfer("RotaryEmbedding", domain="com.microsoft")
def rotary_embedding(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's type and shape."""
    x = facts.of(node.inputs[0])
    return [Fact(x.dtype, x.shape)]


@transfer("Attention")
def attention(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Y, present key, present value and scores, of [B, heads, S, size] or [B, S, heads * size] operands."""
    q, k, v = (facts.of(value) for value in node.inputs[:3])
    if q.shape is None or k.shape is None or v.shape is None:
        return [Fact(q.dtype), Fact(k.dtype), Fact(v.dtype), Fact(q.dtype)]
    queries = _split(q.shape, integer(node, "q_num_heads", 0))
    keys, values = (_split(f.shape, integer(node, "kv_num_heads", 0)) for f in (k, v))  # type: ignore[arg-type]
    total = _total(node, facts, keys[2])
    flat = queries[1] * values[3]
    y = (queries[0], queries[2], flat) if len(q.shape) == 3 else (*queries[:3], values[3])
    return [
        Fact(q.dtype, y), Fact(k.dtype, (*keys[:2], total, keys[3])), Fact(v.dtype, (*values[:2], total, values[3])),
        Fact(q.dtype, (*queries[:3], total)),
    ]  # fmt: skip


def _split(shape: Shape, heads: int) -> Shape:
    """[B, heads, S, size]."""
    if len(shape) == 4:
        return shape
    batch, length, hidden = shape
    size = exact_div(hidden, heads) if heads > 0 else None
    if size is None:
        raise ValueError("the heads do not divide the hidden size")
    return batch, heads, length, size


def _total(node: ir.Node, facts: Facts, length: Dim) -> Dim:
    """Keys with those of the past, if there is one."""
    past = node.inputs[4] if len(node.inputs) > 4 else None
    if past is None:
        return length
    shape = facts.shape(past)
    return unknown_dim(node.outputs[0], -1) if shape is None or len(shape) != 4 else shape[2] + length
