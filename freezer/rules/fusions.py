"""What --relaxed puts into the weight and the bias of a convolution or a matrix product.

The sums are rounded at other places then, which moves last bits. New weights are computed in float64. The weight has
one axis for what is read and one for what is made; a factor for each channel belongs to one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from freezer.facts.table import Facts
from freezer.rewrite import Answer, Rewrite, again
from freezer.rules.known import by_channel, integer, made_by, only_user, same_type, stored
from freezer.rules.registry import on

_MEASURED = (ir.DataType.FLOAT, ir.DataType.DOUBLE)
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_PRODUCTS = (*_CONVOLUTIONS, "MatMul", "Gemm")
_BIASED = (*_CONVOLUTIONS, "Gemm")
_FIRST_OPSET = 7  # from which on sums broadcast as numpy's, and BatchNormalization does not train if it has one output


@on("Add", relaxed=True, late=True)
def gemm_instead_of_matmul(node: ir.Node, facts: Facts) -> Answer:
    """x @ w + b is Gemm(x, w, b), if x and w are matrices."""
    for value, other in (node.inputs, node.inputs[::-1]):
        product = _product(value, ("MatMul",), facts)
        if product is None or [facts.rank(v) for v in product.inputs] != [2, 2]:
            continue
        if same_type(value, node.outputs[0], facts):
            gemm = ir.Node("", "Gemm", [*product.inputs, other])
            return Rewrite([gemm.outputs[0]], [gemm])
    return None


@on("Add", relaxed=True, late=True)
def add_to_bias(node: ir.Node, facts: Facts) -> Answer:
    """Conv(x, w, b) + c is Conv(x, w, b + c), for constants with one element or one for each channel."""
    for product, constant in _after(node, _BIASED, facts):
        bias = _bias(product, np.ones_like(constant), constant, facts)
        if bias is not None:
            return again(product, [*product.inputs[:2], bias], [bias])
    return None


@on("Mul", "Div", relaxed=True, late=True)
def scale_weight_instead_of_output(node: ir.Node, facts: Facts) -> Answer:
    """Conv(x, w, b) * s is Conv(x, w * s, b * s), for a constant with one element or one for each channel."""
    for product, constant in _after(node, _PRODUCTS, facts):
        return _refit(product, _factor(node, constant), None, facts)
    return None


@on(*_PRODUCTS, relaxed=True, late=True)
def scale_weight_instead_of_input(node: ir.Node, facts: Facts) -> Answer:
    """Conv(x * s, w, b) is Conv(x, w * s, b), for a constant with one element or one for each channel."""
    scale = made_by(node.inputs[0], "Mul", "Div")
    if scale is None or not only_user(node.inputs[0]) or integer(node, "transA", 0) or _is_early(facts):
        return None
    for value, constant in _operands(scale, _axis_of_channels(node), facts):
        weight = _scaled(node, _factor(scale, constant), 1 - _axis_made(node), facts)
        if weight is not None:
            return again(node, [value, weight, *node.inputs[2:]], [weight])
    return None


@on("BatchNormalization", relaxed=True, late=True)
def normalise_inside_product(node: ir.Node, facts: Facts) -> Answer:
    """BatchNormalization(Conv(x, w, b)) is Conv(x, w * f, (b - mean) * f + shift), f = scale / sqrt(var + epsilon)."""
    product = _product(node.inputs[0], _BIASED, facts)
    arrays = [facts.array(v) for v in node.inputs[1:]]
    if product is None or len(node.outputs) > 1 or integer(node, "training_mode", 0):
        return None
    if any(a is None for a in arrays):
        return None
    scale, shift, mean, variance = (a.astype(np.float64) for a in arrays if a is not None)
    epsilon = node.attributes["epsilon"].value if "epsilon" in node.attributes else 1e-5
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(variance + epsilon)
    return _refit(product, factor, shift - mean * factor, facts)


def _after(node: ir.Node, ops: tuple[str, ...], facts: Facts) -> Iterator[tuple[ir.Node, np.ndarray]]:
    """The products that a node reads beside a constant, with that constant by channel."""
    for value in node.inputs[: 1 if node.op_type == "Div" else 2]:
        product = _product(value, ops, facts)
        if product is not None:
            for _, constant in _operands(node, _axis_of_channels(product), facts):
                yield product, constant


def _product(value: ir.Value | None, ops: tuple[str, ...], facts: Facts) -> ir.Node | None:
    """What makes a value that nobody else reads, if it is one of these ops."""
    product = made_by(value, *ops)
    return product if only_user(value) and facts.dtype(value) in _MEASURED and not _is_early(facts) else None


def _operands(node: ir.Node, axis: int, facts: Facts) -> Iterator[tuple[ir.Value | None, np.ndarray]]:
    """The operands of an Add, Mul or Div whose other is a constant along one axis, with that constant in float64."""
    a, b = node.inputs
    for value, other in ((a, b),) if node.op_type == "Div" else ((a, b), (b, a)):
        if same_type(value, node.outputs[0], facts):
            constant = by_channel(facts.shape(value), facts.array(other), axis)
            if constant is not None:
                yield value, constant.astype(np.float64)


def _factor(scale: ir.Node, constant: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return 1 / constant if scale.op_type == "Div" else constant


def _refit(product: ir.Node, factor: np.ndarray, shift: np.ndarray | None, facts: Facts) -> Answer:
    """The product again, what it makes multiplied by a factor and, if there is one, shifted, by channel."""
    new = [_scaled(product, factor, _axis_made(product), facts)]
    if shift is not None or len(product.inputs) > 2:
        new.append(_bias(product, factor, np.zeros_like(factor) if shift is None else shift, facts))
    made = [v for v in new if v is not None]
    return again(product, [product.inputs[0], *made], made) if len(made) == len(new) else None


def _scaled(product: ir.Node, factor: np.ndarray, axis: int, facts: Facts) -> ir.Value | None:
    """The weight times a factor along one of its two axes, which groups share; None if it is no such constant."""
    array, dtype = facts.array(product.inputs[1]), facts.dtype(product.inputs[1])
    if array is None or dtype not in _MEASURED or not only_user(product.inputs[1]):
        return None
    if product.op_type == "MatMul" and array.ndim != 2:
        return None
    group = integer(product, "group", 1)
    grouped = array.reshape(group, array.shape[0] // group, array.shape[1], -1)
    along = factor.reshape(group, 1, -1, 1) if axis else factor.reshape(group, -1, 1, 1)
    with np.errstate(all="ignore"):
        return _finite((grouped * along).reshape(array.shape), dtype)


def _bias(product: ir.Node, factor: np.ndarray, shift: np.ndarray, facts: Facts) -> ir.Value | None:
    """The bias times the factor plus the shift; None if it is no constant by channel."""
    value, dtype = product.inputs[2] if len(product.inputs) > 2 else None, facts.dtype(product.inputs[1])
    old = np.zeros_like(shift) if value is None else by_channel((1, shift.size), facts.array(value), -1)
    beta = product.attributes.get("beta")
    if old is None or dtype is None or (beta is not None and beta.value != 1):
        return None
    with np.errstate(all="ignore"):
        return _finite(old * factor + shift, dtype)


def _finite(array: np.ndarray, dtype: ir.DataType) -> ir.Value | None:
    """A new constant of float64 numbers; None if one is not finite in its dtype."""
    rounded = array.astype(dtype.numpy())
    return stored(rounded, dtype) if np.isfinite(rounded).all() else None


def _axis_of_channels(product: ir.Node) -> int:
    """Of what it reads and makes."""
    return 1 if product.op_type in _CONVOLUTIONS else -1


def _axis_made(product: ir.Node) -> int:
    """The weight's axis for what the product makes; the other one is for what it reads."""
    return int(product.op_type != "Conv" and not integer(product, "transB", 0))


def _is_early(facts: Facts) -> bool:
    return facts.opset_imports.get("", 0) < _FIRST_OPSET
