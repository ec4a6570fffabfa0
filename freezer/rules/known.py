"""Questions that rules ask of facts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from freezer.facts.dims import Shape
from freezer.facts.table import Facts

FLOATS = (ir.DataType.FLOAT, ir.DataType.DOUBLE, ir.DataType.FLOAT16, ir.DataType.BFLOAT16)
HALVES = (ir.DataType.FLOAT16, ir.DataType.BFLOAT16)


def same_type(a: ir.Value | None, b: ir.Value | None, facts: Facts) -> bool:
    """Whether both have the same known dtype and, for every feed, the same shape."""
    x, y = facts.of(a), facts.of(b)
    return x.dtype is not None and x.dtype == y.dtype and x.shape is not None and x.shape == y.shape


def uniform(value: ir.Value | None, facts: Facts) -> np.generic | None:
    """The number that every element of a constant is, bit for bit; None if it is no such constant."""
    array = facts.array(value)
    if array is None or array.size == 0 or array.dtype.kind not in "biufV":
        return None
    first = array.reshape(-1)[0]
    bits = array.view(f"u{array.itemsize}")
    return first if bool((bits == bits.reshape(-1)[0]).all()) else None


def length(value: ir.Value | None, axis: int, facts: Facts) -> int | None:
    """How long an axis is; None if that is no number, or not known."""
    shape = facts.shape(value)
    size = shape[axis] if shape is not None else None
    return size if isinstance(size, int) else None


def puts_ones_before(before: Shape, after: Shape) -> bool:
    """Whether the second shape is the first one with axes of length 1 before its own."""
    return after == (1,) * (len(after) - len(before)) + before


def only_user(value: ir.Value | None) -> bool:
    """Whether one node input reads the value, and no graph output is it."""
    return value is not None and len(value.uses()) == 1 and not value.is_graph_output()


def made_by(value: ir.Value | None, *ops: str) -> ir.Node | None:
    """The standard-domain node of one of these types that makes the value, if it has a first input."""
    node = value.producer() if value is not None else None
    if node is None or node.op_type not in ops or node.domain or not node.inputs or node.inputs[0] is None:
        return None
    return node


def makers(value: ir.Value | None, *links: Sequence[str]) -> list[ir.Node]:
    """The nodes of these types that make a value, the last one first, each of what the next one makes."""
    found: list[ir.Node] = []
    for ops in links:
        node = made_by(value, *ops)
        if node is None:
            break
        found.append(node)
        value = node.inputs[0]
    return found


def integer(node: ir.Node, name: str, default: int) -> int:
    """An integer attribute of a node of which anything is known: it is of another type only where nothing is."""
    attribute = node.attributes.get(name)
    return default if attribute is None else int(attribute.value)


def by_channel(shape: Shape | None, array: np.ndarray | None, axis: int) -> np.ndarray | None:
    """A constant as a vector along one axis of a shape that it broadcasts to; None if it has more elements."""
    if shape is None or array is None:
        return None
    channels = shape[axis]
    if not isinstance(channels, int) or array.size not in (1, channels):
        return None
    if array.size == channels and (*([1] * (len(shape) - array.ndim)), *array.shape)[axis] != channels:
        return None
    return np.ascontiguousarray(np.broadcast_to(array.reshape(-1), (channels,)))


def constant(values: list[int]) -> ir.Value:
    """A new int64 vector for a rewrite's initializers."""
    return stored(np.array(values, dtype=np.int64), ir.DataType.INT64)


def stored(array: np.ndarray, dtype: ir.DataType) -> ir.Value:
    """A new constant for a rewrite's initializers."""
    return ir.Value(const_value=ir.Tensor(array, dtype=dtype), type=ir.TensorType(dtype), shape=ir.Shape(array.shape))
