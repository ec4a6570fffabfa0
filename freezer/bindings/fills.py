"""ones, zeros, full(x) and arange as arrays."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from freezer.bindings.literals import Loss, converter
from freezer.bindings.raw import RawValue

LARGEST_FILL = 1 << 31  # bytes


def fill_array(raw: RawValue, dtype: ir.DataType, shape: tuple[int, ...]) -> np.ndarray:
    """The array a fill stands for. Raises Loss if the dtype cannot hold it, or if it is too large."""
    width = 128 if dtype == ir.DataType.STRING else max(8, dtype.bitwidth)
    if math.prod(shape) * width // 8 > LARGEST_FILL:
        raise Loss(f"{raw.text} has {math.prod(shape)} elements, more than {LARGEST_FILL} bytes")
    if raw.kind == "arange":
        return _arange(raw, dtype, shape)
    item = converter(dtype)(raw.content)
    if dtype == ir.DataType.STRING:
        return np.full(shape, item, object)
    return np.full(shape, item, dtype.numpy())


def _arange(raw: RawValue, dtype: ir.DataType, shape: tuple[int, ...]) -> np.ndarray:
    if not shape:
        raise Loss("arange needs at least one axis")
    if dtype == ir.DataType.STRING:
        raise Loss("arange is not a string")
    count = np.arange(shape[-1], dtype=np.int64)
    row = count.astype(dtype.numpy())
    if not np.array_equal(row.astype(np.float64), count):
        raise Loss(f"{raw.text} goes to {shape[-1] - 1}, which this type does not hold exactly")
    return np.ascontiguousarray(np.broadcast_to(row, shape))
