"""Random tensors: their type and shape."""

from __future__ import annotations

import onnx_ir as ir

from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts
from freezer.facts.transfer.attributes import dtype, integer, integers
from freezer.facts.transfer.content import INT32

_FLOAT = ir.DataType.FLOAT


@transfer("RandomNormal", "RandomUniform")
def random(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The shape is an attribute."""
    shape = integers(node, "shape", None)
    return None if shape is None or min(shape, default=0) < 0 else [Fact(dtype(node, "dtype", _FLOAT), shape)]


@transfer("RandomNormalLike", "RandomUniformLike", "Bernoulli")
def random_like(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The operand's shape; its type unless `dtype` says otherwise."""
    fact = facts.of(node.inputs[0])
    return [Fact(dtype(node, "dtype", fact.dtype), fact.shape)]


@transfer("Multinomial")
def multinomial(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """[batch, sample_size] of class numbers."""
    shape, count = facts.shape(node.inputs[0]), integer(node, "sample_size", 1)
    found = dtype(node, "dtype", INT32)
    return [Fact(found, None if not shape or count < 0 else (shape[0], count), None, False, 0)]
