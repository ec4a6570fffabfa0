"""Matrix products: MatMul and its quantised and fused forms, Gemm, Einsum."""

from __future__ import annotations

from collections import Counter

import onnx_ir as ir

from freezer.facts.dims import Dim, Shape
from freezer.facts.fact import Fact
from freezer.facts.registry import transfer
from freezer.facts.table import Facts, unknown_dim
from freezer.facts.transfer.attributes import integer, text
from freezer.facts.transfer.broadcast import broadcast, broadcast_dim
from freezer.facts.transfer.content import INT32

_FLOAT = ir.DataType.FLOAT


def product_shape(output: ir.Value, a: Shape | None, b: Shape | None) -> Shape | None:
    """The shape of a @ b: batch dims broadcast; an operand of rank 1 loses its axis."""
    if a is None or b is None or not a or not b:
        return None
    rows: Shape = a[-2:-1] if len(a) > 1 else ()
    columns: Shape = b[-1:] if len(b) > 1 else ()
    batch = a[:-2] if len(b) <= 2 or a[:-2] == b[:-2] else broadcast(output, a[:-2], b[:-2])
    return batch + rows + columns


@transfer("MatMul")
def matmul(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """a @ b."""
    a, b = facts.of(node.inputs[0]), facts.of(node.inputs[1])
    return [Fact(a.dtype if a.dtype is not None else b.dtype, product_shape(node.outputs[0], a.shape, b.shape))]


@transfer("MatMulInteger")
def matmul_integer(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Sums in int32."""
    return [Fact(INT32, product_shape(node.outputs[0], facts.shape(node.inputs[0]), facts.shape(node.inputs[1])))]


@transfer("QLinearMatMul")
def matmul_quantised(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The type of the output's zero point."""
    shape = product_shape(node.outputs[0], facts.shape(node.inputs[0]), facts.shape(node.inputs[3]))
    return [Fact(facts.dtype(node.inputs[7]), shape)]


@transfer("DynamicQuantizeMatMul", "MatMulIntegerToFloat", domain="com.microsoft")
def matmul_to_float(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The type of the first scale, or of the float operand."""
    first = facts.dtype(node.inputs[0]) if node.op_type == "DynamicQuantizeMatMul" else facts.dtype(node.inputs[2])
    return [Fact(first, product_shape(node.outputs[0], facts.shape(node.inputs[0]), facts.shape(node.inputs[1])))]


@transfer("FusedMatMul", "TransposeMatMul", domain="com.microsoft")
def matmul_fused(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Operands transposed first; transposed batches are left to others."""
    if integer(node, "transBatchA", 0) or integer(node, "transBatchB", 0):
        return None
    a, b = (facts.of(v) for v in node.inputs[:2])
    left, right = _turned(a.shape, integer(node, "transA", 0)), _turned(b.shape, integer(node, "transB", 0))
    return [Fact(a.dtype, product_shape(node.outputs[0], left, right))]


def _turned(shape: Shape | None, transposed: int) -> Shape | None:
    if shape is None or not transposed or len(shape) < 2:
        return shape
    return (*shape[:-2], shape[-1], shape[-2])


@transfer("MatMulNBits", "MatMulBnb4", domain="com.microsoft")
def matmul_packed(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """The last dim becomes N."""
    a, columns = facts.of(node.inputs[0]), integer(node, "N", None)
    if columns is None or integer(node, "transB", 1) == 0:
        return None
    return [Fact(a.dtype, (*a.shape[:-1], columns) if a.shape else None)]


@transfer("Gemm")
@transfer("FusedGemm", domain="com.microsoft")
def gemm(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """Rows of a, columns of b. (Opset 6 and before broadcasts c to the same.)"""
    a, b = facts.of(node.inputs[0]), facts.of(node.inputs[1])
    output = node.outputs[0]
    rows: Dim = unknown_dim(output, 0)
    columns: Dim = unknown_dim(output, 1)
    if a.shape is not None and len(a.shape) == 2:
        rows = a.shape[1 if integer(node, "transA", 0) else 0]
    if b.shape is not None and len(b.shape) == 2:
        columns = b.shape[0 if integer(node, "transB", 0) else 1]
    return [Fact(a.dtype if a.dtype is not None else b.dtype, (rows, columns))]


@transfer("Einsum")
def einsum(node: ir.Node, facts: Facts) -> list[Fact] | None:
    """One dim a letter; an ellipsis is left to others."""
    equation = text(node, "equation", "").replace(" ", "")
    inputs, arrow, result = equation.partition("->")
    terms = inputs.split(",")
    if "." in equation or len(terms) != len(node.inputs) or not equation.replace("->", "").replace(",", "").isalpha():
        return None
    found = [facts.of(v) for v in node.inputs]
    if not arrow:
        if not inputs.islower():
            return None
        counts = Counter(inputs.replace(",", ""))
        result = "".join(sorted(c for c in counts if counts[c] == 1))
    if any(f.shape is None for f in found):
        return [Fact(found[0].dtype, tuple(unknown_dim(node.outputs[0], i) for i in range(len(result))))]
    return [Fact(found[0].dtype, _einsum_shape(node.outputs[0], terms, [f.shape for f in found], result))]  # type: ignore[misc]


def _einsum_shape(output: ir.Value, terms: list[str], shapes: list[Shape], result: str) -> Shape:
    by_letter: dict[str, list[Dim]] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, dim in zip(term, shape, strict=True):
            by_letter.setdefault(letter, []).append(dim)
    if not set(result) <= set(by_letter):
        raise ValueError("a letter of the result is in no operand")
    return tuple(broadcast_dim(output, axis, by_letter[letter]) for axis, letter in enumerate(result))
